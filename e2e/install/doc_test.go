// Package install proves what users install: it is installed, run, upgraded and removed.
package install
