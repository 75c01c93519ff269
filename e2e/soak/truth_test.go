package soak

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// scrape scrapes once, and holds that the answer is in time, whole and true.
func (s *soak) scrape() map[string]*dto.MetricFamily {
	s.mu.Lock()
	oldest := s.oldest
	s.mu.Unlock()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.program.URL("/metrics"), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(timeout.Seconds()))
	begun := time.Now()
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Error(err)
		return nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	took := time.Since(begun)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, parseErr := parser.TextToMetricFamilies(strings.NewReader(string(body)))
	if err != nil || parseErr != nil || resp.StatusCode != http.StatusOK || took > timeout {
		s.t.Errorf("a scrape: %d, %v, %v, after %s", resp.StatusCode, err, parseErr, took)
		return nil
	}
	if series := duplicate(families); series != "" {
		s.t.Errorf("%s is there twice", series)
	}
	n := s.compare(families)
	var targets []string
	for _, m := range families["imagebuilder_up"].GetMetric() {
		targets = append(targets, label(m, "target"))
	}
	if panics := families["imagebuilder_exporter_panics_total"].GetMetric()[0].GetCounter().GetValue(); panics > 0 {
		s.t.Errorf("%g panics", panics)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scrapes, s.values, s.slowest = s.scrapes+1, s.values+n, max(s.slowest, took)
	if inForce := s.loaded[oldest:]; !slices.ContainsFunc(inForce, func(names string) bool { return sameSet(strings.Fields(names), targets) }) {
		s.t.Errorf("the targets are %q; in force were %q", targets, inForce)
	}
	return families
}

func sameSet(a, b []string) bool {
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// told is what is published of an execution.
type told struct {
	status                            string
	steps, succeeded, failed, skipped int
	start, end                        string // as the API writes times; empty for none
}

// compare holds that every execution was, when it was read, what is told of it, and
// returns how many there are.
func (s *soak) compare(families map[string]*dto.MetricFamily) int {
	all := map[string]*told{}
	of := func(m *dto.Metric) *told {
		key := label(m, "target") + " " + label(m, "workflow_execution_id")
		if all[key] == nil {
			all[key] = &told{}
		}
		return all[key]
	}
	each := func(metric string, f func(m *dto.Metric, v int)) {
		for _, m := range families["imagebuilder_workflow_execution_"+metric].GetMetric() {
			f(m, int(m.GetGauge().GetValue()))
		}
	}
	each("info", func(m *dto.Metric, _ int) { of(m).status = label(m, "status") })
	each("steps", func(m *dto.Metric, v int) { of(m).steps = v })
	each("steps_succeeded", func(m *dto.Metric, v int) { of(m).succeeded = v })
	each("steps_failed", func(m *dto.Metric, v int) { of(m).failed = v })
	each("steps_skipped", func(m *dto.Metric, v int) { of(m).skipped = v })
	each("start_timestamp_seconds", func(m *dto.Metric, _ int) { of(m).start = timestamp(m) })
	each("end_timestamp_seconds", func(m *dto.Metric, _ int) { of(m).end = timestamp(m) })
	for _, m := range families["imagebuilder_workflow_execution_lookup_timestamp_seconds"].GetMetric() {
		read := time.UnixMicro(int64(m.GetGauge().GetValue() * 1e6))
		if id := label(m, "workflow_execution_id"); !s.was(id, read, *of(m)) {
			s.t.Errorf("%s is told to have been %+v at %s, which it was not", id, *of(m), read)
		}
	}
	return len(all)
}

// timestamp returns a time that is published, as the API writes it.
func timestamp(m *dto.Metric) string {
	return emulator.Timestamp(time.UnixMilli(int64(math.Round(m.GetGauge().GetValue() * 1000))))
}

// duplicate returns a series that is there twice, which the parser takes, or "".
func duplicate(families map[string]*dto.MetricFamily) string {
	seen := map[string]bool{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			series := name + fmt.Sprint(m.GetLabel())
			if seen[series] {
				return series
			}
			seen[series] = true
		}
	}
	return ""
}

// was reports whether an execution was so in the time that a lookup takes.
func (s *soak) was(id string, read time.Time, want told) bool {
	for ago := time.Duration(0); ago <= lookupTimeout+500*time.Millisecond; ago += 20 * time.Millisecond {
		at := read.Add(-ago)
		// A build that was dropped from the end of the list was there when it was read.
		if e, ok := s.account.WorkflowExecution(id, at); ok && want == (told{e.Status, e.TotalStepCount, e.TotalStepsSucceeded, e.TotalStepsFailed, e.TotalStepsSkipped, e.StartTime, e.EndTime}) {
			return true
		}
	}
	return false
}
