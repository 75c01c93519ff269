// Package logging creates the logger of the program. A log that nobody reads never blocks the program,
// and no line contains hidden characters. Start reading with New.
package logging

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	sloggokit "github.com/tjhop/slog-gokit"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

const (
	// waitingLines is how many lines may wait to be written.
	waitingLines = 1000
	// flushTime is how long Close waits for them.
	flushTime = time.Second
)

// Log writes log lines without blocking. If nobody reads them, or not fast enough, new lines are
// dropped, and their number is logged later.
type Log struct {
	Logger log.Logger
	// Slog writes the same lines to the same place, for libraries that want it.
	Slog *slog.Logger

	w       io.Writer
	lines   chan []byte
	dropped atomic.Int64
	closed  chan struct{} // by Close
	written chan struct{} // closed when the last line was written
}

// New returns a Log for messages of the level debug, info, warn or error, and above. It writes
// logfmt, or JSON, to w. Call Close to end it.
func New(lowest string, json bool, w io.Writer) *Log {
	l := &Log{w: w, lines: make(chan []byte, waitingLines), closed: make(chan struct{}), written: make(chan struct{})}
	base := log.NewLogfmtLogger(writer{l})
	if json {
		base = log.NewJSONLogger(writer{l})
	}
	base = level.NewFilter(base, level.Allow(level.ParseDefault(lowest, level.InfoValue())))
	var threshold slog.LevelVar
	_ = threshold.UnmarshalText([]byte(lowest)) // slog knows the same four names
	l.Slog = slog.New(sloggokit.NewGoKitHandler(base, &threshold))
	l.Logger = log.With(base, "time", log.DefaultTimestampUTC, "caller", log.DefaultCaller)
	go l.write()
	return l
}

// Close waits for at most flushTime until all lines are written. Later lines are lost.
func (l *Log) Close() {
	close(l.closed)
	select {
	case <-l.written:
	case <-time.After(flushTime):
	}
}

// writer takes in lines. It never blocks, and may be called concurrently.
type writer struct{ l *Log }

// Write implements io.Writer. Each call is one line, in which nothing may stay hidden: the
// formats leave some characters as they are that a terminal carries out.
func (w writer) Write(p []byte) (int, error) {
	select {
	case w.l.lines <- slices.Clone(printable.Record(p)):
	default:
		w.l.dropped.Add(1)
	}
	return len(p), nil
}

// write writes the lines, until Close and then those that wait. What cannot be written,
// because the disk is full or the reader has gone, is lost.
func (l *Log) write() {
	defer close(l.written)
	for {
		select {
		case line := <-l.lines:
			l.writeLine(line)
			continue
		case <-l.closed:
		}
		select {
		case line := <-l.lines:
			l.writeLine(line)
		default:
			return
		}
	}
}

func (l *Log) writeLine(line []byte) {
	if n := l.dropped.Swap(0); n > 0 {
		_, _ = fmt.Fprintf(l.w, "level=warn msg=\"lines of the log were dropped, for nobody read them\" lines=%d\n", n)
	}
	_, _ = l.w.Write(line)
}
