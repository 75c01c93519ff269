package imagebuilder

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestTheLargestAnswer(t *testing.T) {
	for size, want := range map[int64]error{9: nil, 10: nil, 11: errTooLarge, 1000: errTooLarge} {
		body := &boundedBody{ReadCloser: io.NopCloser(strings.NewReader(strings.Repeat("x", int(size)))), left: 10}
		if _, err := io.ReadAll(body); !errors.Is(err, want) {
			t.Errorf("of 10 bytes at most, %d are read: %v, want %v", size, err, want)
		}
	}
}
