package check

import (
	"cmp"
	"context"
	"slices"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// call is how an operation is tried.
type call struct {
	operation imagebuilder.Operation
	// needed reports whether the selection needs the operation.
	needed func(*trial) bool
	// subject returns what is asked about, or else why that is unknown. It is nil for an
	// operation that asks about the whole account and region.
	subject func(*trial) (subject, unknown string)
	// ask makes the call, and keeps what later calls can ask about.
	ask func(ctx context.Context, t *trial, subject string) error
}

// calls has each operation once, in the order in which they are tried.
var calls = []call{
	{
		operation: imagebuilder.GetWorkflowExecution,
		needed:    func(t *trial) bool { return len(t.WorkflowExecutions) > 0 },
		subject:   func(t *trial) (subject, unknown string) { return t.WorkflowExecutions[0], "" },
		ask: func(ctx context.Context, t *trial, id string) error {
			_, err := t.Client.GetWorkflowExecution(ctx, id, nil)
			if !refused(err) {
				t.execution = id
			}
			return err
		},
	},
	{
		operation: imagebuilder.ListImagePipelines,
		needed:    func(t *trial) bool { return len(t.Pipelines) > 0 },
		ask: func(ctx context.Context, t *trial, _ string) error {
			all, err := t.Client.ListImagePipelines(ctx, nil)
			if err == nil {
				t.match(all)
			}
			return err
		},
	},
	{
		operation: imagebuilder.ListImagePipelineImages,
		needed:    func(t *trial) bool { return len(t.Pipelines) > 0 },
		subject:   (*trial).firstPipeline,
		ask: func(ctx context.Context, t *trial, _ string) (err error) {
			var images []imagebuilder.Image
			// A pipeline may not have built anything yet.
			for n := 0; err == nil && len(images) == 0 && n < min(len(t.matching), 5); n++ {
				images, err = t.first.ListImagePipelineImages(ctx, t.matching[n], nil)
			}
			t.found(images)
			return err
		},
	},
	{
		operation: imagebuilder.ListImages,
		needed:    func(t *trial) bool { return len(t.ImageSelectors) > 0 },
		ask: func(ctx context.Context, t *trial, _ string) error {
			all, err := t.Client.ListImages(ctx, nil)
			if err == nil {
				t.matchImages(all)
			}
			return err
		},
	},
	{
		operation: imagebuilder.ListImageBuildVersions,
		needed:    func(t *trial) bool { return t.version != "" || len(t.ImageSelectors) > 0 },
		subject:   (*trial).firstVersion,
		ask: func(ctx context.Context, t *trial, version string) error {
			images, err := t.first.ListImageBuildVersions(ctx, version, nil)
			t.found(images)
			return err
		},
	},
	{
		operation: imagebuilder.GetImage,
		needed:    (*trial).selectsImages,
		subject:   func(t *trial) (subject, unknown string) { return cmp.Or(t.build, t.image), "no build is known" },
		ask: func(ctx context.Context, t *trial, build string) error {
			_, err := t.Client.GetImage(ctx, build, nil)
			if !refused(err) {
				t.image = build
			}
			return err
		},
	},
	{
		operation: imagebuilder.ListWorkflowExecutions,
		needed:    (*trial).selectsImages,
		subject:   func(t *trial) (subject, unknown string) { return t.image, "no build is known" },
		ask: func(ctx context.Context, t *trial, build string) error {
			all, err := t.first.ListWorkflowExecutions(ctx, build, nil)
			if len(all) > 0 && t.execution == "" {
				t.execution = all[0].ID
			}
			return err
		},
	},
	{
		operation: imagebuilder.ListWorkflowStepExecutions,
		needed:    func(t *trial) bool { return t.Steps != lookup.StepsNone && t.Steps != "" },
		subject:   func(t *trial) (subject, unknown string) { return t.execution, "no execution is known" },
		ask: func(ctx context.Context, t *trial, id string) error {
			_, err := t.first.ListWorkflowStepExecutions(ctx, id, nil)
			return err
		},
	},
	{
		operation: imagebuilder.ListWaitingWorkflowSteps,
		needed:    func(t *trial) bool { return t.Waiting },
		ask: func(ctx context.Context, t *trial, _ string) error {
			all, err := t.first.ListWaitingWorkflowSteps(ctx, nil)
			if len(all) > 0 {
				t.step = all[0].ID
			}
			return err
		},
	},
	{
		operation: imagebuilder.GetWorkflowStepExecution,
		needed:    func(t *trial) bool { return t.Waiting },
		subject:   func(t *trial) (subject, unknown string) { return t.step, "no waiting step is known" },
		ask: func(ctx context.Context, t *trial, id string) error {
			_, err := t.Client.GetWorkflowStepExecution(ctx, id, nil)
			return err
		},
	},
}

// selectsImages reports whether images are selected, by themselves or through pipelines.
func (t *trial) selectsImages() bool {
	return len(t.Pipelines)+len(t.Images)+len(t.ImageSelectors) > 0
}

// firstPipeline returns the first of the pipelines that are selected.
func (t *trial) firstPipeline() (subject, unknown string) {
	switch {
	case len(t.matching) > 0:
		return t.matching[0], ""
	case t.listed >= 0:
		return "", "no pipeline matches"
	}
	return "", "no pipeline is known"
}

// match keeps the ARNs of the pipelines that are selected, and the selectors that match none.
func (t *trial) match(all []imagebuilder.Pipeline) {
	t.listed = len(all)
	for _, p := range all {
		if slices.ContainsFunc(t.Pipelines, func(s lookup.Selector) bool { return s.MatchesPipeline(&p) }) {
			t.matching = append(t.matching, p.ARN)
		}
	}
	for _, s := range t.Pipelines {
		if !slices.ContainsFunc(all, func(p imagebuilder.Pipeline) bool { return s.MatchesPipeline(&p) }) {
			t.unmatched = append(t.unmatched, unmatched{"pipeline", s.Text})
		}
	}
}

// matchImages keeps the newest version whose name is selected, and the selectors that match no
// name. Which tags its builds have is not tried.
func (t *trial) matchImages(all []imagebuilder.ImageVersion) {
	names, matched := map[string]bool{}, map[string]bool{}
	var newest imagebuilder.ImageVersion
	for _, v := range all {
		names[v.Name] = true
		for _, s := range t.ImageSelectors {
			if !s.MatchesName(v.Name) {
				continue
			}
			if matched[s.Text] = true; newest.ARN == "" || v.Created.After(newest.Created) {
				newest = v
			}
		}
	}
	t.names, t.version = len(names), cmp.Or(t.version, newest.ARN)
	for _, s := range t.ImageSelectors {
		if !matched[s.Text] {
			t.unmatched = append(t.unmatched, unmatched{"image", s.Text})
		}
	}
}

// firstVersion returns an image version that is selected: by its ARN or by a selector.
func (t *trial) firstVersion() (subject, unknown string) {
	switch {
	case t.version != "":
		return t.version, ""
	case t.names >= 0:
		return "", "no image matches"
	}
	return "", "no image is known"
}

// found keeps the newest of builds: an old one may be forgotten by the service.
func (t *trial) found(builds []imagebuilder.Image) {
	if len(builds) > 0 {
		newest := slices.MaxFunc(builds, func(a, b imagebuilder.Image) int { return a.Compare(&b) })
		t.image = newest.ARN
	}
}
