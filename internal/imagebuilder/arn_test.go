package imagebuilder

import (
	"strings"
	"testing"
)

// TestAccountsInARNs has what may stand in place of twelve digits.
func TestAccountsInARNs(t *testing.T) {
	for account, want := range map[string]bool{
		"111122223333":          true,
		"aws":                   true,
		"aws-marketplace":       true,
		"aws-cn-marketplace":    true,
		"awsx":                  false,
		"aws-":                  false,
		"aws1":                  false,
		"aws-Marketplace":       false,
		"marketplace":           false,
		"11112222333":           false,
		"1111222233334":         false,
		"1111 2222 333":         false,
		"aws-marketplace\n":     false,
		"111122223333,aws":      false,
		"aws-cn-marketplace-2":  false,
		"xaws-cn-marketplace":   false,
		"awsaws-cn-marketplace": false,
	} {
		in := func(arn string) string { return strings.Replace(arn, "111122223333", account, 1) }
		if got := ParseImageBuildVersionARN(in(testImage)); (got.AccountID == account) != want || (got != ImageBuildVersion{}) != want {
			t.Errorf("%q: an image build version is read as %+v", account, got)
		}
		for _, arn := range []string{testImage, strings.TrimSuffix(testImage, "/1")} {
			if _, err := ParseImageARN(in(arn)); (err == nil) != want {
				t.Errorf("%q: the ARN of an image can be selected: %v", account, err)
			}
		}
		if got := pipelineName(in(testPipeline)); (got == "web") != want {
			t.Errorf("%q: the pipeline has the name %q", account, got)
		}
		if got := workflowType(in("arn:aws:imagebuilder:us-west-2:111122223333:workflow/test/mine/1.0.0/3")); (got == "TEST") != want {
			t.Errorf("%q: the workflow has the type %q", account, got)
		}
	}
}
