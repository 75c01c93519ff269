package docs_test

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
)

// scrapeJob is what a test has to know of a scrape job.
type scrapeJob struct {
	Name        string `yaml:"job_name"`
	HonorLabels bool   `yaml:"honor_labels"`
}

// TestScrapeJobsHonorLabels holds that Prometheus keeps the labels target and region as the
// exporter publishes them, whoever copies a scrape job from here.
func TestScrapeJobsHonorLabels(t *testing.T) {
	found := map[string]bool{}
	walk(t, func(file string) {
		if !slices.Contains([]string{".md", ".yml", ".yaml", ".go"}, path.Ext(file)) || strings.HasSuffix(file, "_test.go") {
			return
		}
		for _, job := range scrapeJobs(t, file) {
			if job.Name == "prometheus" {
				continue // Prometheus itself
			}
			found[file] = true
			if !job.HonorLabels {
				t.Errorf("%s: the scrape job %q has no honor_labels: true", file, job.Name)
			}
		}
	})
	want := map[string]bool{"README.md": true, "docs/install.md": true, "docs/operations.md": true, "deploy/compose/prometheus.yml": true, "deploy/compose/prometheus-replicas.yml": true, "deploy/demo-stack/stack/stack.go": true}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("files with a scrape job of the exporter (-want +got):\n%s", diff)
	}
}

// scrapeJobs returns all scrape jobs of a file: of a document those in its blocks of code, of a
// program those in its texts. One that stands elsewhere fails the test.
func scrapeJobs(t *testing.T, file string) (jobs []scrapeJob) {
	t.Helper()
	text := read(t, file)
	blocks := []string{text}
	switch path.Ext(file) {
	case ".md":
		blocks = blockOfCode.FindAllString(text, -1)
	case ".go":
		blocks = rawString.FindAllString(text, -1)
	}
	for _, block := range blocks {
		if !strings.Contains(block, "scrape_configs:") {
			continue
		}
		var c struct {
			ScrapeConfigs []scrapeJob `yaml:"scrape_configs"`
		}
		block = verb.ReplaceAllString(strings.TrimPrefix(strings.Trim(block, "`"), "yaml\n"), "x")
		if err := yaml.Unmarshal([]byte(block), &c); err != nil {
			t.Errorf("%s: %v:\n%s", file, err, block)
		}
		jobs = append(jobs, c.ScrapeConfigs...)
	}
	if n := strings.Count(text, "job_name:"); n != len(jobs) {
		t.Errorf("%s has %d scrape jobs, of which %d could be read", file, n, len(jobs))
	}
	return jobs
}

var (
	rawString = regexp.MustCompile("(?s)`[^`]*`")
	verb      = regexp.MustCompile(`%\[[0-9]\]s`)
)

// TestHonorLabelsIsSafe holds that no metric has a label that Prometheus gives to each
// scrape target: honor_labels would let it win.
func TestHonorLabelsIsSafe(t *testing.T) {
	for metric, labels := range promqltest.Published(t, "../testdata/metrics.txt") {
		for _, own := range []string{"job", "instance"} {
			if labels[own] {
				t.Errorf("%s has the label %s", metric, own)
			}
		}
	}
}
