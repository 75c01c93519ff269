package main

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// scenario turns a file into what the emulator serves.
type scenario struct {
	start time.Time
	ids   map[string]bool // of executions
	names map[string]bool // ARNs
}

func (s *scenario) served(f file) (served, error) {
	if len(f.Accounts) == 0 {
		return served{}, errors.New("accounts: must have at least one account")
	}
	out := served{api: &emulator.API{}}
	for n, a := range f.Accounts {
		at := fmt.Sprintf("accounts[%d]", n)
		switch {
		case a.ID == "" || a.Region == "":
			return served{}, fmt.Errorf("%s: id and region are required", at)
		case n > 0 && a.RoleARN == "":
			return served{}, fmt.Errorf("%s: role_arn is required; only the first account is visible without a role", at)
		case n == 0 && a.RoleARN != "":
			return served{}, fmt.Errorf("%s: role_arn must be empty; the first account is visible without a role", at)
		case a.RoleARN == "" && a.ExternalID != "":
			return served{}, fmt.Errorf("%s: external_id requires role_arn", at)
		case a.RoleARN != "" && !s.first(string(a.RoleARN)):
			return served{}, fmt.Errorf("%s: role_arn must be unique", at)
		}
		content, err := s.account(a, at)
		if err != nil {
			return served{}, err
		}
		out.callers = append(out.callers, caller{string(a.Region), string(a.RoleARN), string(a.ExternalID)})
		if n == 0 {
			out.api.Scenario, out.api.AccountID = content, string(a.ID)
			continue
		}
		out.api.Roles = append(out.api.Roles, emulator.Role{ARN: string(a.RoleARN), ExternalID: string(a.ExternalID), Scenario: content})
	}
	return out, nil
}

// first reports whether a name has not been used before.
func (s *scenario) first(name string) bool {
	used := s.names[name]
	s.names[name] = true
	return !used
}

func (s *scenario) account(a account, at string) (*emulator.Account, error) {
	prefix := "arn:aws:imagebuilder:" + string(a.Region) + ":" + string(a.ID) + ":"
	out := &emulator.Account{}
	for n, p := range a.Pipelines {
		at := fmt.Sprintf("%s.pipelines[%d]", at, n)
		made := emulator.Pipeline{
			ARN: prefix + "image-pipeline/" + slug(p.Name), Name: string(p.Name), Platform: string(p.Platform), Tags: p.Tags, Disabled: p.Disabled,
		}
		switch {
		case p.Name == "":
			return nil, fmt.Errorf("%s: name is required", at)
		case !s.first(made.ARN):
			return nil, fmt.Errorf("%s: name must be unique among the pipelines of the account", at)
		}
		if p.NextRunIn != nil {
			made.NextRun = s.start.Add(time.Duration(*p.NextRunIn))
		}
		out.Pipelines = append(out.Pipelines, made)
		for m, i := range p.Images {
			i.Name, i.Platform = cmp.Or(i.Name, p.Name), cmp.Or(i.Platform, p.Platform)
			image, err := s.image(i, prefix, fmt.Sprintf("%s.images[%d]", at, m))
			if err != nil {
				return nil, err
			}
			image.PipelineARN = made.ARN
			out.Images = append(out.Images, image)
		}
	}
	for n, i := range a.Images {
		image, err := s.image(i, prefix, fmt.Sprintf("%s.images[%d]", at, n))
		if err != nil {
			return nil, err
		}
		out.Images = append(out.Images, image)
	}
	return out, nil
}

