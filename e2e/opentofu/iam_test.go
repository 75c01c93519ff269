package opentofu

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The accounts of the examples.
var (
	central = account{"aws", "111122223333"}
	other   = account{"aws", "444455556666"}
)

// secret is an external id.
const secret = "kept-from-everybody"

// TestTheExamples applies the examples of the module's README. They have the values of
// the JSON files, so that the trust of each role is that of a file.
func TestTheExamples(t *testing.T) {
	doc, err := os.ReadFile("../../deploy/iam/terraform/README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := hclBlock.FindAllStringSubmatch(string(doc), -1)
	tests := []struct {
		trust    string
		in       account
		features string // those of the reader policy, empty for none
		regions  []string
		assumes  bool
		profile  any
	}{
		{trust: "ec2", in: central, features: "pipelines steps waiting", regions: []string{"eu-west-1"}, profile: "imagebuilder-exporter"},
		{trust: "irsa", in: central, features: "workflow_executions images", regions: []string{"eu-west-1", "us-east-1"}},
		{trust: "pod-identity", in: central, features: "pipelines images steps waiting", regions: []string{"*"}},
		{trust: "ec2", in: central, assumes: true, profile: "monitoring"},
		{trust: "role", in: other, features: "pipelines steps waiting", regions: []string{"eu-west-1"}},
	}
	if len(examples) != len(tests) {
		t.Fatalf("the README has %d examples", len(examples))
	}
	for i, test := range tests {
		t.Run(fmt.Sprintf("%d, %s", i+1, test.trust), func(t *testing.T) {
			t.Parallel()
			text := examples[i][1]
			for _, name := range []string{"role_arn", "instance_profile_name", "reader_policy_arn"} {
				text += fmt.Sprintf("\noutput %q {\n  value = module.exporter.%s\n}\n", name, name)
			}
			root := newRoot(t, test.in, text)
			root.env = append(root.env, "TF_VAR_external_id="+secret)
			root.run(t, 0, "fmt", "-check", "-diff")
			got, plan := root.apply(t)
			if strings.Contains(plan, secret) || strings.Contains(plan, "(sensitive value)") != (test.trust == "role") {
				t.Errorf("the plan shows the external id, or not what is no secret:\n%s", plan)
			}
			role := got["module.exporter.aws_iam_role.exporter"]
			trust := strings.ReplaceAll(file(t, "trust-"+test.trust), "the external_id of the configuration", secret)
			equal(t, "the trust", got.policy(t, "module.exporter.aws_iam_role.exporter", "assume_role_policy"), parsed(t, []byte(trust)))
			var reads, assumes any
			if test.features != "" {
				reads = reader(t, test.in, test.regions, strings.Fields(test.features))
			}
			if test.assumes {
				assumes = parsed(t, []byte(file(t, "assume-role")))
			}
			attached(t, got, "reader", reads)
			attached(t, got, "assume_role", assumes)
			out := got["outputs"]
			if out["role_arn"] != role["arn"] || out["instance_profile_name"] != test.profile || out["reader_policy_arn"] != got["module.exporter.aws_iam_policy.reader[0]"]["arn"] {
				t.Errorf("outputs are %v", out)
			}
		})
	}
}

var hclBlock = regexp.MustCompile("(?s)```hcl\n(.*?)```")

// attached holds that the role has a policy, or none if want is nil.
func attached(t *testing.T, got state, name string, want any) {
	t.Helper()
	address := "module.exporter.aws_iam_policy." + name + "[0]"
	policy, attachment := got[address], got["module.exporter.aws_iam_role_policy_attachment."+name+"[0]"]
	if want == nil {
		if policy != nil || attachment != nil {
			t.Errorf("there is a policy %s", name)
		}
		return
	}
	equal(t, name, got.policy(t, address, "policy"), want)
	if attachment["role"] != got["module.exporter.aws_iam_role.exporter"]["name"] || attachment["policy_arn"] != policy["arn"] {
		t.Errorf("the policy %s is not attached: %v", name, attachment)
	}
}

// TestEverySetOfFeatures holds that each set of features gives the statements of the table
// of docs/iam.md and no others, and all of them deploy/iam/reader.json.
func TestEverySetOfFeatures(t *testing.T) {
	names := []string{"workflow_executions", "pipelines", "images", "steps", "waiting"}
	sets := map[string][]string{}
	var text strings.Builder
	for bits := 1; bits < 1<<len(names); bits++ {
		var set []string
		for i, name := range names {
			if bits&(1<<i) != 0 {
				set = append(set, name)
			}
		}
		if key := strings.Join(set, "-"); !slices.Contains(refusedSets, key) {
			sets[key] = set
			text.WriteString(module(key, `trust = "ec2"`, `regions = ["eu-west-1"]`, "features = "+list(set), "name = "+strconv.Quote(key)))
		}
	}
	got, _ := newRoot(t, central, text.String()).apply(t)
	for key, set := range sets {
		equal(t, key, got.policy(t, "module."+key+".aws_iam_policy.reader[0]", "policy"), reader(t, central, []string{"eu-west-1"}, set))
	}
	all := got.policy(t, "module."+strings.Join(names, "-")+".aws_iam_policy.reader[0]", "policy")
	equal(t, "all features", all, parsed(t, []byte(file(t, "reader"))))
}

// refusedSets are the sets of features that TestRefusals has.
var refusedSets = []string{"steps", "waiting", "steps-waiting", "workflow_executions-waiting"}

// TestPartitions holds that regions, account, partition and principals are those of where
// the module is applied.
func TestPartitions(t *testing.T) {
	for _, test := range []struct {
		in        account
		regions   []string
		principal string
	}{
		{account{"aws-cn", "777788889999"}, []string{"cn-north-1", "cn-northwest-1"}, "ec2.amazonaws.com.cn"},
		{account{"aws-us-gov", "777788889999"}, []string{"us-gov-west-1"}, "ec2.amazonaws.com"},
	} {
		t.Run(test.in.partition, func(t *testing.T) {
			t.Parallel()
			features := []string{"workflow_executions", "pipelines", "images", "steps", "waiting"}
			got, _ := newRoot(t, test.in, module("exporter", `trust = "ec2"`, "regions = "+list(test.regions), "features = "+list(features))).apply(t)
			equal(t, "the policy", got.policy(t, "module.exporter.aws_iam_policy.reader[0]", "policy"), reader(t, test.in, test.regions, features))
			trust := strings.ReplaceAll(file(t, "trust-ec2"), "ec2.amazonaws.com", test.principal)
			equal(t, "the trust", got.policy(t, "module.exporter.aws_iam_role.exporter", "assume_role_policy"), parsed(t, []byte(trust)))
		})
	}
}

// TestTrustedRoles holds that an external id is a secret whoever gives it, and that there
// is no condition without one.
func TestTrustedRoles(t *testing.T) {
	trust := strings.ReplaceAll(file(t, "trust-role"), "the external_id of the configuration", secret)
	with, without := parsed(t, []byte(trust)), parsed(t, []byte(trust)).(map[string]any)
	for _, s := range without["Statement"].([]any) {
		delete(s.(map[string]any), "Condition")
	}
	for id, want := range map[string]any{strconv.Quote(secret): with, "null": without} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			got, plan := newRoot(t, other, module("exporter", `trust = "role"`, `trusted_role_arn = "arn:aws:iam::111122223333:role/monitoring"`,
				"external_id = "+id, `regions = ["*"]`, "features = null")).apply(t)
			equal(t, "the trust", got.policy(t, "module.exporter.aws_iam_role.exporter", "assume_role_policy"), want)
			if strings.Contains(plan, secret) || strings.Contains(plan, "(sensitive value)") != (id != "null") {
				t.Errorf("the plan shows the external id, or not what is no secret:\n%s", plan)
			}
		})
	}
}

