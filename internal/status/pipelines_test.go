package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// builtBy returns images of the pipeline with these states, one an hour, the newest last.
func builtBy(pipeline string, states ...imagebuilder.ImageStatus) []lookup.Image {
	var all []lookup.Image
	for n, state := range states {
		all = append(all, lookup.Image{Pipeline: pipeline, Image: &imagebuilder.Image{
			ARN: fmt.Sprintf("%simage/%s/1.0.0/%d", arnOf, pipeline, n+1), Status: state, Reason: "reason",
			Build: imagebuilder.ImageBuildVersion{Name: pipeline, Version: fmt.Sprintf("1.0.0/%d", n+1)}, Created: now.Add(time.Duration(n-len(states)) * time.Hour),
		}})
	}
	return all
}

func TestStatesOfPipelines(t *testing.T) {
	superseded := builtBy("p", "FAILED")
	superseded[0].Superseded = lookup.Fact{Known: true, True: true}
	for _, c := range []struct {
		name   string
		p      imagebuilder.Pipeline
		images []lookup.Image
		waits  bool
		want   string // state and why
	}{
		{name: "nothing is known", want: "unknown"},
		{name: "its newest build failed", images: builtBy("p", "AVAILABLE", "FAILED"), want: "failed reason"},
		{name: "a newer one runs, but the failure is not gone", images: builtBy("p", "FAILED", "BUILDING"), want: "failed reason"},
		{name: "a newer one was cancelled", images: builtBy("p", "FAILED", "CANCELLED"), want: "failed reason"},
		{name: "the only one was cancelled", images: builtBy("p", "CANCELLED"), want: "unknown"},
		{name: "the failure was superseded, by a build that is not followed", images: superseded, want: "good"},
		{name: "it failed and is disabled", p: imagebuilder.Pipeline{Status: "DISABLED"}, images: builtBy("p", "FAILED"), want: "failed reason; it is disabled"},
		{
			name: "it is disabled with its next failure", images: builtBy("p", "AVAILABLE"), want: "good AWS disables it after its next failure",
			p: imagebuilder.Pipeline{ConsecutiveFailures: pointer(2), Schedule: &imagebuilder.Schedule{AutoDisableFailures: 3}},
		},
		{name: "a failure goes before what waits", images: builtBy("p", "FAILED", "TESTING"), waits: true, want: "failed reason"},
		{name: "it waits", images: builtBy("p", "AVAILABLE", "TESTING"), waits: true, want: "waiting for an approval for 1h"},
		{name: "it is disabled", p: imagebuilder.Pipeline{Status: "DISABLED"}, images: builtBy("p", "AVAILABLE"), want: "disabled"},
		{name: "it runs", images: builtBy("p", "AVAILABLE", "BUILDING"), want: "running"},
		{name: "it is good", images: builtBy("p", "FAILED", "AVAILABLE"), want: "good"},
		{name: "only its last run is known, and failed", p: imagebuilder.Pipeline{LastRunStatus: "FAILED"}, want: "failed"},
		{name: "only its last run is known, and is good", p: imagebuilder.Pipeline{LastRunStatus: "AVAILABLE"}, want: "good"},
		{name: "only its last run is known, and goes on", p: imagebuilder.Pipeline{LastRunStatus: "BUILDING"}, want: "running"},
	} {
		e := executionOf(1, "RUNNING")
		e.Pipeline, c.p.Name = "p", "p"
		s := snapshot(e)
		s[0].Images, s[0].Pipelines = c.images, []lookup.Pipeline{{Pipeline: &c.p}}
		if c.waits {
			s[0].Waiting = []lookup.WaitingStep{{WaitingStep: &imagebuilder.WaitingStep{ExecutionID: e.ID, Since: now.Add(-time.Hour)}}}
		}
		p := newPage(s, query{Page: 1, Sort: "started"}, now).Pipelines.Rows[0]
		if got := strings.TrimSpace(p.State + " " + p.Why); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestPipelinesThatNeedAPersonComeFirst over all targets.
func TestPipelinesThatNeedAPersonComeFirst(t *testing.T) {
	var all []lookup.Snapshot
	for _, target := range []string{"a", "b"} {
		s := snapshot()[0]
		s.Name = target
		for name, state := range map[string]imagebuilder.ImageStatus{"broken": "FAILED", "Good": "AVAILABLE", "runs": "BUILDING"} {
			p := lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{Name: name}}
			if name == "broken" && target == "b" {
				p.FailedInRow = pointer(3)
			}
			s.Pipelines, s.Images = append(s.Pipelines, p), append(s.Images, builtBy(name, state)...)
		}
		all = append(all, s)
	}
	var got []string
	for _, p := range newPage(all, query{Page: 1, Sort: "started"}, now).Pipelines.Rows {
		got = append(got, p.Section.Name+" "+p.Name)
	}
	if diff := cmp.Diff([]string{"b broken", "a broken", "a runs", "b runs", "a Good", "b Good"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMarksOfBuilds can be told apart without their colours, and are read as a text.
func TestMarksOfBuilds(t *testing.T) {
	s := snapshot()
	s[0].Pipelines = []lookup.Pipeline{{Pipeline: &imagebuilder.Pipeline{Name: "p"}}}
	s[0].Images = builtBy("p", append(make([]imagebuilder.ImageStatus, maxBuilds), "FAILED", "AVAILABLE", "BUILDING", "CANCELLED")...)
	body := pageOf(t, s, "")
	_, marks, _ := strings.Cut(body, `<span class="marks" role="img" aria-label="`)
	label, marks, _ := strings.Cut(marks, `">`)
	marks, _, _ = strings.Cut(marks, "</td>")
	if !strings.HasSuffix(label, "FAILED, AVAILABLE, BUILDING, CANCELLED") {
		t.Errorf("people who hear the page hear %q", label)
	}
	if n := strings.Count(marks, `class="mark `); n != maxBuilds {
		t.Errorf("there are %d marks, want %d", n, maxBuilds)
	}
	at := 0
	for _, want := range []string{`failed" title="1.0.0/11 FAILED, 2026-11-24 08:00">✕`, `good" title="1.0.0/12 AVAILABLE, 2026-11-24 09:00">✓`, `running" title="1.0.0/13 BUILDING, 2026-11-24 10:00">●`, `idle" title="1.0.0/14 CANCELLED, 2026-11-24 11:00">○`} {
		i := strings.Index(marks, want)
		if i < at {
			t.Errorf("%s is not there, or in another place:\n%s", want, marks)
		}
		at = i
	}
}

func TestLongNamesAreCutInTheMiddle(t *testing.T) {
	for s, want := range map[string]string{"": "", "äöüß": "äöüß", "äöüßa": "äö…a", "abcdefgh": "ab…h"} {
		if got := middle(s, 4); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	long := "team-02-ubuntu-2404-golden-image-for-the-servers-of-003"
	e := executionOf(1, "RUNNING")
	e.Value.Image.Name, e.Pipeline = long, long
	if n := strings.Count(pageOf(t, snapshot(e), ""), `<bdi title="`+long+`">team-02-ubuntu-2404-…-the-servers-of-003</bdi>`); n != 2 {
		t.Errorf("the name is %d times on the page with its ends and its whole as a title, want 2", n)
	}
}

// TestTargetsThatAreDown are on top with why, and with a link to their page.
func TestTargetsThatAreDown(t *testing.T) {
	down, silent := snapshot()[0], snapshot(lookup.Execution{ID: executionOf(1, "").ID, LookedUp: true, Failure: imagebuilder.Throttled, Reason: "too many"})[0]
	down.Up, silent.Up, down.Name, silent.Name = false, false, "down", "silent"
	down.Errors = []lookup.FailedLookup{{Operation: "ListImagePipelines", Class: imagebuilder.Denied, Reason: "not authorized"}}
	_, notice, _ := strings.Cut(pageOf(t, append(snapshot(), down, silent), ""), `id="down">`)
	notice, _, _ = strings.Cut(notice, "</section>")
	for _, want := range []string{
		`<a href="executions?region=eu-west-1&amp;target=down"><bdi>down eu-west-1</bdi></a>`, "<strong>denied</strong>: <bdi>not authorized</bdi>",
		"<strong>throttled</strong>: <bdi>too many</bdi>",
	} {
		if !strings.Contains(notice, want) {
			t.Errorf("the notice does not have %q:\n%s", want, notice)
		}
	}
}
