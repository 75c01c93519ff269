package status

import (
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// waiting is a step that waits for an approval.
type waiting struct {
	ExecutionID string    `json:"workflow_execution_id"`
	Step        string    `json:"step"`
	Since       time.Time `json:"waiting_since"`

	Image, Version, Target string `json:"-"`
	Href                   string `json:"-"` // leads to the execution
}

// newWaiting returns the steps that wait for an approval. link returns the address of an
// execution.
func newWaiting(s *lookup.Snapshot, t *targetSection, link func(id string) string) []waiting {
	images := map[string]imagebuilder.ImageBuildVersion{}
	for _, x := range s.Executions {
		if x.Value != nil {
			images[x.ID] = x.Value.Image
		}
	}
	var all []waiting
	for _, w := range s.Waiting {
		i := images[w.ExecutionID]
		all = append(all, waiting{
			ExecutionID: w.ExecutionID, Step: w.Name, Since: w.Since.UTC(),
			Image: i.Name, Version: i.Version, Target: t.Name + " " + t.Region, Href: link(w.ExecutionID),
		})
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
	Outputs  []string   `json:"outputs,omitempty"` // "REGION ID"
	// Why the last list of its executions has failed, empty when it has not.
	ErrorClass string `json:"lookup_error_class,omitempty"`
	Error      string `json:"lookup_error,omitempty"`
}

func newImage(i lookup.Image) image {
	row := image{
		ARN: i.ARN, Name: i.Build.Name, Version: i.Build.Version, Pipeline: i.Pipeline,
		Status: string(i.Status), Reason: i.Image.Reason, Created: optionalTime(i.Created),
		ErrorClass: string(i.Failure), Error: i.Reason,
	}
	for _, o := range i.Outputs {
		row.Outputs = append(row.Outputs, o.Region+" "+o.ID)
	}
	return row
}

// pipeline is a row of the table of pipelines. What is not known is empty.
type pipeline struct {
	ARN         string     `json:"pipeline_arn"`
	Name        string     `json:"pipeline"`
	Enabled     *bool      `json:"enabled,omitempty"`
	LastRun     string     `json:"last_run_status,omitempty"`
	Failures    *int       `json:"consecutive_failures,omitempty"`
	NextRun     *time.Time `json:"next_run,omitempty"`
	LastSuccess *time.Time `json:"last_success,omitempty"`
}

func newPipeline(p lookup.Pipeline) pipeline {
	row := pipeline{
		ARN: p.ARN, Name: p.Name, LastRun: string(p.LastRunStatus), Failures: p.ConsecutiveFailures,
		NextRun: optionalTime(p.NextRun), LastSuccess: optionalTime(p.LastSuccess),
	}
	if enabled, known := p.Enabled(); known {
		row.Enabled = &enabled
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

// optionalTime returns t in UTC, or nil when t is zero.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}