// TestWhatIsNotYetKnown gives the module what is made in the same run: the cluster, and
// each of two roles to the other.
func TestWhatIsNotYetKnown(t *testing.T) {
	text := `resource "terraform_data" "oidc" {
  input = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
}
` + module("exporter", `name = "monitoring"`, `trust = "irsa"`, "oidc_provider_arn = terraform_data.oidc.output",
		`service_account = { namespace = "monitoring", name = "imagebuilder-exporter" }`, "features = []", "assume_role_arns = [module.reader.role_arn]") +
		module("reader", `trust = "role"`, "trusted_role_arn = module.exporter.role_arn", `regions = ["eu-west-1"]`)
	got, _ := newRoot(t, other, text).apply(t)
	equal(t, "the trust in the cluster", got.policy(t, "module.exporter.aws_iam_role.exporter", "assume_role_policy"), parsed(t, []byte(file(t, "trust-irsa"))))
	equal(t, "the roles", got.policy(t, "module.exporter.aws_iam_policy.assume_role[0]", "policy"), parsed(t, []byte(file(t, "assume-role"))))
	trust := got.policy(t, "module.reader.aws_iam_role.exporter", "assume_role_policy").(map[string]any)
	for _, s := range trust["Statement"].([]any) {
		equal(t, "who is trusted", s.(map[string]any)["Principal"], any(map[string]any{"AWS": "arn:aws:iam::444455556666:role/monitoring"}))
	}
}

// module returns a call of the module with arguments.
func module(name string, arguments ...string) string {
	return fmt.Sprintf("module %q {\n  source = %q\n  %s\n}\n", name, source, strings.Join(arguments, "\n  "))
}

func list(elements []string) string {
	return `["` + strings.Join(elements, `", "`) + `"]`
}
