package docs_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
)

// TestEveryLabelIsDocumented holds metrics.md against the labels of each metric.
func TestEveryLabelIsDocumented(t *testing.T) {
	page := read(t, "docs/metrics.md")
	sets := labelSets(t, page)
	documented := promqltest.Labels{}
	for _, row := range metricRow.FindAllStringSubmatch(page, -1) {
		documented[row[1]] = labelsOf(row[2], sets)
	}
	for metric, published := range promqltest.Published(t, "../testdata/metrics.txt") {
		for _, label := range slices.Sorted(maps.Keys(published)) {
			if !documented[metric][label] {
				t.Errorf("docs/metrics.md: %s lacks the label %s", metric, label)
			}
		}
		for _, label := range slices.Sorted(maps.Keys(documented[metric])) {
			if !published[label] {
				t.Errorf("docs/metrics.md: %s has the label %s, which does not exist", metric, label)
			}
		}
	}
}

// labelSets returns the sets of labels that a letter stands for. A set may begin with one
// that stands above it.
func labelSets(t *testing.T, page string) map[string]map[string]bool {
	t.Helper()
	sets := map[string]map[string]bool{}
	for _, row := range labelSetRow.FindAllStringSubmatch(page, -1) {
		sets[row[1]] = labelsOf(row[2], sets)
	}
	if len(sets) != 5 {
		t.Fatalf("docs/metrics.md: the sets of labels are %v", sets)
	}
	return sets
}

// labelsOf returns the labels that the cell of a table names, each by itself or by its set.
func labelsOf(cell string, sets map[string]map[string]bool) map[string]bool {
	labels := map[string]bool{}
	for name := range strings.SplitSeq(cell, ",") {
		name = strings.TrimSpace(name)
		if set, ok := sets[name]; ok {
			maps.Copy(labels, set)
		} else if name != "" {
			labels[strings.Trim(name, "`")] = true
		}
	}
	return labels
}

var (
	metricRow   = regexp.MustCompile("(?m)^\\| `(imagebuilder_[a-z_]+)` \\| [a-z]+ \\|([^|]*)\\|")
	labelSetRow = regexp.MustCompile(`(?m)^\| \*\*([A-Z])\*\* \|([^|]*)\|`)
)

// TestEveryStatusIsDocumented holds the tables of metrics.md against those of package
// imagebuilder.
func TestEveryStatusIsDocumented(t *testing.T) {
	var executions, steps, images []string
	for _, s := range imagebuilder.Statuses() {
		executions = append(executions, statusRow(string(s), s.Final(), s.Failed(), s.Active()))
	}
	for _, s := range imagebuilder.StepStatuses() {
		steps = append(steps, statusRow(string(s)))
	}
	for _, s := range imagebuilder.ImageStatuses() {
		images = append(images, statusRow(string(s), s.Ended(), s.Failed(), s.Active()))
	}
	for heading, want := range map[string][]string{
		"Statuses of executions": executions, "Statuses of steps": steps, "States of images": images,
	} {
		rows := statusRows(t, heading)
		for _, row := range without(want, rows) {
			t.Errorf("docs/metrics.md, %s: there is no row %s", heading, row)
		}
		for _, row := range without(rows, want) {
			t.Errorf("docs/metrics.md, %s: %s is not what package imagebuilder says", heading, row)
		}
	}
}

// statusRow returns how the row of a status begins that is final, failed, active, or not.
func statusRow(status string, facts ...bool) string {
	row := "| `" + status + "` |"
	for _, fact := range facts {
		if row += " "; fact {
			row += "yes "
		}
		row += "|"
	}
	return row
}

// statusRows returns how the rows of the table below a heading of metrics.md begin: up to
// the meaning.
func statusRows(t *testing.T, heading string) (rows []string) {
	t.Helper()
	_, text, _ := strings.Cut(read(t, "docs/metrics.md"), "\n### "+heading+"\n")
	text, _, _ = strings.Cut(text, "\n#")
	for row := range strings.Lines(text) {
		if strings.HasPrefix(row, "| `") {
			row = strings.TrimSuffix(strings.TrimSpace(row), " |")
			rows = append(rows, row[:strings.LastIndex(row, "|")+1])
		}
	}
	if len(rows) == 0 {
		t.Fatalf("docs/metrics.md has no statuses below %q", heading)
	}
	return rows
}

// without returns those of all that are not among others.
func without(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(others, s) })
}

// TestDocumentsUseLabelsAndStatusesThatThereAre holds the queries in all documents against
// the labels of the metrics and the tables of statuses.
func TestDocumentsUseLabelsAndStatusesThatThereAre(t *testing.T) {
	labels := promqltest.Published(t, "../testdata/metrics.txt")
	queries := 0
	for _, file := range documents(t) {
		for _, code := range promqltest.Code(read(t, file)) {
			queries++
			labels.Check(t, file, code)
			promqltest.CheckStatuses(t, file, code)
		}
	}
	if queries < 12 {
		t.Errorf("the documents have only %d queries", queries)
	}
}
