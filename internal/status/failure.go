package status

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// failure says why an image failed. What is not known is empty.
type failure struct {
	Stage           string         `json:"stage,omitempty"` // the image's state when it failed
	ExecutionID     string         `json:"workflow_execution_id,omitempty"`
	StepExecutionID string         `json:"step_execution_id,omitempty"`
	Step            string         `json:"step,omitempty"`
	ComponentARN    string         `json:"component_arn,omitempty"`
	ComponentPhase  string         `json:"component_phase,omitempty"`
	ComponentStep   string         `json:"component_step,omitempty"`
	ComponentAction string         `json:"component_action,omitempty"`
	Error           string         `json:"error,omitempty"`
	Regions         []failedRegion `json:"regions,omitempty"`
}

// failedRegion is where an image did not arrive.
type failedRegion struct {
	Region            string `json:"output_region,omitempty"`
	AccountID         string `json:"account_id,omitempty"`
	Status            string `json:"status,omitempty"`
	ConfigurationStep string `json:"configuration_step,omitempty"`
	Error             string `json:"error,omitempty"`
}

// newFailure returns nil when it is not known why the image failed.
func newFailure(f *imagebuilder.Failure) *failure {
	if f == nil {
		return nil
	}
	why := &failure{Stage: string(f.Stage), ExecutionID: f.ExecutionID, StepExecutionID: f.StepExecutionID, Step: f.Step}
	if c := f.Component; c != nil {
		why.ComponentARN, why.ComponentPhase, why.ComponentStep = c.ARN, c.Phase, c.Step
		why.ComponentAction, why.Error = c.Action, c.Message
	}
	if d := f.Distribution; d != nil {
		if why.Error == "" {
			why.Error = d.Message
		}
		for _, r := range d.Regions {
			why.Regions = append(why.Regions, failedRegion{r.Region, r.AccountID, r.Status, r.ConfigurationStep, r.Message})
		}
	}
	return why
}

// Where says for people what failed: "step ApplyBuildComponents, component harden 1.2.0, phase
// build, step InstallAgent". It is empty when nothing but the error is known.
func (f *failure) Where() string {
	var parts []string
	add := func(what, value string) {
		if value != "" {
			parts = append(parts, what+" "+value)
		}
	}
	if f.Step == "" && f.ComponentARN == "" && f.Stage != "" {
		add("while it was", f.Stage)
	}
	add("step", f.Step)
	add("component", componentName(f.ComponentARN))
	add("phase", f.ComponentPhase)
	add("step", f.ComponentStep)
	return strings.Join(parts, ", ")
}

// componentName returns the name and the version in the ARN of a component,
// …:component/NAME/VERSION/BUILD, or what stands there instead.
func componentName(arn string) string {
	parts := strings.Split(arn[strings.LastIndex(arn, ":")+1:], "/")
	if len(parts) < 3 || parts[0] != "component" {
		return arn
	}
	return parts[1] + " " + parts[2]
}

// maxRegions is how many regions in which an image failed to arrive the page shows.
const maxRegions = 20

// FirstRegions returns as many of f.Regions as the page shows.
func (f *failure) FirstRegions() []failedRegion { return f.Regions[:min(maxRegions, len(f.Regions))] }

// MoreRegions returns how many it does not show.
func (f *failure) MoreRegions() int { return max(0, len(f.Regions)-maxRegions) }

// Text says for people what became of the distribution: "eu-central-1 for account
// 444455556666: TIMED_OUT at COPY_IMAGE: The copy did not end in time."
func (r failedRegion) Text() string {
	where, became := cmp.Or(r.Region, "a region"), r.Status
	if r.AccountID != "" {
		where += " for account " + r.AccountID
	}
	if r.ConfigurationStep != "" {
		became = cmp.Or(became, "failed") + " at " + r.ConfigurationStep
	}
	return strings.Join(slices.DeleteFunc([]string{where, became, r.Error}, func(s string) bool { return s == "" }), ": ")
}

// failed is a build at the top of the page that failed, and was not superseded: the newest
// one of its pipeline.
type failed struct {
	Target string
	Href   string // leads to the execution, or to the image
	Image  image
	Tags   string // of the pipeline, those that tag_labels names
	Older  int    // builds of the pipeline that failed, too
}

