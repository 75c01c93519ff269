package logging

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/go-kit/log/level"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

func TestLevelsAndFormats(t *testing.T) {
	for lowest, want := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1} {
		for _, asJSON := range []bool{false, true} {
			var text bytes.Buffer
			l := New(lowest, asJSON, &text)
			for _, logger := range []func(string){
				func(m string) { level.Debug(l.Logger).Log("msg", m) }, func(m string) { level.Info(l.Logger).Log("msg", m) },
				func(m string) { level.Warn(l.Logger).Log("msg", m) }, func(m string) { level.Error(l.Logger).Log("msg", m) },
			} {
				logger("ours")
			}
			for _, lv := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
				l.Slog.Log(t.Context(), lv, "theirs")
			}
			l.Close()
			l.Logger.Log("msg", "after the end")
			if n, m := strings.Count(text.String(), "ours"), strings.Count(text.String(), "theirs"); n != want || m != want {
				t.Errorf("%s: %d lines of ours and %d of libraries, want %d:\n%s", lowest, n, m, want, &text)
			}
			for line := range strings.Lines(text.String()) {
				if json.Valid([]byte(line)) != asJSON || !strings.Contains(line, "logging_test.go:") {
					t.Errorf("JSON %t: %s", asJSON, line)
				}
			}
		}
	}
}

// TestNothingIsHidden in what others have said.
func TestNothingIsHidden(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var text bytes.Buffer
		l := New("info", asJSON, &text)
		l.Logger.Log("msg", "said", "err", "a\x1b[31m\n\u009b\u202eb\x7f\xff", "plain", "a\u202eb")
		l.Close()
		line := strings.TrimSuffix(text.String(), "\n")
		if !utf8.ValidString(line) || strings.ContainsFunc(line, printable.Hidden) || strings.Count(line, `\u202e`) != 2 {
			t.Errorf("JSON %t: %q", asJSON, line)
		}
		if asJSON != json.Valid([]byte(line)) {
			t.Errorf("JSON %t: %s", asJSON, line)
		}
	}
}

var dropped = regexp.MustCompile(`were dropped, for nobody read them" lines=([0-9]+)\n`)

// TestNobodyReads holds that the log holds up nothing, and says what is missing.
func TestNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, w := io.Pipe()
		l := New("info", false, w)
		const lines = 3 * waitingLines
		for range lines {
			l.Logger.Log("msg", "a line")
		}
		synctest.Wait()
		var text bytes.Buffer
		read := make(chan struct{})
		go func() {
			defer close(read)
			_, _ = io.Copy(&text, reader)
		}()
		synctest.Wait()
		l.Logger.Log("msg", "the last")
		l.Close()
		w.Close()
		<-read
		got := strings.Count(text.String(), `msg="a line"`)
		if got < waitingLines || got > waitingLines+1 || !strings.HasSuffix(text.String(), "the last\"\n") {
			t.Errorf("%d lines are written", got)
		}
		missing := 0
		for _, told := range dropped.FindAllStringSubmatch(text.String(), -1) { // perhaps more than once
			n, _ := strconv.Atoi(told[1])
			missing += n
		}
		if missing != lines-got {
			t.Errorf("it says that %d lines are missing, want %d:\n%s", missing, lines-got, text.String()[:300])
		}

		reader, w = io.Pipe()
		l = New("info", false, w)
		l.Logger.Log("msg", "nobody reads this")
		begin := time.Now()
		l.Close()
		if took := time.Since(begin); took != flushTime {
			t.Errorf("Close took %s, want %s", took, flushTime)
		}
		reader.Close() // lets the writer go
	})
}
