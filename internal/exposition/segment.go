package exposition

import (
	"bytes"
	"compress/flate"
	"io"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
)

// segment is the rows that a batch has in one family.
type segment struct {
	head []byte // # HELP and # TYPE of the family
	data []byte // the rows, as they are sent
	sum  sum    // of the rows
}

// render returns the segments of a batch by the name of their families.
func (f format) render(b *collector.Settled) (map[string]*segment, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(b)
	families, err := f.text(registry)
	switch {
	case err != nil:
		return nil, err
	case b.Panicked:
		return nil, errPanicked
	}
	all := make(map[string]*segment, len(families))
	for name, text := range families {
		head, rows := cut(text)
		all[name] = &segment{head: bytes.Clone(head), data: f.pack(rows), sum: sumOf(rows)}
	}
	return all, nil
}

// pack returns text as it is sent.
func (f format) pack(text []byte) []byte {
	if !f.gzip {
		return bytes.Clone(text)
	}
	var data bytes.Buffer
	w := thorough.get(&data)
	defer thorough.Put(w)
	_, _ = w.Write(text) // a bytes.Buffer takes everything
	_ = w.Flush()
	return bytes.Clone(data.Bytes())
}

// compressors are flate.Writers that are used again, for each has a megabyte.
type compressors struct{ sync.Pool }

// What is kept is compressed well, and what is live fast.
var (
	thorough = newCompressors(flate.DefaultCompression)
	fast     = newCompressors(flate.BestSpeed)
)

func newCompressors(level int) *compressors {
	return &compressors{sync.Pool{New: func() any {
		w, err := flate.NewWriter(nil, level)
		if err != nil {
			panic(err) // there is no such level
		}
		return w
	}}}
}

// get returns a compressor with an empty dictionary.
func (c *compressors) get(to io.Writer) *flate.Writer {
	w := c.Get().(*flate.Writer)
	w.Reset(to)
	return w
}