// image returns an image of the account with this prefix of ARNs.
func (s *scenario) image(i image, prefix, at string) (emulator.Image, error) {
	if i.Name == "" {
		return emulator.Image{}, fmt.Errorf("%s: name is required", at)
	}
	out := emulator.Image{
		ARN:  fmt.Sprintf("%simage/%s/%s/%d", prefix, slug(i.Name), cmp.Or(i.Version, "1.0.0"), cmp.Or(i.Build, 1)),
		Name: string(i.Name), Platform: string(i.Platform), Type: string(i.Type), Tags: i.Tags,
		Created: s.start.Add(-time.Duration(i.CreatedAgo)),
	}
	if !s.first(out.ARN) {
		return out, fmt.Errorf("%s: another image has the name, version and build of %s", at, out.ARN)
	}
	if i.AMI != "" {
		out.Outputs = []emulator.Output{{Region: strings.Split(prefix, ":")[3], AMI: string(i.AMI)}}
	}
	runs := 0
	for n, a := range i.Attempts {
		begin := out.Created
		switch {
		case a.StartAgo == nil && n > 0:
			return out, fmt.Errorf("%s.attempts[%d]: start_ago is required; only the first attempt starts when the image is created", at, n)
		case a.StartAgo != nil:
			begin = s.start.Add(-time.Duration(*a.StartAgo))
		}
		made := emulator.Attempt{Start: begin}
		for m, r := range a.Runs {
			run, err := s.run(r, fmt.Sprint(out.ARN, " ", runs), fmt.Sprintf("%s.attempts[%d].runs[%d]", at, n, m))
			if err != nil {
				return out, err
			}
			run.Start = begin
			if r.StartAgo != nil {
				run.Start = s.start.Add(-time.Duration(*r.StartAgo))
			}
			begin = run.Start.Add(takes(run))
			made.Runs = append(made.Runs, run)
			runs++
		}
		out.Attempts = append(out.Attempts, made)
	}
	return out, nil
}

// run returns an execution. Without an id it gets one that follows from what it is.
func (s *scenario) run(r execution, is, at string) (emulator.Run, error) {
	h := sha256.Sum256([]byte(is))
	id := cmp.Or(string(r.ID), fmt.Sprintf("wf-%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]))
	kind := cmp.Or(string(r.Type), "BUILD")
	switch {
	case len(r.Steps) == 0:
		return emulator.Run{}, fmt.Errorf("%s: steps is required", at)
	case s.ids[id]:
		return emulator.Run{}, fmt.Errorf("%s: another execution has the id %s", at, id)
	case len(s.ids) == maxExecutions:
		return emulator.Run{}, fmt.Errorf("%s: a scenario can have at most %d executions", at, maxExecutions)
	}
	s.ids[id] = true
	out := emulator.Run{
		ID: id, Type: kind, Rollback: time.Duration(r.Rollback), Cancelled: time.Duration(r.Cancelled),
		WorkflowBuildVersionARN: "arn:aws:imagebuilder:" + strings.Split(is, ":")[3] + ":aws:workflow/" + workflows[kind],
	}
	for n, p := range r.Steps {
		if p.Name == "" {
			return out, fmt.Errorf("%s.steps[%d]: name is required", at, n)
		}
		out.Steps = append(out.Steps, emulator.Step{
			Name: string(p.Name), Action: string(p.Action), Takes: time.Duration(p.Takes), Timeout: time.Duration(p.Timeout),
			Ends: endsOf[cmp.Or(string(p.Ends), "succeeded")], Waits: p.Waits, Inputs: string(p.Inputs), Outputs: string(p.Outputs),
		})
	}
	return out, nil
}

// workflows are those that AWS owns, by the type of an execution.
var workflows = map[string]string{
	"BUILD": "build/build-image/1.0.3/1", "TEST": "test/test-image/1.0.2/1", "DISTRIBUTION": "distribution/distribute-image/1.0.0/1",
}

// takes returns how long a run takes if nothing stops it.
func takes(r emulator.Run) (all time.Duration) {
	for _, s := range r.Steps {
		if s.Ends != emulator.SkippedStep {
			all += s.Takes
		}
	}
	return all
}

// slug returns the name in the form that an ARN has.
func slug(name thingName) string {
	return strings.ReplaceAll(strings.ToLower(string(name)), " ", "-")
}
