package check

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

// answer is what an API says instead.
func answer(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// TestWhatAWSSaysIsPrintedSafely has answers that would change what a terminal shows, or add
// lines to it.
func TestWhatAWSSaysIsPrintedSafely(t *testing.T) {
	const denial = `{"__type":"AccessDeniedException","message":"`
	caller := func(arn string) string {
		return "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>" + arn + "</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"
	}
	for _, c := range []struct {
		name, operation string
		answer          http.Handler
	}{
		{"a colour", "GetWorkflowExecution", emulator.Error(403, "AccessDeniedException", "\x1b[32m  ok\x1b[0m \u009b1A")},
		{"a line of its own", "GetWorkflowExecution", emulator.Error(403, "AccessDeniedException", "no\n  ok       imagebuilder:GetImage\r\n")},
		{"another direction", "GetWorkflowExecution", emulator.Error(404, "ResourceNotFoundException", "\u202eon\u2066")},
		{"what has no width", "GetWorkflowExecution", emulator.Error(403, "AccessDeniedException", "n\u200bo\ufeff\U000e0041")},
		{"what is not UTF-8", "GetWorkflowExecution", answer(403, denial+"\xff\xfe\xed\xa0\x80\"}")},
		{"a megabyte", "GetWorkflowExecution", emulator.Error(403, "AccessDeniedException", strings.Repeat("no ", 1<<20/3))},
		{"a megabyte of escapes", "GetWorkflowExecution", emulator.Error(403, "AccessDeniedException", strings.Repeat("\x1b\u202e", 1<<20/4))},
		{"in the code", "GetWorkflowExecution", answer(403, `{"__type":"Access\u001b[2JDenied\u202e","message":"no"}`)},
		{"no JSON", "GetWorkflowExecution", answer(200, "\x1b]0;title\a\xff\u202e")},
		{"a role that is denied", "AssumeRole", answer(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>n&#10;o\u202e\u0085\xff</Message></Error></ErrorResponse>")},
		{"STS is down", "AssumeRole", answer(503, "\x1b[2J\u202e\xff")},
		{"who asks", "GetCallerIdentity", answer(200, caller("arn:aws:iam::111122223333:user/\u202ea\u0085&#10;b"))},
	} {
		synctest.Test(t, func(t *testing.T) {
			api, role := behindRole(web())
			api.Fault = func(operation, _ string) http.Handler {
				if operation == c.operation {
					return c.answer
				}
				return nil
			}
			if c.operation == "GetCallerIdentity" {
				role = imagebuilder.Role{}
			}
			var out bytes.Buffer
			Run(t.Context(), []Request{target(t, api, lookup.Selection{WorkflowExecutions: []string{id}}, role)}, &out)
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if len(lines) < 2 || len(lines) > 3 {
				t.Errorf("%s: want two lines or three, got\n%q", c.name, lines)
			}
			for _, line := range lines {
				if !utf8.ValidString(line) || strings.ContainsFunc(line, printable.Hidden) || len(line) > maxLine+len("…") {
					t.Errorf("%s: it is printed:\n%.2000q", c.name, line)
				}
			}
		})
	}
}
