package emulator

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	maxPageSize   = 25
	tokenLifetime = time.Hour
)

// answer is a JSON object.
type answer map[string]any

// position is where a page begins: behind so many rows, and so many empty pages in
// front of the next rows.
type position struct{ rows, blanks int }

// turnTo goes to the page of a token, which the API has given out for the same list
// in the last hour. A list stays as it was at its first page.
func (q *request) turnTo(token string) error {
	if token == "" {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return badToken("it is not one of the emulator")
	}
	var at int64
	var p position
	if _, err := fmt.Sscanf(string(text), "%d/%d/%d/", &at, &p.rows, &p.blanks); err != nil {
		return badToken("it is not one of the emulator")
	}
	listed := time.Unix(0, at).UTC()
	switch age := q.now.Sub(listed); {
	case q.token(listed, p) != token:
		return badToken("it is of another list: the operation, its parameters and the caller must be those of the first page")
	case age < 0 || age > tokenLifetime:
		return badToken("it has expired")
	}
	q.now, q.position = listed, p
	return nil
}

// badToken refuses the token of a page.
func badToken(because string) error {
	return &refusal{http.StatusBadRequest, "InvalidPaginationTokenException", "The pagination token is not valid: " + because + "."}
}

// token returns the token of a page of this list.
func (q *request) token(listed time.Time, p position) string {
	text := fmt.Sprintf("%d/%d/%d/", listed.UnixNano(), p.rows, p.blanks)
	text += fmt.Sprintf("%x", digest(q.list(), text))
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// list identifies the list that is asked for.
func (q *request) list() string {
	filters, err := json.Marshal(q.input.Filters)
	if err != nil {
		panic(err) // only strings
	}
	of := q.input.Owner
	if q.input.IncludeDeprecated {
		of += " with deprecated"
	}
	role := ""
	if q.role != nil {
		role = q.role.ARN
	}
	return strings.Join([]string{q.name, role, q.signer.region, q.subject(), string(filters) + of}, "\n")
}

// row is an entry of a list. No two of them have one id.
type row interface{ id() string }

// page adds to body the rows of the page that q asks for, as they are shown, under a name,
// and the token of the next page, unless this is the last. What is "" is left out.
func page[T row, R any](q *request, body answer, name string, rows []T, show func(*T) R) (any, error) {
	size := maxPageSize
	if q.api.PageSize > 0 {
		size = min(size, q.api.PageSize)
	}
	if n := q.input.MaxResults; n != nil {
		if *n < 1 || *n > maxPageSize {
			return nil, invalid("maxResults", fmt.Sprintf("it must be from 1 to %d", maxPageSize))
		}
		size = min(size, *n)
	}
	from := min(q.position.rows, len(rows))
	to := min(from+size, len(rows))
	next := position{rows: to}
	if q.api.Unruly != 0 {
		seed := fmt.Sprint(q.api.Unruly, q.list())
		rows = slices.SortedFunc(slices.Values(rows), func(a, b T) int {
			return cmp.Compare(digest(seed, a.id()), digest(seed, b.id()))
		})
		if blanks := 1 + int(digest(seed, fmt.Sprint(from))%2); q.position.blanks < blanks {
			to, next = from, position{from, q.position.blanks + 1}
		}
	}
	shown := make([]R, 0, to-from)
	for i := from; i < to; i++ {
		shown = append(shown, show(&rows[i]))
	}
	body[name] = shown
	if next.rows < len(rows) || next.blanks > 0 {
		body["nextToken"] = q.token(q.now, next)
	}
	maps.DeleteFunc(body, func(_ string, v any) bool { return v == "" })
	return body, nil
}

// digest returns a number that looks random and is the same for the same texts.
func digest(texts ...string) uint64 {
	h := fnv.New64a()
	for _, t := range texts {
		_, _ = h.Write([]byte(t))
		_, _ = h.Write([]byte{0})
	}
	x := h.Sum64() // without the steps below, FNV maps similar texts to similar numbers
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// filter narrows a list to the rows that have one of these values.
type filter struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// filtered returns the rows that pass all filters of the request. The fields are by the names
// of filters.
func filtered[T any](q *request, rows []T, fields map[string]func(*T) []string) ([]T, error) {
	for _, f := range q.input.Filters {
		field := fields[f.Name]
		switch names := slices.Sorted(maps.Keys(fields)); {
		case field == nil:
			return nil, invalid("filters", fmt.Sprintf("there is no filter %q; %s has %s", f.Name, q.name, strings.Join(names, ", ")))
		case len(f.Values) == 0:
			return nil, invalid("filters", fmt.Sprintf("the filter %q has no values", f.Name))
		}
		rows = slices.DeleteFunc(slices.Clone(rows), func(row T) bool {
			return !slices.ContainsFunc(field(&row), func(v string) bool { return slices.Contains(f.Values, v) })
		})
	}
	return rows, nil
}
