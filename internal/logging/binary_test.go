package logging_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/deploy/demo-stack/stack"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
)

// TestALogThatCannotBeWritten scrapes while the disk of the log is full, and while nobody
// reads the log any more.
func TestALogThatCannotBeWritten(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) *os.File{
		"a full disk": fullDisk,
		"a reader that has gone": func(t *testing.T) *os.File {
			reader, writer := pipe(t)
			reader.Close()
			return writer
		},
		"a reader that does not read": func(t *testing.T) *os.File {
			_, writer := pipe(t)
			return writer
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			// Not a port of the system's own range, which a connection may take meanwhile: the
			// log, which tells the port, cannot be read here.
			address, err := stack.FreeAddress()
			if err != nil {
				t.Fatal(err)
			}
			c := binarytest.Command(ctx, t, "--demo", "--log.level=debug", "--web.listen-address="+address)
			file := open(t)
			c.Stderr = file
			p := binarytest.StartAt(t, c, address)
			file.Close()
			for range 1000 { // more than a pipe holds
				if status, _ := p.Do(t, http.MethodPost, "/-/reload"); status != http.StatusOK {
					t.Fatalf("POST /-/reload: %d", status)
				}
			}
			if body := p.Metrics(t); !strings.Contains(body, "imagebuilder_up") {
				t.Errorf("the metrics are\n%s", body)
			}
			p.Stop(t)
		})
	}
}

// fullDisk returns a file that takes nothing or, where there is none, one that nobody reads.
func fullDisk(t *testing.T) *os.File {
	t.Helper()
	if full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		return full
	}
	_, writer := pipe(t)
	return writer
}

// pipe returns the ends of a pipe. The reader is closed at the end of the test.
func pipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return reader, writer
}
