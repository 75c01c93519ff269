package status

import (
	"mime"
	"strconv"
	"strings"
)

// isBrowser reports whether a client asks for HTML by its name.
func isBrowser(accept []string) bool { return strings.Contains(strings.Join(accept, ","), "text/html") }

// wantsJSON reports whether a client prefers JSON to HTML (RFC 9110, 12.5.1). Without a
// preference it gets the page.
func wantsJSON(accept []string) bool {
	quality := map[string]float64{}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		if quality[kind], err = strconv.ParseFloat(parameters["q"], 64); err != nil {
			quality[kind] = 1
		}
	}
	of := func(kinds ...string) float64 {
		for _, k := range kinds {
			if q, ok := quality[k]; ok {
				return q
			}
		}
		return 0
	}
	return of("application/json", "application/*", "*/*") > of("text/html", "text/*", "*/*")
}
