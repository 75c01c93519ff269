package exposition

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// format is how an answer is written.
type format struct {
	variant
	encoding expfmt.Format // also of what is live: its labels may have names that are escaped
}

// variant is what the bytes of a segment depend on. The versions of a text format, and the
// escaping schemes other than dots, differ in nothing that a batch has.
type variant struct {
	kind expfmt.FormatType // TypeOpenMetrics or TypeTextPlain
	gzip bool
}

// formatOf returns the format of the answer to r that has this header of promhttp. It reports
// false when answers in that format are not put together.
func formatOf(r *http.Request, header http.Header) (format, bool) {
	f := format{encoding: expfmt.Format(header.Get("Content-Type"))}
	f.kind = f.encoding.FormatType()
	compression := header.Get("Content-Encoding")
	f.gzip = compression == "gzip"
	return f, r.Method == http.MethodGet && (f.gzip || compression == "") &&
		(f.kind == expfmt.TypeOpenMetrics || f.kind == expfmt.TypeTextPlain) &&
		f.encoding.ToEscapingScheme() != model.DotsEscaping
}

// text returns the text of each family of g, by its name.
func (f format) text(g prometheus.Gatherer) (map[string][]byte, error) {
	families, err := g.Gather()
	if err != nil {
		return nil, fmt.Errorf("gathering: %w", err)
	}
	return f.encode(new(bytes.Buffer), families)
}

// encode writes the text of families, and returns that of each by its name.
func (f format) encode(text *bytes.Buffer, families []*dto.MetricFamily) (map[string][]byte, error) {
	encoder := expfmt.NewEncoder(text, f.encoding)
	ends := make([]int, len(families))
	for i, family := range families {
		if err := encoder.Encode(family); err != nil {
			return nil, fmt.Errorf("encoding %s: %w", family.GetName(), err)
		}
		ends[i] = text.Len()
	}
	all, begin := make(map[string][]byte, len(families)), 0
	for i, family := range families {
		all[family.GetName()] = text.Bytes()[begin:ends[i]]
		begin = ends[i]
	}
	return all, nil
}

// end returns what ends an answer, which is nothing in the older format.
func (f format) end() []byte {
	var text bytes.Buffer
	if closer, ok := expfmt.NewEncoder(&text, f.encoding).(expfmt.Closer); ok {
		_ = closer.Close() // a bytes.Buffer takes everything
	}
	return text.Bytes()
}

// cut returns the lines above the rows of a family, which begin with #, and the rows, which do
// not.
func cut(family []byte) (head, rows []byte) {
	rows = family
	for bytes.HasPrefix(rows, []byte("#")) {
		_, rows, _ = bytes.Cut(rows, []byte("\n"))
	}
	return family[:len(family)-len(rows)], rows
}
