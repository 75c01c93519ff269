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
	arn      string               // of who asks; empty if STS does not say
	identity string               // who asks, in words
	printed  strings.Builder
	ok       bool // whether nothing is missing and nothing has failed

	// What there is to ask about, empty as long as it is not known.
	version   string   // the ARN of an image version that is selected, by it or by its name
	build     string   // the ARN of an image build version that is selected
	listed    int      // how many pipelines there are, -1 as long as that is not known
	matching  []string // the ARNs of pipelines that are selected
	names     int      // how many names of images there are, -1 as long as that is not known
	unmatched []unmatched
	step      string // the id of a step that waits
	image     string // the ARN of an image build version
	execution string // the id of a workflow execution
}

// try carries out one request.
func try(ctx context.Context, request *Request) *trial {
	t := &trial{Request: request, first: request.Client.FirstPages(), ok: true, listed: -1, names: -1}
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
	return t
}

// authenticate gets credentials, finds out whose they are, and reports whether the calls can be tried.
func (t *trial) authenticate(ctx context.Context) bool {
	title := fmt.Sprintf("%s, %s: credentials from %s", t.Name, t.Region, t.Client.CredentialsSource())
	if err := t.Client.Authenticate(ctx); err != nil {
		t.line(title)
		t.noCredentials(ctx, err)
		return false
	}
	var err error
	t.arn, err = t.Client.Identity(ctx)
	switch {
	case t.Role.ARN != "":
		t.identity = "the role " + t.Role.ARN
	case err != nil: // the calls may be allowed: GetCallerIdentity is no call of the exporter
		t.identity = "these credentials"
		t.line(title + ", identity unknown (" + reason(err) + ")")
		t.said(err)
		return true
	default:
		t.identity = t.arn
	}
	t.line(title + ", " + t.identity)
	return true
}

// noCredentials prints why there are no credentials, or why they cannot assume the role.
func (t *trial) noCredentials(ctx context.Context, err error) {
	const action = "sts:AssumeRole"
	switch {
	case t.Role.ARN == "":
		t.print(failed, "credentials", "("+reason(err)+")", err)
	case imagebuilder.NoCredentials(err):
		t.print(failed, "credentials", "to assume "+t.Role.ARN+" ("+reason(err)+")", err)
	case !deniedCall(err):
		t.print(failed, action, "on "+t.Role.ARN+" ("+reason(err)+")", err)
	default:
		t.print(missing, action, fmt.Sprintf("on %s for %s; or the trust policy of the role does not allow it, "+
			"or requires another external_id", t.Role.ARN, t.baseIdentity(ctx)), err)
	}
}

// baseIdentity returns who assumes the role, or why that is unknown.
func (t *trial) baseIdentity(ctx context.Context) string {
	arn, err := t.Client.BaseIdentity(ctx)
	if err != nil {
		return "these credentials, identity unknown (" + reason(err) + ")"
	}
	return arn
}

// call tries an operation, if the selection needs it and there is something to ask about.
func (t *trial) call(ctx context.Context, c *call) {
	if !c.needed(t) {
		return
	}
	action := "imagebuilder:" + string(c.operation)
	subject, unknown := "", ""
	if c.subject != nil {
		if subject, unknown = c.subject(t); subject == "" {
			t.print(untried, action, "("+unknown+")", nil)
			return
		}
	}
	err := c.ask(ctx, t, subject)
	switch {
	case err == nil:
		t.print(allowed, action, "", nil)
	case imagebuilder.FromAnotherService(c.operation, err):
		t.print(failed, action, "(the answer did not come from Image Builder; check endpoint_url and proxies)", err)
	case refused(err): // permissions are checked first
		t.print(allowed, action, "(but AWS rejected the request; does the resource exist?)", err)
	case imagebuilder.ClassOf(err) == imagebuilder.Denied:
		t.print(missing, action, fmt.Sprintf("on %s for %s", t.resource(c.operation, subject), t.identity), err)
	default:
		t.print(failed, action, "", err)
	}
}

// resource returns what IAM policies have to name: all resources of a kind, in the account
// of the subject or of who asks, or in any account.
func (t *trial) resource(operation imagebuilder.Operation, subject string) string {
	kind := operation.Resource()
	if kind == "*" {
		return kind
	}
	for _, arn := range []string{subject, t.arn, t.Role.ARN} {
		if parts := strings.Split(arn, ":"); len(parts) >= 6 {
			return fmt.Sprintf("arn:%s:imagebuilder:%s:%s:%s", parts[1], t.Region, parts[4], kind)
		}
	}
	return "arn:aws:imagebuilder:" + t.Region + ":*:" + kind
}

// refused reports whether err says that what was asked about is not there. What is only
// denied can be asked about in another way.
func refused(err error) bool {
	class := imagebuilder.ClassOf(err)
	return class == imagebuilder.NotFound || class == imagebuilder.BadRequest
}
