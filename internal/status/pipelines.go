package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// pipeline is a row of the table of pipelines. What is not known is empty.
type pipeline struct {
	ARN         string     `json:"pipeline_arn"`
	Name        string     `json:"pipeline"`
	State       string     `json:"state"` // one of states
	Builds      []build    `json:"last_builds,omitempty"`
	Enabled     *bool      `json:"enabled,omitempty"`
	Schedule    string     `json:"schedule,omitempty"`
	Timezone    string     `json:"timezone,omitempty"`
	Tags        string     `json:"tags,omitempty"` // those of tag_labels
	Logs        string     `json:"logs_url,omitempty"`
	AutoDisable int        `json:"auto_disable_failures,omitempty"`
	InRow       *int       `json:"consecutive_failed_builds,omitempty"`
	LastRun     string     `json:"last_run_status,omitempty"`
	Failures    *int       `json:"consecutive_failures,omitempty"`
	NextRun     *time.Time `json:"next_run,omitempty"`
	LastSuccess *time.Time `json:"last_success,omitempty"`

	Section *targetSection `json:"-"`
	Why     string         `json:"-"` // its state is so, for people
}

// build is one of a pipeline's last builds.
type build struct {
	ARN     string     `json:"image_build_version_arn"`
	Version string     `json:"image_version"`
	Status  string     `json:"status"`
	Created *time.Time `json:"created,omitempty"`
}

// maxBuilds is how many of its last builds are shown of a pipeline.
const maxBuilds = 10

// states are the states of a pipeline, the most urgent first.
var states = []string{"failed", "waiting", "disabled", "running", "good", "unknown"}

func newPipeline(p *lookup.Pipeline, tags []string) pipeline {
	row := pipeline{
		ARN: p.ARN, Name: p.Name, LastRun: string(p.LastRunStatus), Failures: p.ConsecutiveFailures, InRow: p.FailedInRow,
		NextRun: optionalTime(p.NextRun), LastSuccess: optionalTime(p.LastSuccess), Tags: tagsOf(p, tags), Logs: pipelineLogs(p.ARN, p.LogGroup),
	}
	if s := p.Schedule; s != nil {
		row.Schedule, row.Timezone, row.AutoDisable = s.Expression, s.Timezone, s.AutoDisableFailures
	}
	if enabled, known := p.Enabled(); known {
		row.Enabled = &enabled
	}
	return row
}

// newPipelines returns the rows of the pipelines of k with this name, or of all when it is empty,
// with their builds and their states.
func newPipelines(k *known, name string, t *targetSection) []*pipeline {
	waits := map[string]time.Time{} // since when, by pipeline
	for _, w := range k.Waiting {
		if e := find(k.rows, w.ExecutionID); e != nil && (waits[e.Pipeline].IsZero() || w.Since.Before(waits[e.Pipeline])) {
			waits[e.Pipeline] = w.Since
		}
	}
	var all []*pipeline
	for i := range k.Pipelines {
		p := &k.Pipelines[i]
		if name != "" && name != p.Name {
			continue
		}
		row := new(newPipeline(p, k.TagLabels))
		row.Section = t
		all = append(all, row)
		last := lastBuilds(k.builds[p.Name])
		for _, i := range last {
			row.Builds = append(row.Builds, build{i.ARN, i.Build.Version, string(i.Status), optionalTime(i.Created)})
		}
		row.judge(last, waits[p.Name], k.Time)
	}
	return all
}

// lastBuilds returns the newest of builds, the oldest of them first.
func lastBuilds(builds []*lookup.Image) []*lookup.Image {
	slices.SortFunc(builds, compareImages)
	return builds[max(0, len(builds)-maxBuilds):]
}

// judge sets the state and why it is so, from the last builds of the pipeline, the newest last,
// and since when a step of it waits, zero for none.
func (p *pipeline) judge(last []*lookup.Image, waits, now time.Time) {
	// The newest that failed or is good, and the newest. One that was cancelled says nothing.
	var ended, newest *lookup.Image
	for _, i := range last {
		if newest = i; i.Status.Failed() || i.Status.Good() {
			ended = i
		}
	}
	status := imagebuilder.ImageStatus(p.LastRun)
	switch {
	case ended != nil && ended.Status.Failed() && !ended.Superseded.True:
		p.State, p.Why = "failed", whyFailed(ended)
	case ended == nil && status.Failed():
		p.State = "failed"
	case !waits.IsZero():
		p.State, p.Why = "waiting", "for an approval for "+strings.TrimSuffix(ago(now, waits), " ago")
	case p.Enabled != nil && !*p.Enabled:
		p.State = "disabled"
	case newest != nil && newest.Status.Active() || newest == nil && status.Active():
		p.State = "running"
	case ended != nil && (ended.Status.Good() || ended.Superseded.True) || ended == nil && status.Good():
		p.State = "good"
	default:
		p.State = "unknown"
	}
	if n := valueOr(p.InRow, 0); p.State == "failed" && n > 1 {
		p.Why = strings.TrimSuffix(fmt.Sprintf("%d in a row: %s", n, p.Why), ": ")
	}
	p.Why = joined(p.Why, p.schedule())
}

// schedule says what a person must know of the schedule of a pipeline that its state does not say.
func (p *pipeline) schedule() string {
	switch {
	case p.State != "disabled" && p.Enabled != nil && !*p.Enabled:
		return "it is disabled"
	case p.AutoDisable > 0 && p.Failures != nil && *p.Failures == p.AutoDisable-1:
		return "AWS disables it after its next failure"
	}
	return ""
}

// joined returns those texts that are not empty.
func joined(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), "; ")
}

// whyFailed says in a line why an image failed.
func whyFailed(i *lookup.Image) string {
	why := newFailure(i.Failed)
	if why == nil {
		return i.Image.Reason
	}
	return cmp.Or(why.Error, why.Where(), i.Image.Reason)
}

// sortByNeed sorts pipelines: those that need a person first, of the failed ones those that
// failed most often in a row.
func sortByNeed(pipelines []*pipeline) {
	slices.SortStableFunc(pipelines, func(a, b *pipeline) int {
		return cmp.Or(
			slices.Index(states, a.State)-slices.Index(states, b.State),
			valueOr(b.InRow, 0)-valueOr(a.InRow, 0),
			cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)),
		)
	})
}

// Href leads to the page of the pipeline.
func (p *pipeline) Href() string { return pipelineHref(p.Section.Name, p.Section.Region, p.Name) }

// Class is that of its state in the style sheet.
func (p *pipeline) Class() string {
	if p.State == "disabled" {
		return "idle"
	}
	return p.State
}

// LastBuilds says what the marks of the last builds show.
func (p *pipeline) LastBuilds() string {
	if len(p.Builds) == 0 {
		return "no builds are known"
	}
	var all []string
	for _, b := range p.Builds {
		all = append(all, b.Status)
	}
	return "last builds, the newest last: " + strings.Join(all, ", ")
}
