// Package install builds what users install, installs it, runs it and removes it. Its
// tests take minutes and need root, so each has a make target of its own.
package install
