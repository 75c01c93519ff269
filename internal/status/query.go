package status

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// pageSize is how many executions of a target are on one page.
const pageSize = 200

// query says what to show. An empty filter lets everything through.
type query struct {
	Target, Status, Pipeline, Text string // filters
	Sort                           string // the name of a column
	Descending                     bool
	Page                           int // from 1
	Refresh                        int // seconds, 0 for never
}

// parameters are those of the page, with how each is read. The text of an error follows the
// parameter's name: "must be …".
var parameters = map[string]func(*query, string) error{
	"target":   func(q *query, v string) error { q.Target = v; return nil },
	"status":   func(q *query, v string) error { q.Status = v; return nil },
	"pipeline": func(q *query, v string) error { q.Pipeline = v; return nil },
	"q":        func(q *query, v string) error { q.Text = v; return nil },
	"sort": func(q *query, v string) error {
		if q.Sort = v; comparison(v) == nil {
			return fmt.Errorf("must be one of %s", strings.Join(sortable(), ", "))
		}
		return nil
	},
	"order": func(q *query, v string) error {
		if q.Descending = v == "desc"; v != "asc" && v != "desc" {
			return fmt.Errorf("must be asc or desc")
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
		return query{}, fmt.Errorf("the query cannot be read: %w", err)
	}
	q := query{Sort: "started", Descending: values.Get("sort") == "", Page: 1}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		read := parameters[name]
		if read == nil {
			return query{}, fmt.Errorf("the parameter %q is unknown; allowed are %s", name, strings.Join(slices.Sorted(maps.Keys(parameters)), ", "))
		}
		if len(values[name]) > 1 {
			return query{}, fmt.Errorf("the parameter %q must be given once", name)
		}
		if v := values[name][0]; v != "" { // a form sends what is not filled in, too
			if err := read(&q, v); err != nil {
				return query{}, fmt.Errorf("the parameter %q %w", name, err)
			}
		}
	}
	return q, nil
}

// Filtered reports whether something is left out.
func (q query) Filtered() bool {
	return q.Target != "" || q.Status != "" || q.Pipeline != "" || q.Text != ""
}

// With returns the address of the same page with one parameter changed, or without it
// when the value is empty; without a name, the same. Another order or filter begins at
// the first page.
func (q query) With(name string, value any) string {
	v := url.Values{}
	set := func(name, value string) {
		v.Del(name)
		if value != "" {
			v.Set(name, value)
		}
	}
	set("target", q.Target)
	set("status", q.Status)
	set("pipeline", q.Pipeline)
	set("q", q.Text)
	if q.Sort != "started" || !q.Descending {
		set("sort", q.Sort)
		set("order", order(q.Descending))
	}
	if q.Refresh > 0 {
		set("refresh", strconv.Itoa(q.Refresh))
	}
	if q.Page > 1 && (name == "" || name == "refresh") {
		set("page", strconv.Itoa(q.Page))
	}
	if name == "sort" {
		column := fmt.Sprint(value)
		set("order", order(column == q.Sort && !q.Descending))
	}
	if name != "" {
		set(name, fmt.Sprint(value))
	}
	return "?" + v.Encode()
}

func order(descending bool) string {
	if descending {
		return "desc"
	}
	return "asc"
}
