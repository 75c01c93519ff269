package kubernetes

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheRolesOfTheStories holds that the policies have the settings of the reader and no others,
// and that they and the values fit together.
func TestTheRolesOfTheStories(t *testing.T) {
	const (
		role, other = "arn:aws:iam::999900001111:role/imagebuilder-exporter", "arn:aws:iam::222200003333:role/imagebuilder-exporter"
		externalID  = "0123456789abcdef"
	)
	for heading, has := range map[string]map[string]string{
		"## Two accounts in EKS with IRSA": {
			"trust-irsa.json":      `"oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF:sub": "system:serviceaccount:monitoring:imagebuilder-exporter"`,
			"eks-irsa-values.yaml": "eks.amazonaws.com/role-arn: " + role,
		},
		"## Two accounts in EKS with Pod Identity": {
			"trust-pod-identity.json":      `"aws:RequestTag/kubernetes-service-account": "imagebuilder-exporter"`,
			"eks-pod-identity-values.yaml": `external_id: "` + externalID + `"`,
		},
	} {
		s := tell(t, heading)
		calls := strings.Join(s.calls, "\n")
		files, err := filepath.Glob(s.dir + "/my/*")
		if err != nil || len(files) != 6 {
			t.Fatalf("%q, %v", files, err)
		}
		has["reader.json"] = "arn:aws:imagebuilder:eu-central-1:999900001111:image/*"
		has["reader-other.json"] = "arn:aws:imagebuilder:eu-central-1:222200003333:image/*"
		has["assume-role.json"] = `"Resource": "` + other + `"`
		has["trust-role.json"] = `"Principal": {"AWS": "` + role + `"},`
		for _, file := range files {
			name := filepath.Base(file)
			text := s.read(t, "my/"+name)
			if has[name] == "" || !strings.Contains(text, has[name]) {
				t.Errorf("%s: no %q in %s:\n%s", heading, has[name], name, text)
			}
			if left := placeholder.FindString(text); left != "" {
				t.Errorf("%s: %s still has %s", heading, name, left)
			}
			if strings.HasSuffix(name, ".json") && (!json.Valid([]byte(text)) || !strings.Contains(calls, "file://my/"+name)) {
				t.Errorf("%s: %s is no JSON, or no command uses it", heading, name)
			}
		}
		if values := s.read(t, "my/"+exampleOf(has)); !strings.Contains(values, "role_arn: "+other) || !strings.Contains(s.read(t, "my/trust-role.json"), `"sts:ExternalId": "`+externalID+`"`) || !strings.Contains(values, `external_id: "`+externalID+`"`) {
			t.Errorf("%s: the other account does not trust the exporter:\n%s", heading, values)
		}
	}
}

// placeholder is what a reader's settings replace.
var placeholder = regexp.MustCompile(`111122223333|444455556666|eu-west-1|EXAMPLE|EXTERNAL_ID|role/monitoring|the external_id`)

// exampleOf returns the name of the file of values among files.
func exampleOf(files map[string]string) string {
	for name := range files {
		if strings.HasSuffix(name, "-values.yaml") {
			return name
		}
	}
	return ""
}
