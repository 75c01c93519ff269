package printable

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain text", "AccessDenied: no, größer, 日本", "AccessDenied: no, größer, 日本"},
		{"an empty text", "", ""},
		{"colours of a terminal", "\x1b[31mred\u009b0m", `\x1b[31mred\u009b0m`},
		{"line ends", "a\nb\r\nc\u2028d\u0085", `a\nb\r\nc\u2028d\u0085`},
		{"a tab, a bell and a zero", "a\tb\ac\x00\x7f", `a\tb\ac\x00\x7f`},
		{"another direction", "a\u202eb\u2066c\u200f", `a\u202eb\u2066c\u200f`},
		{"what has no width", "a\u200bb\ufeff\U000e0041", `a\u200bb\ufeff\U000e0041`},
		{"joiners and other spaces", "a\u200db\u200c\u00a0", "a\u200db\u200c\u00a0"},
		{"what is not UTF-8", "a\xffb\xed\xa0\x80", `a\xffb\xed\xa0\x80`},
		{"the sign for what is not UTF-8", "a\ufffd", "a\ufffd"},
		{"a backslash", `a\nb`, `a\nb`},
		{"what is too long", strings.Repeat("ä", 50), strings.Repeat("ä", 20) + "…"},
		{"what is too long when it is escaped", strings.Repeat("\x1b", 40), strings.Repeat(`\x1b`, 10) + "…"},
	} {
		if diff := cmp.Diff(c.want, Line(c.text, 40)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestALongTextIsCheap holds that no more is read than is shown.
func TestALongTextIsCheap(t *testing.T) {
	text := strings.Repeat("\x1b", 64<<20)
	if allocated := testing.AllocsPerRun(1, func() { Line(text, 400) }); allocated > 1000 {
		t.Errorf("%v allocations for 400 bytes", allocated)
	}
}

func TestRecord(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"plain", "msg=größer\n", "msg=größer\n"},
		{"without a line end", `{"a":1}`, `{"a":1}`},
		{"a line end within", "a\nb\n", "a\\u000ab\n"},
		{"another direction", "{\"a\":\"b\u202e\u009bc\"}\n", `{"a":"b\u202e\u009bc"}` + "\n"},
		{"beyond 16 bits", "{\"a\":\"\U000e0041\"}\n", `{"a":"\udb40\udc41"}` + "\n"},
		{"what is not UTF-8", "{\"a\":\"\xff\"}\n", "{\"a\":\"\ufffd\"}\n"},
	} {
		got := string(Record([]byte(c.line)))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if strings.HasPrefix(c.line, "{") && !json.Valid([]byte(got)) {
			t.Errorf("%s: %s is no JSON", c.name, got)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 targets", 1: "1 target", 2: "2 targets"} {
		if got := Count(n, "target"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
