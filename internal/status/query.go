package status

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// pageSize is how many rows of each list are on one page.
const pageSize = 100

// query says what to show. An empty filter lets everything through.
type query struct {
	Target, Region, Status, Pipeline, Text string // filters
	Sort                                   string // the name of a column
	Order                                  string // asc or desc
	Page                                   int    // from 1
	Refresh                                int    // seconds, 0 for never

	given url.Values // the parameters that were given and are not empty
}

// parameters are those of the page, with how each is read. The text of an error follows the
// parameter's name: "must be …".
var parameters = map[string]func(*query, string) error{
	"target":   func(q *query, v string) error { q.Target = v; return nil },
	"region":   func(q *query, v string) error { q.Region = v; return nil },
	"status":   func(q *query, v string) error { q.Status = v; return nil },
	"pipeline": func(q *query, v string) error { q.Pipeline = v; return nil },
	"q":        func(q *query, v string) error { q.Text = v; return nil },
	"sort": func(q *query, v string) error {
		if q.Sort = v; comparisons[v] == nil {
			return fmt.Errorf("must be one of %s", sortedKeys(comparisons))
		}
		return nil
	},
	"order": func(q *query, v string) error {
		if q.Order = v; v != "asc" && v != "desc" {
			return errors.New("must be asc or desc")
		}
		return nil
	},
	"page":    func(q *query, v string) error { return parseInt(&q.Page, v, 1, 100000) },
	"refresh": func(q *query, v string) error { return parseInt(&q.Refresh, v, 5, 3600) },
}

func parseInt(to *int, s string, least, most int) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		return fmt.Errorf("must be a whole number from %d to %d", least, most)
	}
	*to = n
	return nil
}

// parseQuery reads the parameters of a request. The error is a sentence for the client.
func parseQuery(raw string) (query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return query{}, fmt.Errorf("invalid query string: %w", err)
	}
	q := query{Sort: "started", Order: "desc", Page: 1, given: values}
	if values.Get("sort") != "" {
		q.Order = "asc"
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		read := parameters[name]
		if read == nil {
			return query{}, fmt.Errorf("unknown parameter %q; allowed are %s", name, sortedKeys(parameters))
		}
		if len(values[name]) > 1 {
			return query{}, fmt.Errorf("parameter %q must be given only once", name)
		}
		if values.Get(name) == "" {
			values.Del(name) // a form sends what is not filled in, too
		} else if err := read(&q, values.Get(name)); err != nil {
			return query{}, fmt.Errorf("parameter %q %w", name, err)
		}
	}
	return q, nil
}

// Filtered reports whether something is left out.
func (q query) Filtered() bool {
	return cmp.Or(q.Target, q.Region, q.Status, q.Pipeline, q.Text) != ""
}

// With returns the address of the same page with one parameter changed, or without it
// when the value is empty; without a name, the same. Another order or filter begins at
// the first page.
func (q query) With(name string, value any) string {
	v := maps.Clone(q.given)
	if name != "" && name != "refresh" {
		v.Del("page")
	}
	if name == "sort" {
		v.Set("order", "asc")
		if value == q.Sort && q.Order == "asc" {
			v.Set("order", "desc")
		}
	}
	switch text := fmt.Sprint(value); {
	case text == "":
		v.Del(name)
	case name != "":
		v.Set(name, text)
	}
	return "?" + v.Encode()
}

func sortedKeys[T any](m map[string]T) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
