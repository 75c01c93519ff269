// Package printable prepares text for people. It escapes what others wrote, so that it is safe on a
// terminal, in the log and in an answer, and it counts things in words. It imports no other package of
// this module. Start with Line.
package printable

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Hidden reports whether r does not show as a character: control characters, line ends, what
// changes the direction of text, and characters without width. Joiners are not hidden, because some
// scripts and emoji need them; neither are spaces.
func Hidden(r rune) bool {
	const joiner, nonJoiner = '\u200d', '\u200c'
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && r != joiner && r != nonJoiner
}

// Line returns text as one line of at most limit bytes without hidden characters: they, and bytes
// that are not UTF-8, are escaped as in a Go string, \n or \u202e. A text that is cut off ends with
// an ellipsis.
func Line(text string, limit int) string {
	if clean(text) && len(text) <= limit {
		return text
	}
	var line strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		shown := escaped(r, text[i:i+size])
		if line.Len()+len(shown) > limit {
			return line.String() + "…"
		}
		line.WriteString(shown)
		i += size
	}
	return line.String()
}

// Record returns a line of JSON or logfmt without hidden characters, except for its line end. They
// are escaped as in JSON.
func Record(line []byte) []byte {
	body, end := bytes.CutSuffix(line, []byte("\n"))
	if clean(string(body)) {
		return line
	}
	var record []byte
	for _, r := range string(body) { // what is not UTF-8 is U+FFFD
		if !Hidden(r) {
			record = utf8.AppendRune(record, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			record = fmt.Appendf(record, `\u%04x`, unit)
		}
	}
	if end {
		record = append(record, '\n')
	}
	return record
}

// Count returns a number with its noun, in the plural unless n is 1: "1 target", "2 targets". It adds
// an s to form the plural.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func clean(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, Hidden)
}

// escaped returns how r is shown, which text has as its encoding.
func escaped(r rune, text string) string {
	switch {
	case r == utf8.RuneError && len(text) == 1:
		return fmt.Sprintf(`\x%02x`, text[0])
	case !Hidden(r):
		return text
	}
	quoted := fmt.Sprintf("%q", text)
	return quoted[1 : len(quoted)-1]
}
