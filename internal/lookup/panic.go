package lookup

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// panicked is the cause of a failure that was a panic.
type panicked struct {
	value any
	stack []byte
}

// Error says what the panic was about, and not where.
func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// stackOf returns where the panic happened that err is, nil when it is none.
func stackOf(err error) []byte {
	var p *panicked
	if errors.As(err, &p) {
		return p.stack
	}
	return nil
}

// contain calls f, which is a part of an operation. A panic in it is counted, and returned
// as an error of this class.
func (t *Target) contain(operation imagebuilder.Operation, class imagebuilder.Class, f func()) (err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if t.c.Panics != nil {
			t.c.Panics.Inc()
		}
		err = &imagebuilder.Error{Operation: operation, Class: class, Err: &panicked{v, debug.Stack()}}
	}()
	f()
	return nil
}
