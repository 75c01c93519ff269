package docs_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
)

// TestSizing holds that performance.md begins with a table to choose a machine by: memory and CPU
// by the number of executions, and how long the defaults take to look them up.
func TestSizing(t *testing.T) {
	_, section, _ := strings.Cut(read(t, "docs/performance.md"), "\n## ")
	section, _, _ = strings.Cut(section, "\n## ")
	var rows [][]string
	for _, row := range regexp.MustCompile(`(?m)^\| (.*) \|$`).FindAllStringSubmatch(section, -1) {
		rows = append(rows, strings.Split(row[1], " | "))
	}
	if len(rows) == 0 || rows[0][0] != "executions" || len(rows[0]) < 4 {
		t.Fatalf("the first section has no table of executions: %q", rows)
	}
	for name, figure := range map[string]string{"resident memory": `^[\d.]+ [MG]iB$`, "CPU time of a scrape": `^[\d.]+ ms$`, "CPU time of the first scrape": `^[\d.]+ s$`} {
		for _, value := range row(t, rows, name) {
			if !regexp.MustCompile(figure).MatchString(value) {
				t.Errorf("%s: %q is not like %s", name, value, figure)
			}
		}
	}
	defaults := config.Default().Lookup
	var want []string
	for _, number := range rows[0][1:] {
		n, err := strconv.Atoi(strings.ReplaceAll(number, ",", ""))
		if err != nil {
			t.Fatal(err)
		}
		takes := time.Duration(float64(n-defaults.Burst) / defaults.RateLimit * float64(time.Second))
		want = append(want, takes.Round(time.Second).String())
	}
	if diff := cmp.Diff(want, row(t, rows, "time until all ids are looked up")); diff != "" {
		t.Errorf("with the defaults (-want +got):\n%s", diff)
	}
}

// row returns the figures of the row whose name begins so, one for each column.
func row(t *testing.T, rows [][]string, name string) []string {
	t.Helper()
	for _, row := range rows {
		if strings.HasPrefix(row[0], name) && len(row) == len(rows[0]) {
			return row[1:]
		}
	}
	t.Errorf("there is no row %q", name)
	return nil
}
