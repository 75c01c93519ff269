package status

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

func TestQueriesThatCannotBe(t *testing.T) {
	for query, want := range map[string]string{
		"x=1":                    `unknown parameter "x"; allowed are order, page, pipeline, q, refresh, region, sort, status, target`,
		"sort=size":              `parameter "sort" must be one of age, duration, image, pipeline, started, status, type`,
		"order=up":               `parameter "order" must be asc or desc`,
		"page=0":                 `parameter "page" must be a whole number from 1 to 100000`,
		"refresh=1":              `parameter "refresh" must be a whole number from 5 to 3600`,
		"status=A&status=B":      `parameter "status" must be given only once`,
		"q=%zz":                  `invalid query string: invalid URL escape "%zz"`,
		"page=99999999999999999": `parameter "page" must be a whole number from 1 to 100000`,
	} {
		w := get(t, nil, "/executions?"+query, "")
		if got := strings.TrimSpace(w.Body.String()); w.Code != http.StatusBadRequest || got != want {
			t.Errorf("%s: %d %s, want %s", query, w.Code, got, want)
		}
	}
}

// ids returns the executions of an answer as JSON, by their last digits.
func ids(t *testing.T, all []lookup.Snapshot, query string) []string {
	t.Helper()
	w := get(t, all, "/executions?"+query, "application/json")
	var p page
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	var got []string
	for _, target := range p.Targets {
		for _, e := range target.Executions {
			got = append(got, strings.TrimLeft(e.ID[len(e.ID)-12:], "0"))
		}
	}
	return got
}

func TestSortAndFilter(t *testing.T) {
	a, b, c := executionOf(1, "RUNNING"), executionOf(2, "FAILED"), executionOf(3, "COMPLETED")
	b.Value.Message, b.Pipeline, c.ReadAt = "Step 'Patch' failed", "Other", now.Add(-time.Hour)
	a.Value.Start, c.Value.End = time.Time{}, c.Value.Start.Add(time.Second)
	b.Value.End = b.Value.Start.Add(time.Minute)
	never := lookup.Execution{ID: "wf-00000000-0000-4000-8000-000000000004", LookedUp: true, Failure: imagebuilder.NotFound, Reason: "not there"}
	all := snapshot(a, b, c, never)
	for query, want := range map[string][]string{
		"":                        {"2", "3", "4", "1"},
		"sort=started&order=asc":  {"1", "4", "3", "2"},
		"sort=status":             {"4", "3", "2", "1"},
		"sort=status&order=desc":  {"1", "2", "3", "4"},
		"sort=duration":           {"1", "4", "3", "2"},
		"sort=pipeline":           {"4", "1", "3", "2"},
		"sort=age&order=desc":     {"4", "3", "2", "1"},
		"status=FAILED":           {"2"},
		"pipeline=Linux":          {"3", "1"},
		"q=patch":                 {"2"},
		"q=NOT+THERE":             {"4"},
		"target=golden&q=1.0.0/3": {"3"},
		"target=other":            nil,
		"status=&sort=&q=":        {"2", "3", "4", "1"},
	} {
		if diff := cmp.Diff(want, ids(t, all, query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

func TestPages(t *testing.T) {
	var many []lookup.Execution
	for n := range 2*pageSize + 1 {
		many = append(many, executionOf(n+1, "COMPLETED"))
	}
	all := snapshot(many...)
	seen := map[string]bool{}
	for page, want := range map[int]int{1: pageSize, 2: pageSize, 3: 1, 4: 0} {
		got := ids(t, all, "page="+strconv.Itoa(page))
		for _, id := range got {
			seen[id] = true
		}
		if len(got) != want {
			t.Errorf("page %d has %d executions, want %d", page, len(got), want)
		}
	}
	if len(seen) != len(many) {
		t.Errorf("the pages have %d executions of %d", len(seen), len(many))
	}
	if body := get(t, all, "/executions?page=2&status=COMPLETED", "").Body.String(); !strings.Contains(body, "Page 2 of 3") || !strings.Contains(body, "?page=3&amp;status=COMPLETED") {
		t.Error("the second page does not lead to the third")
	}
}

func TestLinksKeepWhatIsChosen(t *testing.T) {
	q, err := parseQuery("status=FAILED&page=3&refresh=60&sort=age&order=asc")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"":        "?order=asc&page=3&refresh=60&sort=age&status=FAILED",
		"refresh": "?order=asc&page=3&refresh=x&sort=age&status=FAILED",
		"page":    "?order=asc&page=x&refresh=60&sort=age&status=FAILED",
		"status":  "?order=asc&refresh=60&sort=age&status=x",
		"sort":    "?order=asc&refresh=60&sort=x&status=FAILED",
	} {
		if got := q.With(name, "x"); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

func TestNewerVersionsAreSortedByTheirNumbers(t *testing.T) {
	first, second := executionOf(1, "FAILED"), executionOf(2, "FAILED")
	first.Value.Image.Version, second.Value.Image.Version = "1.0.0/10", "1.0.0/9"
	if diff := cmp.Diff([]string{"2", "1"}, ids(t, snapshot(first, second), "sort=image")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestADurationThatIsNotKnownComesFirst(t *testing.T) {
	unknown, none := executionOf(2, "PENDING"), executionOf(1, "COMPLETED")
	unknown.Value.Start, none.Value.End = time.Time{}, none.Value.Start
	if diff := cmp.Diff([]string{"2", "1"}, ids(t, snapshot(none, unknown), "sort=duration")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHeadingsSayTheOrder(t *testing.T) {
	for query, want := range map[string][]string{
		"":                     {"started descending"},
		"sort=age":             {"age ascending"},
		"sort=type&order=desc": {"type descending"},
	} {
		q, err := parseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		var got, fixed []string
		for _, h := range q.Headings() {
			if h.Order != "" {
				got = append(got, h.Name+" "+h.Order)
			}
			if h.Href == "" {
				fixed = append(fixed, h.Name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
		if diff := cmp.Diff([]string{"steps", "execution"}, fixed); diff != "" {
			t.Errorf("columns that cannot be sorted by (-want +got):\n%s", diff)
		}
	}
}
