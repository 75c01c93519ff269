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
		`trusted_role_arn is required with trust = "role", and not allowed otherwise.`: {
			{role, region},
			{ec2, arn, region},
		},
		"trusted_role_arn must be the ARN of a role, such as arn:aws:iam::111122223333:role/monitoring.": {
			{role, `trusted_role_arn = "monitoring"`, region},
			{role, `trusted_role_arn = "*"`, region},
			{role, `trusted_role_arn = "arn:aws:iam::111122223333:role/*"`, region},
		},
		`external_id is allowed only with trust = "role".`: {
			{ec2, `external_id = "some"`, region},
		},
		"external_id must consist of 2 to 1224 letters, digits and _+=,.@:/-.": {
			{role, arn, `external_id = ""`, region},
			{role, arn, `external_id = "x"`, region},
			{role, arn, `external_id = "` + strings.Repeat("x", 1225) + `"`, region},
			{role, arn, `external_id = var.secret`, region},
		},
		`oidc_provider_arn is required with trust = "irsa", and not allowed otherwise.`: {
			{`trust = "irsa"`, pod, region},
			{`trust = "pod-identity"`, pod, oidc, region},
		},
		"oidc_provider_arn must be the ARN of an OIDC provider, such as arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE.": {
			{`trust = "irsa"`, pod, `oidc_provider_arn = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"`, region},
		},
		`service_account is required with trust = "irsa" and trust = "pod-identity", and not allowed otherwise.`: {
			{`trust = "irsa"`, oidc, region},
			{`trust = "pod-identity"`, region},
			{ec2, pod, region},
		},
		"The namespace and name of service_account must consist of lower-case letters, digits, dots and dashes.": {
			{`trust = "pod-identity"`, `service_account = { namespace = "*", name = "x" }`, region},
			{`trust = "pod-identity"`, `service_account = { namespace = "x", name = "" }`, region},
		},
		"features must be workflow_executions, pipelines, images, steps or waiting.": {
			{ec2, region, `features = ["pipeline"]`},
		},
		"features requires workflow_executions, pipelines or images. Otherwise nothing is selected.": {
			{ec2, region, `features = ["steps"]`},
			{ec2, region, `features = ["waiting"]`},
			{ec2, region, `features = ["steps", "waiting"]`},
		},
		"In features, waiting requires pipelines, images or steps. Otherwise the exporter does not look up waiting steps.": {
			{ec2, region, `features = ["workflow_executions", "waiting"]`},
		},
		`regions must be names of AWS regions, such as eu-west-1, or ["*"].`: {
			{ec2, `regions = ["Ireland"]`},
			{ec2, `regions = ["eu-*"]`},
		},
		"regions is empty. features requires the regions of the configuration.": {
			{ec2},
		},
		`With so many regions, the policy has more than the 6,144 characters that IAM allows. Use regions = ["*"].`: {
			{ec2, "regions = " + list(regions)},
		},
		"assume_role_arns must be ARNs of roles, such as arn:aws:iam::444455556666:role/imagebuilder-exporter.": {
			{ec2, region, `assume_role_arns = ["*"]`},
			{ec2, region, `assume_role_arns = ["arn:aws:iam::444455556666:role/*"]`},
		},
		"The role has no permission. Set features or assume_role_arns.": {
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
