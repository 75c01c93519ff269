package imagebuilder

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
)

// counts are the numbers of answers that are read. The SDK cuts them to 32 bits without an
// error, so that 4294967303 becomes 7, and refuses a whole list for a fraction in one row.
var counts = map[string]bool{
	"totalStepCount":      true,
	"totalStepsSucceeded": true,
	"totalStepsFailed":    true,
	"totalStepsSkipped":   true,
	"consecutiveFailures": true,
	"failureCount":        true,
	"timeoutSeconds":      true,
}

// maxCountKey is the length of the longest of counts when each character is escaped.
const maxCountKey = len(`\u0000`) * len("totalStepsSucceeded")

// countReader passes JSON text on. In place of a count that is no whole number of 32 bits
// it passes on -1, which no count can be.
type countReader struct {
	io.ReadCloser
	ready []byte // has been checked, and is to be passed on
	err   error  // comes after ready

	inString, escaped bool
	text              []byte // the last string, as far as it may be a key of counts
	counting          bool   // whether a count comes next
	number            []byte // the count that is being read, as far as it has come
}

// Read passes on what has come. It waits for more only in the middle of a count.
func (r *countReader) Read(p []byte) (int, error) {
	for len(p) > 0 && len(r.ready) == 0 && r.err == nil {
		var n int
		n, r.err = r.ReadCloser.Read(p)
		r.ready = r.ready[:0]
		for in := p[:n]; len(in) > 0; {
			in = in[r.take(in):]
		}
		if r.err != nil {
			r.endNumber()
		}
	}
	n := copy(p, r.ready)
	if r.ready = r.ready[n:]; len(r.ready) > 0 {
		return n, nil
	}
	return n, r.err
}

// take takes some of what has come in, and returns how many bytes.
func (r *countReader) take(in []byte) (n int) {
	switch b := in[0]; {
	case r.inString:
		n = r.takeText(in)
	case r.counting && (b == '-' || b == '+' || b == '.' || b == 'e' || b == 'E' || '0' <= b && b <= '9'):
		r.number = append(r.number, b)
		return 1
	default:
		r.endNumber()
		r.takeSign(b)
		n = 1
	}
	r.ready = append(r.ready, in[:n]...)
	return n
}

// takeText takes some of a string in, or its end.
func (r *countReader) takeText(in []byte) (n int) {
	n = 1
	switch {
	case r.escaped:
		r.escaped = false
	case in[0] == '"':
		r.inString = false
		return n
	case in[0] == '\\':
		r.escaped = true
	default:
		if n = bytes.IndexAny(in, `"\`); n < 0 {
			n = len(in)
		}
	}
	r.text = append(r.text, in[:max(0, min(n, maxCountKey+1-len(r.text)))]...)
	return n
}

// takeSign takes in what stands between strings and counts.
func (r *countReader) takeSign(b byte) {
	switch b {
	case '"':
		r.inString, r.counting, r.text = true, false, r.text[:0]
	case ':':
		r.counting = isCount(r.text)
	case ' ', '\t', '\n', '\r':
	default:
		r.counting = false
	}
}

// isCount reports whether the key of an object, as it is written, is one of counts.
func isCount(key []byte) bool {
	if len(key) > maxCountKey {
		return false
	}
	if bytes.IndexByte(key, '\\') < 0 {
		return counts[string(key)]
	}
	var unescaped string
	quoted := append(append([]byte{'"'}, key...), '"')
	return json.Unmarshal(quoted, &unescaped) == nil && counts[unescaped]
}

// endNumber passes on the number that has been read, if there is one. What is no JSON stays
// as it is.
func (r *countReader) endNumber() {
	if len(r.number) == 0 {
		return
	}
	if _, err := strconv.ParseInt(string(r.number), 10, 32); err != nil && json.Valid(r.number) {
		r.number = append(r.number[:0], "-1"...)
	}
	r.ready = append(r.ready, r.number...)
	r.number, r.counting = r.number[:0], false
}
