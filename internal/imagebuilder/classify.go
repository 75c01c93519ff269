package imagebuilder

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/restjson"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// failure is an error with its class. The code that sees an error first makes a failure of
// it: an attempt, the credentials, a role, or the reading of an answer. Retries, metrics
// and callers read the class. The text is that of the cause.
type failure struct {
	error
	class Class
	code  string // the service's error code, empty when it gave none
}

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.error }

// newFailure classifies an error of the SDK.
func newFailure(err error) *failure {
	code := apiCode(err)
	return &failure{class: classify(err, code), code: code, error: err}
}

// failureOf returns the failure in err. An error without one, such as that of a context
// that ended, does not come from an attempt; it is classified here.
func failureOf(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return newFailure(err)
}

// invalidAnswer is the failure of an answer that was read and cannot be used.
func invalidAnswer(err error) error { return &failure{class: Invalid, error: err} }

// classCodes are the beginnings of the error codes that decide the class regardless of the status:
// some common errors come with status 400. Sources: the API reference ("Errors" of each
// operation, "Common Errors") and that of STS.
var classCodes = []struct {
	class Class
	// refusal: the credentials were accepted, and do not allow this. Every other code of
	// class Denied is about the credentials themselves.
	refusal bool
	codes   *regexp.Regexp
}{
	{NotFound, false, regexp.MustCompile(`(?i)^ResourceNotFoundException`)},
	{Denied, true, regexp.MustCompile(`(?i)^(AccessDenied|ForbiddenException|NotAuthorized)`)},
	{Denied, false, regexp.MustCompile(`(?i)^(ExpiredToken|RequestExpired|OptInRequired)`)},
	{Denied, false, regexp.MustCompile(`(?i)^(UnrecognizedClient|InvalidClientTokenId|MissingAuthenticationToken)`)},
	{Denied, false, regexp.MustCompile(`(?i)^(InvalidSignature|SignatureDoesNotMatch|IncompleteSignature)`)},
	{Throttled, false, regexp.MustCompile(`(?i)^(CallRateLimitExceeded|Throttl)`)},
	{Unavailable, false, regexp.MustCompile(`(?i)^(ServiceException|ServiceUnavailable|RequestTimeout)`)},
	{Unavailable, false, regexp.MustCompile(`(?i)^(InternalFailure|InternalServerError)`)},
}

// classOfCode returns the class of an error code that decides it regardless of the status, and whether
// it is a refusal.
func classOfCode(code string) (class Class, refusal, ok bool) {
	if _, ok := retry.DefaultThrottleErrorCodes[code]; ok {
		return Throttled, false, true
	}
	for _, c := range classCodes {
		if c.codes.MatchString(code) {
			return c.class, c.refusal, true
		}
	}
	return "", false, false
}

// FromCredentials reports whether err comes from getting credentials. If so, Image Builder was not
// asked.
func FromCredentials(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Operation == Authenticate || errors.Is(err, errNoCredentials) || has[roleError](err)
}

// NoCredentials reports whether err says that no source has usable credentials.
func NoCredentials(err error) bool { return errors.Is(err, errNoCredentials) }

// CredentialsRefused reports whether err says that there are no credentials or that they are not
// accepted: no operation can succeed. It is false if the credentials are accepted but do not allow
// the operation.
func CredentialsRefused(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Class != Denied {
		return false
	}
	if FromCredentials(err) {
		return true
	}
	if _, refusal, ok := classOfCode(e.Code); ok {
		return !refusal
	}
	status, _ := answerOf(err)
	return status == http.StatusUnauthorized
}

// IsAnswer reports whether err, with which operation has failed, is an answer of Image
// Builder: it was reached, and throttles, refuses or does not know the subject.
func IsAnswer(operation Operation, err error) bool {
	switch ClassOf(err) {
	case Denied, Unavailable:
		return false
	}
	return !FromCredentials(err) && !FromAnotherService(operation, err)
}

// FromAnotherService reports whether err shows that the endpoint is not Image Builder's: it does not
// have the operation, or it rejects an operation about the whole account, which has no subject that
// could be unknown or wrong.
func FromAnotherService(operation Operation, err error) bool {
	if FromCredentials(err) {
		return false
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Code == "UnknownOperationException" {
		return true
	}
	class := ClassOf(err)
	return operation.Resource() == "*" && (class == NotFound || class == BadRequest)
}

// classify returns the class of an error of the SDK with this code: the code decides
// first, then whether the body was JSON, then the status.
func classify(err error, code string) Class {
	if class, _, ok := classOfCode(code); ok {
		return class
	}
	status, _ := answerOf(err)
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Denied
	case status == http.StatusTooManyRequests:
		return Throttled
	case status >= 200 && status < 300:
		if has[readError](err) || has[*json.SyntaxError](err) || errors.Is(err, io.ErrUnexpectedEOF) {
			return Unavailable // not JSON, or not complete
		}
		return Invalid
	case has[*smithy.DeserializationError](err):
		return Unavailable
	case status == http.StatusNotFound:
		return NotFound
	case status >= 400 && status < 500:
		return BadRequest
	}
	return Unavailable
}

// unknownCode is what the SDK says when an error carries no code.
const unknownCode = "UnknownError"

// apiCode returns the service's error code, or the empty string. The SDK loses the
// code of the header when it cannot read the body, so the header is asked last.
func apiCode(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() != unknownCode {
		return api.ErrorCode()
	}
	_, header := answerOf(err)
	return restjson.SanitizeErrorCode(header.Get("X-Amzn-ErrorType"))
}

// answerOf returns the status and the header of the answer that err is about, 0 and nil
// when there was none.
func answerOf(err error) (status int, header http.Header) {
	failed, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || failed.Response == nil || failed.Response.Response == nil {
		return 0, nil
	}
	return failed.Response.StatusCode, failed.Response.Header
}

// has reports whether there is an E in err.
func has[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// label returns the value of the label "code" for an attempt that failed with f while
// ctx was its context: the service's code when there is one, else a word for what
// happened.
func (f *failure) label(ctx context.Context) string {
	var canceled interface{ CanceledError() bool }
	status, _ := answerOf(f)
	switch {
	case f.code != "":
		return f.code
	case errors.Is(context.Cause(ctx), errTimeLimit), retry.TimeouterError{}.IsErrorTimeout(f.error).Bool():
		return "Timeout"
	case ctx.Err() != nil, errors.As(f.error, &canceled) && canceled.CanceledError():
		return "Canceled"
	case has[*smithy.DeserializationError](f.error):
		return "Decode"
	case status != 0:
		return unknownCode
	}
	return "Network"
}
