package check

import (
	"context"
	"fmt"
	"strings"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// trial is a Request that is tried.
type trial struct {
	*Request
	first    *imagebuilder.Client // whose lists end after a page
	identity string               // that asks
	account  string               // the beginning of the ARNs of its account
	report   report

	// What there is to ask about, empty as long as it is not known.
	version   string   // the ARN of an image version that is selected
	build     string   // the ARN of an image build version that is selected
	listed    bool     // whether the pipelines are known
	matching  []string // the ARNs of pipelines that are selected
	image     string   // the ARN of an image build version
	execution string   // the id of a workflow execution
}

// try tries one target.
func try(ctx context.Context, request *Request) report {
	t := &trial{Request: request, first: request.Client.FirstPages(), report: report{ok: true}}
	for _, arn := range t.Images {
		if parsed, err := imagebuilder.ParseImageARN(arn); err == nil && parsed.Build {
			t.build = arn
		} else if err == nil {
			t.version = arn
		}
	}
	if t.authenticate(ctx) {
		for i := range calls {
			t.call(ctx, &calls[i])
		}
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
	t.account = accountARN(t.Region, t.identity, t.Role.ARN)
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

// call tries an operation, if the selection needs it and there is something to ask about.
func (t *trial) call(ctx context.Context, c *call) {
	if !c.needed(t) {
		return
	}
	l := line{action: "imagebuilder:" + string(c.operation)}
	subject, unknown := "", ""
	if c.subject != nil {
		subject, unknown = c.subject(t)
	}
	if c.subject != nil && subject == "" {
		l.verdict, l.text = untried, "("+unknown+")"
	} else {
		l.err = c.ask(ctx, t, subject)
		l.verdict, l.text = t.judge(l.err, t.resource(c.operation, subject))
	}
	t.report.add(l)
}

// judge returns what err says about the permission for a resource.
func (t *trial) judge(err error, resource string) (v verdict, text string) {
	switch {
	case err == nil:
		return allowed, ""
	case refused(err): // permissions are checked first
		return allowed, "(but it is refused: does it exist?)"
	case imagebuilder.ClassOf(err) == imagebuilder.Denied:
		return missing, fmt.Sprintf("on %s for %s", resource, t.identity)
	}
	return failed, ""
}

// resource returns what IAM policies have to name: all resources of a kind, in the
// account of subject if that is an ARN.
func (t *trial) resource(operation imagebuilder.Operation, subject string) string {
	kind := operation.Resource()
	if kind == "*" {
		return kind
	}
	if parts := strings.SplitN(subject, ":", 6); len(parts) == 6 {
		return strings.Join(parts[:5], ":") + ":" + kind
	}
	return t.account + kind
}

// refused reports whether err says that what was asked about is not there. What is only
// denied can be asked about in another way.
func refused(err error) bool {
	class := imagebuilder.ClassOf(err)
	return err != nil && (class == imagebuilder.NotFound || class == imagebuilder.BadRequest)
}
