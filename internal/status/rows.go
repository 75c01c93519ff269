package status

import (
	"cmp"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// waiting is a step that waits for an approval.
type waiting struct {
	ExecutionID string    `json:"workflow_execution_id"`
	Step        string    `json:"step"`
	Since       time.Time `json:"waiting_since"`
	// Timeout is when the step gives up, nil for not known.
	Timeout *time.Time `json:"timeout,omitempty"`

	Image, Version, Target string `json:"-"`
	Tags                   string `json:"-"` // of the pipeline, those that tag_labels names
	Href                   string `json:"-"` // leads to the execution
}

// newWaiting returns the rows of steps of s that wait for an approval.
func newWaiting(s *lookup.Snapshot, steps []lookup.WaitingStep) []waiting {
	if len(steps) == 0 {
		return nil
	}
	executions, pipelines := map[string]*lookup.Execution{}, pipelinesByName(s)
	for i := range s.Executions { // of what is settled nothing waits
		executions[s.Executions[i].ID] = &s.Executions[i]
	}
	var all []waiting
	for _, w := range steps {
		row := waiting{
			ExecutionID: w.ExecutionID, Step: w.Name, Since: w.Since.UTC(), Timeout: optionalTime(w.Timeout),
			Target: s.Name + " " + s.Region, Href: executionHref(w.ExecutionID),
		}
		if x := executions[w.ExecutionID]; x != nil {
			row.Tags = tagsOf(pipelines[x.Pipeline], s.TagLabels)
			if x.Value != nil {
				row.Image, row.Version = x.Value.Image.Name, x.Value.Image.Version
			}
		}
		all = append(all, row)
	}
	return all
}

// image is a row of the table of images.
type image struct {
	ARN      string     `json:"image_build_version_arn"`
	Name     string     `json:"image_name"`
	Version  string     `json:"image_version"`
	Status   string     `json:"status"`
	Reason   string     `json:"reason,omitempty"`
	Pipeline string     `json:"pipeline,omitempty"`
	Created  *time.Time `json:"created,omitempty"`
	// Failure says why it failed, nil for not known.
	Failure     *failure   `json:"failure,omitempty"`
	Deprecation *time.Time `json:"deprecation_time,omitempty"`
	Logs        string     `json:"logs_url,omitempty"` // in CloudWatch; complete once the build has ended
	Outputs     []output   `json:"outputs,omitempty"`
	// Why the last list of its executions has failed, empty when it has not.
	ErrorClass string `json:"lookup_error_class,omitempty"`
	Error      string `json:"lookup_error,omitempty"`

	Section *targetSection `json:"-"`
}

// PipelineHref leads to the page of its pipeline.
func (i image) PipelineHref() string {
	return pipelineHref(i.Section.Name, i.Section.Region, i.Pipeline)
}

// output is what a build has made. What is not known is empty.
type output struct {
	Region    string `json:"output_region"`
	ID        string `json:"output"`
	AccountID string `json:"account_id,omitempty"`
	State     string `json:"state,omitempty"`
	Reason    string `json:"reason,omitempty"` // of the state
}

// newImage returns the row of an image that p has made, which is nil for not known.
func newImage(i *lookup.Image, p *lookup.Pipeline) image {
	row := image{
		ARN: i.ARN, Name: i.Build.Name, Version: i.Build.Version, Pipeline: i.Pipeline,
		Status: string(i.Status), Reason: i.Image.Reason, Created: optionalTime(i.Created),
		Failure: newFailure(i.Failed), Deprecation: optionalTime(i.Deprecates),
		ErrorClass: string(i.Failure), Error: i.Reason,
	}
	group := i.LogGroup
	if p != nil {
		group = cmp.Or(group, p.ImageLogGroup)
	}
	row.Logs = imageLogs(i.ARN, group, i.Build)
	for _, o := range i.Outputs {
		row.Outputs = append(row.Outputs, output(o))
	}
	return row
}

// lookupError is a row of the table of lookups that fail.
type lookupError struct {
	Operation string `json:"operation"`
	Subject   string `json:"subject,omitempty"` // empty for the whole account and region
	Class     string `json:"lookup_error_class"`
	Reason    string `json:"lookup_error"`
}

func newLookupError(e lookup.FailedLookup) lookupError {
	return lookupError{Operation: string(e.Operation), Subject: e.Subject, Class: string(e.Class), Reason: e.Reason}
}

// selector says how many pipelines a selector of the configuration matches.
type selector struct {
	Text      string `json:"selector"`
	Pipelines int    `json:"pipelines"`
}

// imageSelector says how many images, by their names, a selector of images matches.
type imageSelector struct {
	Text   string `json:"selector"`
	Images int    `json:"images"`
}

// optionalTime returns t in UTC, or nil when t is zero.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

// optionalSeconds returns d in seconds, or nil when d is zero.
func optionalSeconds(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	return new(d.Seconds())
}
