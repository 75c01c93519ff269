package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// trial is a Target that is tried.
type trial struct {
	*Target
	first    *imagebuilder.Client // whose lists end after a page
	identity string               // in whose name it is asked
	arn      string               // the beginning of the ARNs of its account
	report   report

	image     string // the ARN of an image build version, empty as long as none is known
	execution string // an id, empty as long as none is known
}

// try tries one target.
func try(ctx context.Context, target *Target) report {
	t := &trial{Target: target, first: target.Client.FirstPages(), report: report{ok: true}}
	if t.authenticate(ctx) {
		t.executions(ctx)
		t.pipelines(ctx)
		t.images(ctx)
		t.builds(ctx)
		t.steps(ctx)
	}
	return t.report
}

// authenticate makes sure that there are credentials, finds out whose they are, and
// reports whether it makes sense to go on.
func (t *trial) authenticate(ctx context.Context) bool {
	t.report.title = fmt.Sprintf("%s, %s: credentials from %s", t.Name, t.Region, t.Client.CredentialsSource())
	err := t.Client.Authenticate(ctx)
	switch {
	case err == nil:
	case t.Role.ARN == "":
		t.report.add(line{verdict: failed, action: "credentials", err: err})
		return false
	default:
		t.assumeRole(ctx, err)
		return false
	}
	t.identity, err = t.Client.Identity(ctx)
	t.arn = accountARN(t.Region, t.identity, t.Role.ARN)
	switch {
	case t.Role.ARN != "":
		t.identity = "the role " + t.Role.ARN
	case err != nil:
		t.identity = "these credentials"
	}
	t.report.title += ", " + t.identity
	return true
}

// accountARN returns the beginning of the ARNs of Image Builder in a region and in the
// account of the first of the identities that is an ARN, or in any account.
func accountARN(region string, identities ...string) string {
	for _, identity := range identities {
		if parts := strings.Split(identity, ":"); len(parts) >= 6 {
			return fmt.Sprintf("arn:%s:imagebuilder:%s:%s:", parts[1], region, parts[4])
		}
	}
	return "arn:aws:imagebuilder:" + region + ":*:"
}

// assumeRole says why the role cannot be assumed.
func (t *trial) assumeRole(ctx context.Context, err error) {
	const action = "sts:AssumeRole"
	if class := imagebuilder.ClassOf(err); class != imagebuilder.Denied {
		t.report.add(line{verdict: failed, action: action, text: "on " + t.Role.ARN, err: err})
		return
	}
	base, baseErr := t.Client.BaseIdentity(ctx)
	if baseErr != nil { // there is nobody to assume it
		t.report.add(line{verdict: failed, action: "credentials", text: "to assume " + t.Role.ARN, err: err})
		return
	}
	t.report.add(line{
		verdict: missing, action: action, err: err,
		text: fmt.Sprintf("on %s for %s; or the role's trust policy does not allow it, or not with this external_id", t.Role.ARN, base),
	})
}

// call tries an operation, on a resource as IAM names it. It returns its error, which is
// in the report then.
func (t *trial) call(operation, resource string, f func() error) error {
	err := f()
	l := line{verdict: allowed, action: "imagebuilder:" + operation}
	switch class := imagebuilder.ClassOf(err); {
	case err == nil:
	case refused(err): // permissions come first
		l.text, l.err = "(but it is refused: does it exist?)", err
	case class == imagebuilder.Denied:
		l.verdict, l.text, l.err = missing, fmt.Sprintf("on %s for %s", resource, t.identity), err
	default:
		l.verdict, l.err = failed, err
	}
	t.report.add(l)
	return err
}

// refused reports whether err says that what was asked about is not there. What is only
// denied can be asked about in another way.
func refused(err error) bool {
	class := imagebuilder.ClassOf(err)
	return err != nil && (class == imagebuilder.NotFound || class == imagebuilder.BadRequest)
}

// skip says why an operation cannot be tried.
func (t *trial) skip(operation, why string) {
	t.report.add(line{verdict: untried, action: "imagebuilder:" + operation, text: "(" + why + ")"})
}

func (t *trial) executions(ctx context.Context) {
	if len(t.WorkflowExecutions) == 0 {
		return
	}
	id := t.WorkflowExecutions[0]
	err := t.call("GetWorkflowExecution", t.arn+"workflow-execution/*", func() error {
		_, err := t.Client.GetWorkflowExecution(ctx, id, nil)
		return err
	})
	if !refused(err) {
		t.execution = id
	}
}

