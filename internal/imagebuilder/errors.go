package imagebuilder

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

// Class is why a request got no usable answer: errors.Is(err, imagebuilder.NotFound). Every
// error of Client is of one. Its text is the value of the label "class".
type Class string

// The classes and what they mean.
const (
	NotFound    Class = "not_found"   // the id does not exist, not yet or no longer
	BadRequest  Class = "bad_request" // the service rejects this request and would do so again
	Denied      Class = "denied"      // credentials are missing, not accepted, or do not allow the operation
	Throttled   Class = "throttled"   // the service received too many requests
	Unavailable Class = "unavailable" // it failed, did not answer in time, or was not Image Builder
	Invalid     Class = "invalid"     // the service reported success, but the answer is unusable
)

// Error returns the class's name.
func (c Class) Error() string { return string(c) }

// Error is what the methods of Client return: what was asked for, the class, and
// the cause.
type Error struct {
	Operation Operation
	Class     Class
	Code      string // the service's error code, empty when it gave none
	Err       error
}

// newError returns the failure of an operation as an *Error.
func newError(operation Operation, err error) *Error {
	f := failureOf(err)
	return &Error{Operation: operation, Class: f.class, Code: f.code, Err: err}
}

// maxErrorText bounds what the service can write into a log line.
const maxErrorText = 400

// Error returns one line of bounded length.
func (e *Error) Error() string {
	text := e.Err.Error()
	if operation, ok := e.Err.(*smithy.OperationError); ok { //nolint:errorlint // only the outermost has the name of the operation
		text = operation.Err.Error()
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + "…"
	}
	return fmt.Sprintf("%s (%s): %s", e.Operation, e.Class, text)
}

// Is reports whether target is the class of e.
func (e *Error) Is(target error) bool { return target == e.Class }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of an error of Client. An error that has none did not
// come from the service and is Unavailable.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Unavailable
}

// Causes that do not come from the SDK.
var (
	errTimeLimit     = errors.New("no answer within the lookup timeout")
	errListTime      = errors.New("the list was not complete within the time limit for all pages")
	errTooLarge      = fmt.Errorf("the answer is larger than %d bytes", maxResponseBytes)
	errNoCredentials = errors.New("no usable AWS credentials")
)
