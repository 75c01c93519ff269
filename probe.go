package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

// Probe answers a scrape of one target in one region as ServeHTTP answers one of all, but
// without the exporter's own metrics. It answers 400 to a request that does not name exactly one
// target and region, and 404 when they are not in the configuration.
func (e *Exporter) Probe(w http.ResponseWriter, r *http.Request) {
	target, region, err := probed(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error()+": /probe needs target and region, each once, and takes name[]", http.StatusBadRequest)
		return
	}
	sources, release, ok := e.targets.AcquireOne(target, region)
	if !ok {
		http.Error(w, fmt.Sprintf("this exporter has no target %s in region %s", shown(target), shown(region)), http.StatusNotFound)
		return
	}
	defer release()
	e.answer(w, r, e.probes, sources)
}

// probed returns the target and the region that a query asks for. The error says what is wrong
// with it.
func probed(query string) (target, region string, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", "", errors.New("the query cannot be read")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains([]string{"target", "region", "name[]"}, name) {
			return "", "", fmt.Errorf("there is no parameter %s", shown(name))
		}
	}
	for _, name := range []string{"target", "region"} {
		switch n := len(values[name]); {
		case n > 1:
			return "", "", fmt.Errorf("%s is given %d times", name, n)
		case values.Get(name) == "":
			return "", "", fmt.Errorf("%s is missing", name)
		}
	}
	return values.Get("target"), values.Get("region"), nil
}

// shown returns what an answer shows of a text that a client has sent.
func shown(text string) string {
	const most = 200
	return `"` + printable.Line(text, most) + `"`
}