func (t *trial) pipelines(ctx context.Context) {
	if len(t.Pipelines) == 0 {
		return
	}
	var matching []string
	err := t.call("ListImagePipelines", "*", func() error {
		all, err := t.Client.ListImagePipelines(ctx, nil)
		matching = t.match(all)
		return err
	})
	switch {
	case err != nil:
		t.skip("ListImagePipelineImages", "no pipeline is known")
	case len(matching) == 0:
		t.skip("ListImagePipelineImages", "no pipeline matches")
	default:
		_ = t.call("ListImagePipelineImages", resource(matching[0], "image-pipeline/*"), func() error {
			var images []imagebuilder.Image
			var err error
			// A pipeline may not have built anything yet.
			for n := 0; err == nil && len(images) == 0 && n < min(len(matching), 5); n++ {
				images, err = t.first.ListImagePipelineImages(ctx, matching[n], nil)
			}
			t.found(images)
			return err
		})
	}
}

// match returns the ARNs of the pipelines that are selected, and remarks upon selectors
// that select none.
func (t *trial) match(all []imagebuilder.Pipeline) []string {
	var matching []string
	used := make([]bool, len(t.Pipelines))
	for i := range all {
		selected := false
		for s := range t.Pipelines {
			if t.Pipelines[s].Matches(&all[i]) {
				selected, used[s] = true, true
			}
		}
		if selected {
			matching = append(matching, all[i].ARN)
		}
	}
	for s := range used {
		if !used[s] && len(all) > 0 {
			t.report.add(line{verdict: untried, action: "pipelines", text: fmt.Sprintf("(none of %d matches selector %d)", len(all), s+1)})
		}
	}
	return matching
}

// images tries one image of each kind.
func (t *trial) images(ctx context.Context) {
	var version, build string
	for _, arn := range t.Images {
		if parsed, err := imagebuilder.ParseImageARN(arn); err == nil && parsed.Build {
			build = arn
		} else if err == nil {
			version = arn
		}
	}
	if version != "" {
		_ = t.call("ListImageBuildVersions", resource(version, "image/*"), func() error {
			images, err := t.first.ListImageBuildVersions(ctx, version, nil)
			t.found(images)
			return err
		})
	}
	switch {
	case len(t.Images) == 0:
		return
	case build == "" && t.image == "":
		t.skip("GetImage", "no build is known")
		return
	case build == "":
		build = t.image
	}
	err := t.call("GetImage", resource(build, "image/*"), func() error {
		_, err := t.Client.GetImage(ctx, build, nil)
		return err
	})
	if !refused(err) {
		t.image = build
	}
}

// found takes in builds, of which the newest is tried: what is old may be forgotten.
func (t *trial) found(images []imagebuilder.Image) {
	if len(images) > 0 {
		newest := slices.MaxFunc(images, func(a, b imagebuilder.Image) int { return a.Compare(&b) })
		t.image = newest.ARN
	}
}

func (t *trial) builds(ctx context.Context) {
	const operation = "ListWorkflowExecutions"
	switch {
	case len(t.Pipelines) == 0 && len(t.Images) == 0:
	case t.image == "":
		t.skip(operation, "no build is known")
	default:
		_ = t.call(operation, resource(t.image, "image/*"), func() error {
			all, err := t.first.ListWorkflowExecutions(ctx, t.image, nil)
			if len(all) > 0 && t.execution == "" {
				t.execution = all[0].ID
			}
			return err
		})
	}
}

func (t *trial) steps(ctx context.Context) {
	const operation = "ListWorkflowStepExecutions"
	switch {
	case t.Steps == lookup.StepsNone || t.Steps == "":
	case t.execution == "":
		t.skip(operation, "no execution is known")
	default:
		_ = t.call(operation, t.arn+"workflow-execution/*", func() error {
			_, err := t.first.ListWorkflowStepExecutions(ctx, t.execution, nil)
			return err
		})
	}
	if t.Waiting {
		_ = t.call("ListWaitingWorkflowSteps", "*", func() error {
			_, err := t.first.ListWaitingWorkflowSteps(ctx, nil)
			return err
		})
	}
}

// resource returns what stands for all resources of a kind where that of the ARN is.
func resource(arn, kind string) string {
	parts := strings.SplitN(arn, ":", 6)
	return strings.Join(append(parts[:len(parts)-1:len(parts)-1], kind), ":")
}
