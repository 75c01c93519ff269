// Schemas writes the JSON schemas that kubeconform needs to check the chart's manifests: the schemas of
// Kubernetes' own kinds, and of the Prometheus Operator's ServiceMonitor and PrometheusRule. They are
// strict: an unknown field is an error.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// module is a source of schemas. It is read as it was published, not built: as a
// requirement of this module, k8s.io/kubernetes would need a replacement for each module
// of its repository.
type module struct{ path, version, sum string }

var (
	kubernetes = module{"k8s.io/kubernetes", "v1.37.2", "h1:A2VDEiObzkYqFTKhSsn0ZEb0RlLEXpHWj93gi2HqEwE="}
	operator   = module{"github.com/prometheus-operator/prometheus-operator", "v0.85.0", "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s="}
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schemas FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run writes all schemas into a folder, which is made.
func run(to string) error {
	definitions, err := kubernetesDefinitions()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		for _, k := range kindsOf(definitions[name]) {
			if err := k.write(to, closed(name, definitions)); err != nil {
				return err
			}
		}
	}
	return writeCustom(to, definitions)
}

// schema is a JSON schema, or a part of one.
type schema = map[string]any

// kind is one of Kubernetes' API.
type kind struct{ Group, Version, Kind string }

// write writes the schema of a kind where kubeconform finds it as
// {{.ResourceKind}}{{.KindSuffix}}.json.
func (k kind) write(to string, s schema) error {
	group, _, _ := strings.Cut(k.Group, ".")
	name := strings.ToLower(strings.Join(slices.DeleteFunc([]string{k.Kind, group, k.Version}, func(s string) bool { return s == "" }), "-"))
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, name+".json"), text, 0o644)
}

// kindsOf returns what a definition of Kubernetes' swagger.json is the schema of.
func kindsOf(definition schema) (all []kind) {
	list, _ := definition["x-kubernetes-group-version-kind"].([]any)
	for _, e := range list {
		k := e.(map[string]any)
		all = append(all, kind{k["group"].(string), k["version"].(string), k["kind"].(string)})
	}
	if len(all) > 1 { // DeleteOptions and the like, which are in every group
		return nil
	}
	return all
}

// reference is how one definition names another.
const reference = "#/definitions/"

// kubernetesDefinitions returns Kubernetes' definitions by their names, made strict.
func kubernetesDefinitions() (map[string]schema, error) {
	text, err := kubernetes.read("api/openapi-spec/swagger.json")
	if err != nil {
		return nil, err
	}
	var swagger struct{ Definitions map[string]schema }
	if err := json.Unmarshal(text, &swagger); err != nil {
		return nil, fmt.Errorf("%s: %w", kubernetes.path, err)
	}
	for _, d := range swagger.Definitions {
		strict(d)
	}
	// What the API reads in more forms than its description says.
	swagger.Definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = schema{"type": []any{"integer", "string"}}
	swagger.Definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = schema{"type": []any{"number", "string"}}
	return swagger.Definitions, nil
}

// strict refuses what a schema does not name, wherever it names anything.
func strict(s any) {
	switch s := s.(type) {
	case []any:
		for _, e := range s {
			strict(e)
		}
	case schema:
		for _, e := range s {
			strict(e)
		}
		_, names := s["properties"].(schema)
		_, open := s["additionalProperties"]
		if names && !open && s["x-kubernetes-preserve-unknown-fields"] != true {
			s["additionalProperties"] = false
		}
		if s["x-kubernetes-int-or-string"] == true {
			delete(s, "type")
		}
	}
}

// closed returns the schema of a definition with all that it refers to.
func closed(name string, definitions map[string]schema) schema {
	needed := map[string]schema{}
	collect(schema{"$ref": reference + name}, definitions, needed)
	return schema{"$ref": reference + name, "definitions": needed}
}

// collect adds to needed what s refers to, and what that refers to.
func collect(s any, definitions, needed map[string]schema) {
	switch s := s.(type) {
	case []any:
		for _, e := range s {
			collect(e, definitions, needed)
		}
	case schema:
		if ref, ok := s["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, reference)
			if _, ok := needed[name]; !ok {
				needed[name] = definitions[name]
				collect(definitions[name], definitions, needed)
			}
			return
		}
		for _, e := range s {
			collect(e, definitions, needed)
		}
	}
}

// writeCustom writes the schemas of the Prometheus Operator's kinds.
func writeCustom(to string, definitions map[string]schema) error {
	for _, name := range []string{"servicemonitors", "prometheusrules", "scrapeconfigs"} {
		text, err := operator.read("example/prometheus-operator-crd/monitoring.coreos.com_" + name + ".yaml")
		if err != nil {
			return err
		}
		var crd struct {
			Spec struct {
				Group    string
				Names    struct{ Kind string }
				Versions []struct {
					Name   string
					Schema struct{ OpenAPIV3Schema schema }
				}
			}
		}
		if err := yaml.Unmarshal(text, &crd); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, v := range crd.Spec.Versions {
			s := v.Schema.OpenAPIV3Schema
			properties, ok := s["properties"].(schema)
			if !ok {
				return fmt.Errorf("%s: version %s has no properties", name, v.Name)
			}
			strict(s)
			const meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
			properties["metadata"] = schema{"$ref": reference + meta}
			s["definitions"] = closed(meta, definitions)["definitions"]
			if err := (kind{crd.Spec.Group, v.Name, crd.Spec.Names.Kind}).write(to, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// read returns a file of a module, which it downloads if need be.
func (m module) read(file string) ([]byte, error) {
	c := exec.Command("go", "mod", "download", "-json", m.path+"@"+m.version)
	c.Dir = os.TempDir() // not in a module, whose go.sum would change
	out, err := c.Output()
	var got struct{ Dir, Sum, Error string }
	if decoded := json.Unmarshal(out, &got); decoded != nil || got.Error != "" {
		return nil, fmt.Errorf("downloading %s: %w", m.path, errors.Join(err, decoded, errors.New(got.Error)))
	}
	if got.Sum != m.sum {
		return nil, fmt.Errorf("%s@%s has the checksum %s, want %s", m.path, m.version, got.Sum, m.sum)
	}
	return os.ReadFile(filepath.Join(got.Dir, file))
}
