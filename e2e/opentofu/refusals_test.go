package opentofu

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestRefusals holds that what cannot be meant is refused with one sentence, before
// anything is made, and that a secret does not stand in it.
func TestRefusals(t *testing.T) {
	const (
		ec2    = `trust = "ec2"`
		region = `regions = ["eu-west-1"]`
		role   = `trust = "role"`
		arn    = `trusted_role_arn = "arn:aws:iam::111122223333:role/monitoring"`
		oidc   = `oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"`
		pod    = `service_account = { namespace = "monitoring", name = "imagebuilder-exporter" }`
		spaced = "kept from everybody" // an external id that is none
	)
	regions := []string{}
	for _, letters := range []string{"a", "b", "c", "d"} {
		for _, number := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"} {
			regions = append(regions, "xx-north"+letters+"-"+number)
		}
	}
	refused := map[string][][]string{
		"trust must be ec2, irsa, pod-identity or role.": {
			{`trust = "lambda"`, region},
		},
		`trusted_role_arn belongs to trust = "role", and to no other.`: {
			{role, region},
			{ec2, arn, region},
		},
		"trusted_role_arn must be the ARN of a role, as in arn:aws:iam::111122223333:role/monitoring.": {
			{role, `trusted_role_arn = "monitoring"`, region},
			{role, `trusted_role_arn = "*"`, region},
			{role, `trusted_role_arn = "arn:aws:iam::111122223333:role/*"`, region},
		},
		`external_id belongs to trust = "role", and to no other.`: {
			{ec2, `external_id = "some"`, region},
		},
		"external_id must have 2 to 1224 letters, digits and _+=,.@:/-.": {
			{role, arn, `external_id = ""`, region},
			{role, arn, `external_id = "x"`, region},
			{role, arn, `external_id = "` + strings.Repeat("x", 1225) + `"`, region},
			{role, arn, `external_id = var.secret`, region},
		},
		`oidc_provider_arn belongs to trust = "irsa", and to no other.`: {
			{`trust = "irsa"`, pod, region},
			{`trust = "pod-identity"`, pod, oidc, region},
		},
		"oidc_provider_arn must be the ARN of an OIDC provider, as in arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE.": {
			{`trust = "irsa"`, pod, `oidc_provider_arn = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"`, region},
		},
		`service_account belongs to trust = "irsa" and trust = "pod-identity", and to no other.`: {
			{`trust = "irsa"`, oidc, region},
			{`trust = "pod-identity"`, region},
			{ec2, pod, region},
		},
		"The namespace and the name of service_account must have lower-case letters, digits, dots and dashes.": {
			{`trust = "pod-identity"`, `service_account = { namespace = "*", name = "x" }`, region},
			{`trust = "pod-identity"`, `service_account = { namespace = "x", name = "" }`, region},
		},
		"features may have workflow_executions, pipelines, images, steps and waiting.": {
			{ec2, region, `features = ["pipeline"]`},
		},
		"features needs workflow_executions, pipelines or images, without which nothing is selected.": {
			{ec2, region, `features = ["steps"]`},
			{ec2, region, `features = ["waiting"]`},
			{ec2, region, `features = ["steps", "waiting"]`},
		},
		"In features, waiting needs pipelines, images or steps; without them nobody asks what waits.": {
			{ec2, region, `features = ["workflow_executions", "waiting"]`},
		},
		`regions must have names of AWS regions, as in eu-west-1, or be ["*"].`: {
			{ec2, `regions = ["Ireland"]`},
			{ec2, `regions = ["eu-*"]`},
		},
		"regions is empty; features need the regions of the configuration.": {
			{ec2},
		},
		`With so many regions the policy has more than the 6,144 characters that IAM allows; give regions = ["*"].`: {
			{ec2, "regions = " + list(regions)},
		},
		"assume_role_arns must have ARNs of roles, as in arn:aws:iam::444455556666:role/imagebuilder-exporter.": {
			{ec2, region, `assume_role_arns = ["*"]`},
			{ec2, region, `assume_role_arns = ["arn:aws:iam::444455556666:role/*"]`},
		},
		"The role may do nothing; it needs features or assume_role_arns.": {
			{ec2, `features = []`},
		},
	}
	variable := "variable \"secret\" {\n  sensitive = true\n}\n"
	root := newRoot(t, central, module("exporter", ec2, region))
	root.env = append(root.env, "TF_VAR_secret="+spaced)
	for sentence, calls := range refused {
		t.Run(sentence, func(t *testing.T) {
			for _, arguments := range calls {
				root.write(t, variable+module("exporter", arguments...))
				printed := root.run(t, 1, "plan", "-input=false", "-json")
				if said := details(t, printed); len(said) != 1 || said[0] != sentence {
					t.Errorf("%q of %q", said, arguments)
				}
				if strings.Contains(printed, spaced) {
					t.Errorf("the secret is printed:\n%s", printed)
				}
			}
		})
	}
}

// details returns the first line of each error that OpenTofu prints as JSON.
func details(t *testing.T, printed string) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(printed) {
		var message struct{ Diagnostic struct{ Detail string } }
		if err := json.Unmarshal([]byte(line), &message); err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
		if first, _, _ := strings.Cut(message.Diagnostic.Detail, "\n"); first != "" {
			all = append(all, first)
		}
	}
	return all
}
