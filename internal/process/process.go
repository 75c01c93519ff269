// Package process ends the program in time even if something hangs, and reports errors of standard
// output. It knows nothing of what the program does. Start reading with Serve.
package process

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// ErrHangs is the error if a function did not return within its time limit.
var ErrHangs = errors.New("the shutdown timed out because something hangs")

// Serve calls f with a context that SIGTERM or SIGINT ends, and returns its error. A second signal
// ends the program at once. If f does not return within the limit after the first signal, for example
// because it reads a file on a dead mount, Serve returns ErrHangs without waiting for f.
func Serve(ctx context.Context, limit time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signaled, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(signaled, func() {
		stop() // before f can tell anybody that it ends: from then on, a second signal counts
		cancel()
	})
	return await(ctx, limit, f)
}

func await(ctx context.Context, limit time.Duration, f func(context.Context) error) error {
	returned := make(chan error, 1)
	go func() { returned <- f(ctx) }()
	select {
	case err := <-returned:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-returned:
		return err
	case <-time.After(limit):
		return ErrHangs
	}
}

// Output is standard output, for what the user asked the program to print. It keeps the first error,
// and callers can ignore the errors of fmt. It is not safe for concurrent use.
type Output struct {
	file *os.File
	err  error
}

// NewOutput returns an Output that prints to a file and owns it.
func NewOutput(file *os.File) *Output { return &Output{file: file} }

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.file.Write(p)
	o.err = err
	return n, err
}

// Quiet returns a writer to the same output that never fails, for use with a library that panics
// with an error. Close returns the error.
func (o *Output) Quiet() io.Writer { return quiet{o} }

type quiet struct{ o *Output }

// Write implements io.Writer.
func (q quiet) Write(p []byte) (int, error) {
	_, _ = q.o.Write(p) // it is kept
	return len(p), nil
}

// Close closes the file, and returns why something could not be printed.
func (o *Output) Close() error {
	err := o.file.Close() // some file systems tell only here that the disk is full
	if o.err != nil {
		return o.err
	}
	return err
}

// WasClosed reports whether the file was closed when the program started. The runtime has
// then opened /dev/null in its place, for reading and writing; a shell opens it for writing
// alone.
func (o *Output) WasClosed() bool {
	null, err := os.Stat(os.DevNull)
	if err != nil {
		return false
	}
	file, err := o.file.Stat()
	if err != nil || !os.SameFile(file, null) {
		return false
	}
	_, err = o.file.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}
