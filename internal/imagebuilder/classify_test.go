package imagebuilder

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// TestAClassHidesNothing holds that the error of a classified attempt reads like the SDK's,
// and is one.
func TestAClassHidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newTestClient(t, always(emulator.Error(404, "ResourceNotFoundException", "no such execution")))
		_, err := client.GetWorkflowExecution(t.Context(), testID, nil)
		text := regexp.MustCompile(`RequestID: [0-9a-f-]+`).ReplaceAllString(err.Error(), "RequestID: X")
		want := "GetWorkflowExecution (not_found): https response error StatusCode: 404, RequestID: X, api error ResourceNotFoundException: no such execution"
		if diff := cmp.Diff(want, text); diff != "" {
			t.Errorf("the error reads (-want +got):\n%s", diff)
		}
		var operation *smithy.OperationError
		var api smithy.APIError
		if !errors.As(err, &operation) || !errors.As(err, &api) || api.ErrorCode() != "ResourceNotFoundException" {
			t.Errorf("%#v is no error of the SDK", err)
		}
	})
}

// refusal is an error of the service with nothing but the parts that are named.
func refusal(status int, header, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set("X-Amzn-ErrorType", header)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

// TestErrorsOnTheWire has a case for every row of the service's errors, for what
// stands in front of a service, and for answers that are none.
func TestErrorsOnTheWire(t *testing.T) {
	const html = "<html><body>oops</body></html>"
	answer := func(body string) http.Handler { return emulator.Body(200, "application/json", body) }
	for _, c := range []struct {
		name     string
		fault    http.Handler
		class    Class
		code     string // the label of the last attempt; empty where no attempt failed
		attempts int
	}{
		{"unknown id", emulator.Error(404, "ResourceNotFoundException", "x"), NotFound, "ResourceNotFoundException", 1},
		{"not found by its code, at status 400", emulator.Error(400, "ResourceNotFoundException", "x"), NotFound, "ResourceNotFoundException", 1},
		{"404 without a code", refusal(404, "", `{"message":"x"}`), NotFound, "UnknownError", 1},
		{"invalid request", emulator.Error(400, "InvalidRequestException", "x"), BadRequest, "InvalidRequestException", 1},
		{"client exception", emulator.Error(400, "ClientException", "x"), BadRequest, "ClientException", 1},
		{"code that the operation does not model", emulator.Error(400, "InvalidParameterValueException", "x"), BadRequest, "InvalidParameterValueException", 1},
		{"another 4xx", refusal(418, "", `{}`), BadRequest, "UnknownError", 1},
		{"forbidden", emulator.Error(403, "ForbiddenException", "x"), Denied, "ForbiddenException", 1},
		{"access denied", emulator.Error(403, "AccessDeniedException", "x"), Denied, "AccessDeniedException", 1},
		{"access denied at status 400", emulator.Error(400, "AccessDeniedException", "x"), Denied, "AccessDeniedException", 1},
		{"expired token at status 400", emulator.Error(400, "ExpiredTokenException", "x"), Denied, "ExpiredTokenException", 1},
		{"request expired", emulator.Error(400, "RequestExpired", "x"), Denied, "RequestExpired", 1},
		{"unrecognized client", emulator.Error(403, "UnrecognizedClientException", "x"), Denied, "UnrecognizedClientException", 1},
		{"incomplete signature", emulator.Error(400, "IncompleteSignature", "x"), Denied, "IncompleteSignature", 1},
		{"not authorized", emulator.Error(400, "NotAuthorized", "x"), Denied, "NotAuthorized", 1},
		{"opt in required", emulator.Error(403, "OptInRequired", "x"), Denied, "OptInRequired", 1},
		{"401 that is not JSON", emulator.Body(401, "text/html", html), Denied, "Decode", 1},
		{"403 that is not JSON", emulator.Body(403, "text/html", html), Denied, "Decode", 1},
		{"throttled", emulator.Error(429, "CallRateLimitExceededException", "x"), Throttled, "CallRateLimitExceededException", 3},
		{"too many requests", emulator.Error(429, "TooManyRequestsException", "x"), Throttled, "TooManyRequestsException", 3},
		{"throttled at status 400", emulator.Error(400, "ThrottlingException", "x"), Throttled, "ThrottlingException", 3},
		{"429 without a code", refusal(429, "", `{}`), Throttled, "UnknownError", 3},
		{"429 that is not JSON", emulator.Body(429, "text/html", html), Throttled, "Decode", 3},
		{"service exception", emulator.Error(500, "ServiceException", "x"), Unavailable, "ServiceException", 3},
		{"service unavailable", emulator.Error(503, "ServiceUnavailableException", "x"), Unavailable, "ServiceUnavailableException", 3},
		{"502 of a proxy", emulator.Body(502, "text/html", html), Unavailable, "Decode", 3},
		{"404 of a proxy", emulator.Body(404, "text/html", html), Unavailable, "Decode", 1},
		{"500 without a code", refusal(500, "", `{}`), Unavailable, "UnknownError", 3},
		{"300, which is no success", refusal(300, "", `{}`), Unavailable, "UnknownError", 1},
		{"redirect", refusal(301, "", `{}`), Unavailable, "UnknownError", 1},
		{"code in the header, body not JSON", refusal(404, "ResourceNotFoundException:http://x/", html), NotFound, "ResourceNotFoundException", 1},
		{"code in the body", refusal(400, "", `{"code":"ResourceNotFoundException"}`), NotFound, "ResourceNotFoundException", 1},
		{"type in the body", refusal(400, "", `{"__type":"com.amazon#ResourceNotFoundException"}`), NotFound, "ResourceNotFoundException", 1},
		{"code that is none", emulator.Error(400, "a b/c", "x"), BadRequest, "Other", 1},
		{"connection reset", emulator.Reset(""), Unavailable, "Network", 3},
		{"connection lost in the answer", emulator.Reset(`{"workflow`), Unavailable, "Decode", 1},
		{"hangs", emulator.Hang(), Unavailable, "Timeout", 1},
		{"200 with HTML", emulator.Body(200, "text/html", html), Unavailable, "Decode", 1},
		{"200 with truncated JSON", answer(referenceAnswer[:100]), Unavailable, "Decode", 1},
		{"200 with a number for a string", answer(`{"workflowExecutionId":7}`), Invalid, "Decode", 1},
		{"200 with a string for a number", answer(`{"totalStepCount":"7"}`), Invalid, "Decode", 1},
		{"200 with a list", answer(`[]`), Invalid, "Decode", 1},
		{"200 that is too large", answer(`{"message":"` + strings.Repeat("x", maxResponseBytes) + `"}`), Invalid, "Decode", 1},
		{"200 with nothing", answer(""), Invalid, "", 1},
		{"200 with null", answer("null"), Invalid, "", 1},
		{"200 with an empty object", answer("{}"), Invalid, "", 1},
		{"200 without a status", answer(`{"workflowExecutionId":"` + testID + `"}`), Invalid, "", 1},
		{"200 about another execution", answer(strings.Replace(referenceAnswer, "wf-1", "wf-2", 1)), Invalid, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, reg := newTestClient(t, always(c.fault))
				_, err := client.GetWorkflowExecution(t.Context(), testID, nil)
				if !errors.Is(err, c.class) || ClassOf(err) != c.class {
					t.Errorf("got %v, want class %s", err, c.class)
				}
				if got := total(t, reg, "imagebuilder_exporter_api_requests_total", ""); got != c.attempts {
					t.Errorf("%d attempts were counted, want %d", got, c.attempts)
				}
				failed := 0
				if c.code != "" {
					failed = c.attempts
				}
				if got := total(t, reg, "imagebuilder_exporter_api_errors_total", c.code); got != failed {
					t.Errorf("%d failed attempts with code %q were counted, want %d", got, c.code, failed)
				}
			})
		})
	}
}

