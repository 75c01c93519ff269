package imagebuilder

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/restjson"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// failure is an error with its class. The code that sees an error first makes a failure of
// it: an attempt, the credentials, a role, or the reading of an answer. Retries, metrics
// and callers read the class. The text is that of the cause.
type failure struct {
	class Class
	code  string // the service's error code, empty when it gave none
	err   error
}

// Error returns the text of the cause.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.err }

// newFailure classifies an error of the SDK.
func newFailure(err error) *failure {
	code := apiCode(err)
	return &failure{class: classify(err, code), code: code, err: err}
}

// failureOf returns the failure in err. An error without one, such as that of a context
// that ended, does not come from an attempt; it is classified here.
func failureOf(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return newFailure(err)
}

// invalidAnswer is the failure of an answer that was read and cannot be used.
func invalidAnswer(err error) error { return &failure{class: Invalid, err: err} }

// classCodes are the beginnings, in lower case, of the error codes that decide
// alone, whatever the status: some common errors come with status 400. Sources: the
// API reference ("Errors" of each operation, "Common Errors") and that of STS.
var classCodes = []struct {
	prefix string
	class  Class
	// refusal: the credentials were accepted, and do not allow this. Every other code of
	// class Denied is about the credentials themselves.
	refusal bool
}{
	{"resourcenotfoundexception", NotFound, false},
	{"accessdenied", Denied, true},
	{"forbiddenexception", Denied, true},
	{"expiredtoken", Denied, false},
	{"requestexpired", Denied, false},
	{"unrecognizedclient", Denied, false},
	{"invalidsignature", Denied, false},
	{"signaturedoesnotmatch", Denied, false},
	{"incompletesignature", Denied, false},
	{"notauthorized", Denied, true},
	{"optinrequired", Denied, false},
	{"missingauthenticationtoken", Denied, false},
	{"invalidclienttokenid", Denied, false},
	{"callratelimitexceeded", Throttled, false},
	{"throttl", Throttled, false},
	{"serviceexception", Unavailable, false},
	{"serviceunavailable", Unavailable, false},
	{"internalfailure", Unavailable, false},
	{"internalservererror", Unavailable, false},
	{"requesttimeout", Unavailable, false},
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

// CredentialsRefused reports whether err says that there are no credentials, or that they
// are not accepted, so that no operation can succeed. It is false for what accepted
// credentials do not allow.
func CredentialsRefused(err error) bool {
	var e *Error
	if !errors.As(err, &e) || e.Class != Denied {
		return false
	}
	if role := (roleError{}); e.Operation == Authenticate || errors.Is(err, errNoCredentials) || errors.As(err, &role) {
		return true
	}
	if e.Code == "" {
		return httpStatus(err) == http.StatusUnauthorized
	}
	for _, c := range classCodes {
		if strings.HasPrefix(strings.ToLower(e.Code), c.prefix) {
			return !c.refusal
		}
	}
	return httpStatus(err) == http.StatusUnauthorized
}

// classify returns the class of an error of the SDK with this code: the code decides
// first, then whether the body was JSON, then the status.
func classify(err error, code string) Class {
	if class, ok := classOfCode(code); ok {
		return class
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

// classifyUndecodable returns the class of an answer with success that cannot be decoded:
// Unavailable when it is not JSON or not complete, Invalid when its contents are wrong.
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

// label returns the value of the label "code" for an attempt that failed with f while
// ctx was its context: the service's code when there is one, else a word for what
// happened.
func (f *failure) label(ctx context.Context) string {
	var canceled interface{ CanceledError() bool }
	switch {
	case f.code != "":
		return f.code
	case errors.Is(context.Cause(ctx), errTimeLimit), isTimeout(f.err):
		return "Timeout"
	case ctx.Err() != nil, errors.As(f.err, &canceled) && canceled.CanceledError():
		return "Canceled"
	case isDecodeError(f.err):
		return "Decode"
	case httpStatus(f.err) != 0:
		return unknownCode
	}
	return "Network"
}
