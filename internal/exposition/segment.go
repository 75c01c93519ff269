package exposition

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
)

// segment is the rows that a batch has in one family.
type segment struct {
	head []byte // # HELP and # TYPE of the family
	data []byte // the rows, as they are sent
	sum  sum    // of the rows
}

// render returns the segments of a batch by the name of their families.
func (f format) render(b *collector.Batch) (map[string]*segment, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(b)
	families, err := registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gathering: %w", err)
	}
	for _, family := range families {
		slices.SortStableFunc(family.Metric, bySubject)
	}
	text := texts.Get().(*bytes.Buffer)
	text.Reset()
	defer texts.Put(text)
	byName, err := f.encode(text, families)
	if err != nil {
		return nil, err
	}
	all := make(map[string]*segment, len(byName))
	for name, family := range byName {
		head, rows := cut(family)
		all[name] = &segment{head: bytes.Clone(head), data: f.pack(rows), sum: sumOf(rows)}
	}
	return all, nil
}

// bySubject orders rows so that rows about one execution or image are adjacent, which takes a
// quarter off the compressed text. A registry orders them by status before that.
func bySubject(a, b *dto.Metric) int {
	return strings.Compare(subject(a), subject(b))
}

// subject returns the label of a metric that says what it is about, empty for none.
func subject(m *dto.Metric) string {
	for _, l := range m.GetLabel() {
		if name := l.GetName(); name == "workflow_execution_id" || name == "image_build_version_arn" {
			return l.GetValue()
		}
	}
	return ""
}

// pack returns text as it is sent.
func (f format) pack(text []byte) []byte {
	if !f.gzip {
		return bytes.Clone(text)
	}
	var data bytes.Buffer
	w := newCompressor(&data)
	defer release(w)
	_, _ = w.Write(text) // a bytes.Buffer takes everything
	_ = w.Flush()
	return bytes.Clone(data.Bytes())
}

// texts are buffers that are used again: growing one takes as long as compressing what is in it.
var texts = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// compressors are flate.Writers to reuse, because each needs a megabyte. A better level than
// the fastest one takes a twentieth off the compressed text, for two to three times the time.
var compressors = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // there is no such level
	}
	return w
}}

// release gives a compressor back, which keeps nothing of where it has written to.
func release(w *flate.Writer) {
	w.Reset(io.Discard)
	compressors.Put(w)
}

// newCompressor returns a compressor with an empty dictionary.
func newCompressor(to io.Writer) *flate.Writer {
	w := compressors.Get().(*flate.Writer)
	w.Reset(to)
	return w
}
