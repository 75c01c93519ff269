package status

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// company returns what is known of so many pipelines with long names in some targets, with as
// many builds of each, of which each has an execution with steps. Of a hundred pipelines three
// fail.
func company(targets, pipelines, builds int) []lookup.Snapshot {
	var all []lookup.Snapshot
	n := 0
	for target := range targets {
		s := lookup.Snapshot{Name: fmt.Sprintf("team-%02d-images", target), Region: "eu-west-1", Time: now, Up: true, RefreshEnded: true, LastSuccess: now}
		settled := &lookup.Batch{}
		for p := range pipelines / targets {
			name := fmt.Sprintf("team-%02d-ubuntu-2404-golden-image-for-the-servers-of-%03d", target, p)
			pipeline := lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{ARN: arnOf + "image-pipeline/" + name, Name: name, Status: "ENABLED"}}
			for b := range builds {
				n++
				status, image := imagebuilder.Status("COMPLETED"), imagebuilder.ImageAvailable
				if p%33 == 32 && b >= builds-2 {
					status, image = "FAILED", imagebuilder.ImageFailed
				}
				x := executionOf(n, status)
				build := imagebuilder.ImageBuildVersion{Name: name, Version: fmt.Sprintf("1.0.0/%d", b+1)}
				start := now.Add(-time.Duration(builds-b)*24*time.Hour - time.Duration(p)*time.Minute)
				x.Pipeline, x.Value.Image, x.Value.Start, x.Value.End = name, build, start, start.Add(20*time.Minute)
				x.Value.ImageBuildVersionARN = arnOf + "image/" + name + "/" + build.Version
				for step := range 8 {
					x.Steps = append(x.Steps, imagebuilder.Step{ID: fmt.Sprint("step-", step), Name: "ApplyBuildComponents", Action: "ExecuteComponents", Status: "COMPLETED", Start: start, End: start.Add(time.Minute)})
				}
				settled.Executions = append(settled.Executions, x)
				i := lookup.Image{Pipeline: name, Image: &imagebuilder.Image{
					ARN: x.Value.ImageBuildVersionARN, Status: image, Created: start, Build: build,
					Outputs: []imagebuilder.Output{{Region: "eu-west-1", ID: "ami-0123456789abcdef0", AccountID: "111122223333", State: "AVAILABLE"}},
				}}
				if image.Failed() {
					i.Failed = &imagebuilder.Failure{
						Stage: "BUILDING", ExecutionID: x.ID, Step: "ApplyBuildComponents",
						Component: &imagebuilder.ComponentFailure{ARN: component, Phase: "build", Step: "InstallAgent", Message: "exit code 1: no space left on device"},
					}
					pipeline.FailedInRow = pointer(valueOr(pipeline.FailedInRow, 0) + 1)
				} else {
					pipeline.LastSuccess = start
				}
				settled.Images = append(settled.Images, i)
			}
			s.Pipelines = append(s.Pipelines, pipeline)
		}
		s.Settled = []*lookup.Batch{settled}
		all = append(all, s)
	}
	return all
}

// TestOf400PipelinesTheFailedOneIsFirst on the page, with why, and in the table of pipelines.
func TestOf400PipelinesTheFailedOneIsFirst(t *testing.T) {
	body := pageOf(t, company(1, 400, 10), "")
	_, main, _ := strings.Cut(body, "<main")
	top, list, _ := strings.Cut(main, "<li>")
	first := top + list[:2000]
	for _, text := range []string{"12 failed", "no space left on device", "team-00-ubuntu-2404-…"} {
		if !strings.Contains(first, text) {
			t.Errorf("what stands first does not have %q:\n%s", text, first)
		}
	}
	_, table, _ := strings.Cut(body, `<table class="pipelines">`)
	table, _, _ = strings.Cut(table, "</table>")
	rows := strings.Split(table, "<tr>")[2:]
	if len(rows) != pageSize {
		t.Fatalf("there are %d pipelines on the page, want %d", len(rows), pageSize)
	}
	for n, row := range rows {
		if failed := strings.Contains(row, "status failed"); failed != (n < 12) {
			t.Errorf("pipeline %d of the table has failed: %t", n, failed)
		}
	}
	if marks := strings.Count(rows[0], `class="mark `); marks != maxBuilds || !strings.Contains(rows[0], "AVAILABLE, FAILED, FAILED\"") {
		t.Errorf("the first pipeline has %d marks, or says not what they are:\n%s", marks, rows[0])
	}
}

// TestSizeOfThePages of 50,000 executions: at most 1 MB, whether of one target or of many.
func TestSizeOfThePages(t *testing.T) {
	for _, targets := range []int{1, 100} {
		all := company(targets, 5000, 10)
		if all[0].Selected() != 50000/targets {
			t.Fatalf("%d executions in a target", all[0].Selected())
		}
		for _, path := range []string{"/executions", "/executions?page=2", "/executions?pipeline=" + all[0].Pipelines[0].Name, "/executions/" + all[0].Settled[0].Executions[0].ID} {
			if w := get(t, all, path, "text/html"); w.Code != 200 || w.Body.Len() > 1<<20 {
				t.Errorf("%d targets: %s: %d with %d bytes", targets, path, w.Code, w.Body.Len())
			} else {
				t.Logf("%d targets: %s: %d bytes", targets, path, w.Body.Len())
			}
		}
	}
}

// BenchmarkPages of 50,000 executions are to take at most 0.3 s each.
func BenchmarkPages(b *testing.B) {
	all := company(1, 5000, 10)
	h, err := New(Config{Snapshots: func() []lookup.Snapshot { return all }, Version: "1.2.3"})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ name, path string }{
		{"all", "/executions"},
		{"text", "/executions?q=001"},
		{"pipeline", "/executions?pipeline=" + all[0].Pipelines[7].Name},
		{"execution", "/executions/" + all[0].Settled[0].Executions[0].ID},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, http.NoBody))
				b.ReportMetric(float64(w.Body.Len()), "bytes")
			}
		})
	}
}
