package kubernetes

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// readYAML returns the content of a YAML file.
func readYAML(t *testing.T, file string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return all
}

// flatten adds each value that is no map, or an empty one, to all by its path.
func flatten(values map[string]any, prefix string, all map[string]any) map[string]any {
	for k, v := range values {
		if m, ok := v.(map[string]any); ok && len(m) > 0 {
			flatten(m, prefix+k+".", all)
		} else {
			all[prefix+k] = v
		}
	}
	return all
}

// TestEveryValueIsDocumented holds values.yaml against the table in the chart's README.
func TestEveryValueIsDocumented(t *testing.T) {
	doc, err := os.ReadFile(chart + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := valueRow.FindAllStringSubmatch(string(doc), -1)
	documented := map[string]string{}
	for _, row := range rows {
		documented[row[1]] = row[2]
	}
	if len(documented) != len(rows) {
		t.Error("a value is in the table twice")
	}
	for path, want := range flatten(readYAML(t, chart+"/values.yaml"), "", map[string]any{}) {
		var got any
		if err := yaml.Unmarshal([]byte(documented[path]), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s in the table of README.md (-want +got):\n%s", path, diff)
		}
		delete(documented, path)
	}
	for path := range documented {
		t.Errorf("there is no value %s, but README.md has it", path)
	}
}

var valueRow = regexp.MustCompile("(?m)^\\| `([A-Za-z_.-]+)` \\| `(.*?)` \\| .+ \\|$")

// TestValuesHaveASchema holds that values.schema.json knows the values and no others.
func TestValuesHaveASchema(t *testing.T) {
	values := readYAML(t, chart+"/values.yaml")
	values["global"], values["enabled"] = nil, nil // of charts that depend on this one
	known(t, "", readYAML(t, chart+"/values.schema.json"), values)
}

// known holds that the properties of a schema are the keys of values.
func known(t *testing.T, path string, schema, values map[string]any) {
	t.Helper()
	properties, ok := schema["properties"].(map[string]any)
	if !ok {
		return
	}
	if schema["additionalProperties"] != false {
		t.Errorf("%s may have any key", path)
	}
	for k, p := range properties {
		v, ok := values[k]
		if !ok {
			t.Errorf("values.schema.json has %s%s, values.yaml has not", path, k)
		}
		if path+k == "prometheusRule.alerts" {
			continue // TestTheSchemaKnowsTheAlerts
		}
		if m, ok := v.(map[string]any); ok {
			known(t, path+k+".", p.(map[string]any), m)
		}
	}
	for k := range values {
		if _, ok := properties[k]; !ok {
			t.Errorf("values.yaml has %s%s, values.schema.json has not", path, k)
		}
	}
}

// TestEveryValueHasAnEffect holds that each value is tried, and is no less than it says: a
// release without it is another one, or none.
func TestEveryValueHasAnEffect(t *testing.T) {
	untried := flatten(readYAML(t, chart+"/values.yaml"), "", map[string]any{})
	for _, values := range append(valueFiles(t), "testdata/unset-values.yaml") {
		with := render(t, chart, "-f", values)
		for path := range untried {
			rest, ok := without(readYAML(t, values), strings.Split(path, "."))
			if !ok {
				continue
			}
			delete(untried, path)
			text, err := yaml.Marshal(rest)
			if err != nil {
				t.Fatal(err)
			}
			out, err := helm(t, "template", release, chart, "--namespace", "imagebuilder", "-f", file(t, "values.yaml", string(text)))
			if err == nil && out == with {
				t.Errorf("%s has no effect in %s", path, values)
			}
		}
	}
	if len(untried) > 0 {
		t.Errorf("no file in deploy/helm/ci has %q", slices.Sorted(maps.Keys(untried)))
	}
}

// without returns values without the one at a path, and whether it was there.
func without(values map[string]any, path []string) (map[string]any, bool) {
	v, ok := values[path[0]]
	if !ok {
		return values, false
	}
	if len(path) == 1 {
		delete(values, path[0])
		return values, true
	}
	m, ok := v.(map[string]any)
	if !ok {
		return values, false
	}
	values[path[0]], ok = without(m, path[1:])
	return values, ok
}

// TestTheReadmesValues holds that what people copy from the README works.
func TestTheReadmesValues(t *testing.T) {
	doc, err := os.ReadFile(chart + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, block := range yamlBlock.FindAllStringSubmatch(string(doc), -1) {
		tried++
		flags := []string{"-f", chart + "/ci/config-values.yaml", "-f", file(t, "values.yaml", block[1])}
		if strings.Contains(block[1], "accounts_file: accounts.txt\n") {
			flags = append(flags, "--set-file", "accounts="+file(t, "accounts.txt", "111122223333\n"))
		}
		out := render(t, chart, flags...)
		if out, err := kubeconform(t, out); err != nil {
			t.Errorf("%v: %s\n%s", err, out, block[1])
		}
	}
	if tried < 5 {
		t.Errorf("there are only %d", tried)
	}
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")
