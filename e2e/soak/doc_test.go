// Package soak plays with the program for as long as `make soak` says: faults of the API,
// scrapes and reloads, all at once.
package soak
