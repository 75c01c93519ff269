package imagebuilder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/restjson"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Class is why a request got no usable answer. Every error of Client is one:
//
//	errors.Is(err, imagebuilder.NotFound)
//
// Its text is the value of the label "class".
type Class string

const (
	// NotFound means that the service does not know the id, not yet or no longer.
	NotFound Class = "not_found"
	// BadRequest means that the service rejects this request and would do so again.
	BadRequest Class = "bad_request"
	// Denied means that there are no credentials, or that they are not accepted or
	// do not allow the operation.
	Denied Class = "denied"
	// Throttled means that the service had too many requests.
	Throttled Class = "throttled"
	// Unavailable means that the service failed or did not answer in time, or that
	// what answered was not Image Builder.
	Unavailable Class = "unavailable"
	// Invalid means that the service answered with success, and with something
	// unusable.
	Invalid Class = "invalid"
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

// maxErrorText bounds what the service can write into a log line.
const maxErrorText = 400

// Error returns one line of bounded length.
func (e *Error) Error() string {
	text := e.Err.Error()
	if operation, ok := e.Err.(*smithy.OperationError); ok { //nolint:errorlint // only what stands in front is repeated
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
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return Unavailable
}

// Causes that this package finds itself.
var (
	errTimeLimit     = errors.New("no answer within the time limit of a lookup")
	errTooLarge      = fmt.Errorf("the answer is larger than %d bytes", maxResponseBytes)
	errNoCredentials = errors.New("no usable AWS credentials")
)

// classCodes are the beginnings, in lower case, of the error codes that decide
// alone, whatever the status: some common errors come with status 400. Sources: the
// API reference ("Errors" of each operation, "Common Errors") and that of STS.
var classCodes = []struct {
	prefix string
	class  Class
}{
	{"resourcenotfoundexception", NotFound},
	{"accessdenied", Denied},
	{"forbiddenexception", Denied},
	{"expiredtoken", Denied},
	{"requestexpired", Denied},
	{"unrecognizedclient", Denied},
	{"invalidsignature", Denied},
	{"signaturedoesnotmatch", Denied},
	{"incompletesignature", Denied},
	{"notauthorized", Denied},
	{"optinrequired", Denied},
	{"missingauthenticationtoken", Denied},
	{"invalidclienttokenid", Denied},
	{"callratelimitexceeded", Throttled},
	{"throttl", Throttled},
	{"serviceexception", Unavailable},
	{"serviceunavailable", Unavailable},
	{"internalfailure", Unavailable},
	{"internalservererror", Unavailable},
	{"requesttimeout", Unavailable},
}

// classOfCode returns the class of an error code that decides alone.
func classOfCode(code string) (Class, bool) {
	if _, ok := retry.DefaultThrottleErrorCodes[code]; ok {
		return Throttled, true
	}
	code = strings.ToLower(code)
	for _, c := range classCodes {
		if strings.HasPrefix(code, c.prefix) {
			return c.class, true
		}
	}
	return "", false
}

// classify returns the class of an error of the SDK: the error code decides first,
// then whether the body was JSON, then the status.
func classify(err error) Class {
	if role := (roleError{}); errors.As(err, &role) {
		return role.class()
	}
	if code := apiCode(err); code != "" {
		if class, ok := classOfCode(code); ok {
			return class
		}
	}
	if errors.Is(err, errNoCredentials) {
		return Denied
	}
	status := httpStatus(err)
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Denied
	case status == http.StatusTooManyRequests:
		return Throttled
	case status >= 200 && status < 300:
		return classifyUndecodable(err)
	case isDecodeError(err):
		return Unavailable
	case status == http.StatusNotFound:
		return NotFound
	case status >= 400 && status < 500:
		return BadRequest
	}
	return Unavailable
}

// classifyUndecodable tells an answer with success and wrong contents, which the
// service must have meant, from one that is not JSON, or not all of it.
func classifyUndecodable(err error) Class {
	var read readError
	var syntax *json.SyntaxError
	if errors.As(err, &read) || errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Unavailable
	}
	return Invalid
}

// unknownCode is what the SDK says when an error carries no code.
const unknownCode = "UnknownError"

// apiCode returns the service's error code, or the empty string. The SDK loses the
// code of the header when it cannot read the body, so the header is asked last.
func apiCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() != unknownCode {
		return api.ErrorCode()
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil || response.Response.Response == nil {
		return ""
	}
	return restjson.SanitizeErrorCode(response.Response.Header.Get("X-Amzn-ErrorType"))
}

// httpStatus returns the status of the answer, 0 when there was none.
func httpStatus(err error) int {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil || response.Response.Response == nil {
		return 0
	}
	return response.HTTPStatusCode()
}

func isDecodeError(err error) bool {
	var decode *smithy.DeserializationError
	return errors.As(err, &decode)
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool } // every net.Error, and context.DeadlineExceeded
	return errors.As(err, &timeout) && timeout.Timeout()
}

// codeOf returns the value of the label "code" for an attempt that failed with
// err while ctx was its context: the service's code when there is one, else a word
// for what happened.
func codeOf(ctx context.Context, err error) string {
	var canceled interface{ CanceledError() bool }
	switch {
	case apiCode(err) != "":
		return apiCode(err)
	case errors.Is(context.Cause(ctx), errTimeLimit), isTimeout(err):
		return "Timeout"
	case ctx.Err() != nil, errors.As(err, &canceled) && canceled.CanceledError():
		return "Canceled"
	case isDecodeError(err):
		return "Decode"
	case httpStatus(err) != 0:
		return unknownCode
	}
	return "Network"
}