// newFailed returns those of images, which are images of k, that failed, the newest first: of
// each pipeline the newest one, of images without a pipeline all. Executions that failed and
// whose image is not known follow.
func newFailed(k *known, images []*lookup.Image, t *targetSection) []failed {
	broken := slices.DeleteFunc(slices.Clone(images), func(i *lookup.Image) bool { return !i.Status.Failed() || i.Superseded.True })
	slices.SortStableFunc(broken, func(a, b *lookup.Image) int { return compareImages(b, a) })
	rows := map[string]int{} // of pipelines, in all
	var all []failed
	for _, i := range broken {
		if row, ok := rows[i.Pipeline]; ok && i.Pipeline != "" {
			all[row].Older++
			continue
		}
		rows[i.Pipeline] = len(all)
		row := failed{
			Target: t.Name + " " + t.Region, Image: imageOf{i, k, t}.row(), Tags: tagsOf(k.byName[i.Pipeline], k.TagLabels),
		}
		if e := failedExecution(i, k.rows); e != nil {
			row.Href = executionHref(e.ID)
		}
		all = append(all, row)
	}
	k.leadToExecutions(all)
	for i := range all {
		if p := k.byName[all[i].Image.Pipeline]; p != nil { // which also knows of those that are not followed
			all[i].Older = max(all[i].Older, valueOr(p.FailedInRow, 0)-1)
		}
	}
	return append(all, failedAlone(k, t)...)
}

// leadToExecutions makes those of all whose image did not fail in an execution that is known lead to
// the newest execution of the image or, when there is none, to what has its ARN.
func (k *known) leadToExecutions(all []failed) {
	newest := map[string]*execution{} // by image, nil for one that has none yet
	for _, f := range all {
		if f.Href == "" {
			newest[f.Image.ARN] = nil
		}
	}
	for _, e := range k.rows {
		if n, wanted := newest[e.ImageARN]; wanted && (n == nil || compareTimes(n.Started, e.Started) < 0) {
			newest[e.ImageARN] = e
		}
	}
	for i := range all {
		f := &all[i]
		if f.Href != "" {
			continue
		}
		f.Href = "executions?" + url.Values{"target": {k.Name}, "region": {k.Region}, "q": {f.Image.ARN}}.Encode()
		if e := newest[f.Image.ARN]; e != nil {
			f.Href = executionHref(e.ID)
		}
	}
}

// failedAlone returns the executions of k that failed and pass the filters, and whose image is
// not known.
func failedAlone(k *known, t *targetSection) []failed {
	var all []failed
	for _, e := range k.rows {
		if !imagebuilder.Status(e.Status).Failed() || e.source.Superseded.True || !e.matches(t.Page.Query) || k.hasImage(e.ImageARN) {
			continue
		}
		all = append(all, failed{
			Target: t.Name + " " + t.Region, Href: executionHref(e.ID),
			Image: image{
				ARN: cmp.Or(e.ImageARN, e.ID), Name: e.Image, Version: e.Version, Status: e.Status, Pipeline: e.Pipeline,
				Reason: e.Message, Created: e.Started, Section: t,
			},
		})
	}
	return all
}

// hasImage reports whether the image with this ARN is known.
func (k *known) hasImage(arn string) bool {
	_, found := slices.BinarySearchFunc(k.images, arn, func(i *lookup.Image, arn string) int { return strings.Compare(i.ARN, arn) })
	return found
}

// failedExecution returns the one of rows, in the order of their ids, in which the image failed;
// nil when that, or what became of it, is not known.
func failedExecution(i *lookup.Image, rows []*execution) *execution {
	if i.Failed == nil {
		return nil
	}
	if e := find(rows, i.Failed.ExecutionID); e != nil && e.Status != "" {
		return e
	}
	return nil
}

// pipelinesByName returns the pipelines of s by the names that images have.
func pipelinesByName(s *lookup.Snapshot) map[string]*lookup.Pipeline {
	all := make(map[string]*lookup.Pipeline, len(s.Pipelines))
	for i := range s.Pipelines {
		all[s.Pipelines[i].Name] = &s.Pipelines[i]
	}
	return all
}

// tagsOf returns those tags of p, which may be nil, that have one of keys: "team=web, env=prod".
func tagsOf(p *lookup.Pipeline, keys []string) string {
	if p == nil {
		return ""
	}
	var all []string
	for _, key := range keys {
		if value, ok := p.Tags[key]; ok {
			all = append(all, fmt.Sprintf("%s=%s", key, value))
		}
	}
	return strings.Join(all, ", ")
}