// brokenBody is an answer whose connection breaks.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("connection reset by peer") }

func (brokenBody) Close() error { return nil }

func TestAConnectionThatBreaksInTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newAnswersClient(t, "GetWorkflowExecution", roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: brokenBody{}, Request: r}, nil
		}))
		if _, err := client.GetWorkflowExecution(t.Context(), testID, nil); !errors.Is(err, Unavailable) {
			t.Errorf("%v, want class %s", err, Unavailable)
		}
	})
}

// TestCredentialsRefused tells what is about the credentials from what they do not allow.
func TestCredentialsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.Handler
		want   bool
	}{
		{"an expired token", emulator.Error(403, "ExpiredTokenException", ""), true},
		{"a key that is not known", emulator.Error(403, "UnrecognizedClientException", ""), true},
		{"a wrong signature, told by its code alone", emulator.Error(400, "IncompleteSignature", ""), true},
		{"401 without a code", emulator.Body(401, "application/json", "{}"), true},
		{"403 without a code", emulator.Body(403, "application/json", "{}"), false},
		{"an operation that is not allowed", emulator.Error(403, "AccessDeniedException", ""), false},
		{"a subject of somebody else", emulator.Error(403, "ForbiddenException", ""), false},
		{"an action that is not authorized", emulator.Error(400, "NotAuthorized", ""), false},
		{"something else", emulator.Error(400, "ClientException", ""), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, _ := newTestClient(t, always(c.answer))
			_, err := client.GetWorkflowExecution(t.Context(), testID, nil)
			if got := CredentialsRefused(err); got != c.want || err == nil {
				t.Errorf("%s: %t, want %t, for %v", c.name, got, c.want, err)
			}
		})
	}
	if !CredentialsRefused(&Error{Operation: Authenticate, Class: Denied, Err: errNoCredentials}) {
		t.Error("no credentials are not told")
	}
}

func TestCodesThatDecideAlone(t *testing.T) {
	type decision struct {
		class       Class
		refusal, ok bool
	}
	for want, codes := range map[decision]string{
		{NotFound, false, true}: "ResourceNotFoundException resourcenotfoundexceptions",
		{Denied, true, true}:    "AccessDenied AccessDeniedException ForbiddenException NotAuthorized",
		{Denied, false, true}: "ExpiredToken ExpiredTokenException RequestExpired UnrecognizedClientException InvalidSignatureException " +
			"SignatureDoesNotMatch IncompleteSignature OptInRequired MissingAuthenticationToken InvalidClientTokenId",
		{Throttled, false, true}: "CallRateLimitExceededException Throttling ThrottlingException TooManyRequestsException SlowDown",
		{Unavailable, false, true}: "ServiceException ServiceUnavailable ServiceUnavailableException InternalFailure " +
			"InternalServerError RequestTimeout RequestTimeoutException",
		{"", false, false}: "ClientException InvalidRequestException XAccessDenied NoServiceException UnknownError",
	} {
		for code := range strings.FieldsSeq(codes) {
			if class, refusal, ok := classOfCode(code); (decision{class, refusal, ok}) != want {
				t.Errorf("%s: class %q, refusal %t, %t; want %+v", code, class, refusal, ok, want)
			}
		}
	}
}
