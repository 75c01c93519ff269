package emulator

import (
	"fmt"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

// pipelinesOfOneBuild returns so many pipelines: some build for ever, the others have built.
func pipelinesOfOneBuild(n int) *Account {
	a := &Account{}
	for i := range n {
		pipeline := fmt.Sprintf("%simage-pipeline/p%d", inEurope, i)
		image := Image{
			ARN: fmt.Sprintf("%simage/p%d/1.0.0/1", inEurope, i), PipelineARN: pipeline, Created: start,
			Attempts: []Attempt{{Runs: []Run{{ID: runID(1, "one", i), Start: start, Steps: buildSteps(time.Minute)}}}},
		}
		p := Pipeline{ARN: pipeline}
		if i%2 == 0 {
			p.First, p.Every, p.Keep = start, time.Hour, 1
			p.Build = func(int, time.Time) Image { return image }
		} else {
			a.Images = append(a.Images, image)
		}
		a.Pipelines = append(a.Pipelines, p)
	}
	return a
}

// TestARequestCostsTheSameInALargeAccount counts what a request about one thing allocates: a
// list of all others would show.
func TestARequestCostsTheSameInALargeAccount(t *testing.T) {
	const builtForEver, builtOnce = "p6", "p7"
	for _, of := range []string{builtForEver, builtOnce} {
		for path, body := range map[string]string{
			"/ListImagePipelineImages": `{"imagePipelineArn":"` + inEurope + `image-pipeline/` + of + `"}`,
			"/ListImageBuildVersions":  `{"imageVersionArn":"` + inEurope + `image/` + of + `/1.0.0"}`,
			"/ListWorkflowExecutions":  `{"imageBuildVersionArn":"` + inEurope + `image/` + of + `/1.0.0/1"}`,
			"/GetImage?imageBuildVersionArn=" + inEurope + `image/` + of + `/1.0.0/1`: "",
		} {
			small, large := bytesOf(t, 16, path, body), bytesOf(t, 1600, path, body)
			if large > 2*small {
				t.Errorf("%s of %s: %d bytes among 16 pipelines, %d among 1600", path, of, small, large)
			}
		}
	}
}

// bytesOf returns how many bytes one request allocates among n pipelines of one build.
func bytesOf(t *testing.T, n int, path, body string) uint64 {
	t.Helper()
	api := &API{Scenario: pipelinesOfOneBuild(n), Now: func() time.Time { return start.Add(time.Minute) }}
	ask := func() {
		r := signed(path)
		if body != "" {
			r.Method, r.Body = "POST", httptest.NewRequest("POST", path, strings.NewReader(body)).Body
		}
		w := httptest.NewRecorder()
		if api.ServeHTTP(w, r); w.Code != 200 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	ask() // makes the index
	const times = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		ask()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / times
}

func TestTheIndexLooksAtThePipelinesOnlyWhenOneBuilds(t *testing.T) {
	a := pipelinesOfOneBuild(4)
	for _, c := range []struct {
		name  string
		after time.Duration
		from  time.Duration // when it was last looked at all of them
	}{
		{"the first request", time.Minute, time.Minute},
		{"before the next build", 59 * time.Minute, time.Minute},
		{"with the next build", time.Hour, time.Hour},
		{"a page of an older list", time.Minute, time.Minute},
		{"long after", 48 * time.Hour, 48 * time.Hour},
	} {
		a.ImageBuilds("", start.Add(c.after))
		if got := a.index.from.Sub(start); got != c.from {
			t.Errorf("%s: the index is of %s, want %s", c.name, got, c.from)
		}
	}
}
