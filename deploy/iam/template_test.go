package iam_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// stackSet is a CloudFormation template with the values of its parameters. It has the functions
// that the template needs, in their short form.
type stackSet struct {
	t          *testing.T
	template   map[string]any // sections by name; a function is a map with its short tag
	parameters map[string]string
	used       map[string]bool // what was referred to
}

// noValue is what !Ref AWS::NoValue returns: its key is left out.
type noValue struct{}

// newStackSet reads the template, with values for parameters that have no default or another one.
func newStackSet(t *testing.T, parameters map[string]string) *stackSet {
	t.Helper()
	text, err := os.ReadFile("stackset.yml")
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	s := &stackSet{t: t, used: map[string]bool{}, parameters: map[string]string{}}
	s.template = s.plain(root.Content[0]).(map[string]any)
	for name, p := range s.section("Parameters") {
		if value, ok := p.(map[string]any)["Default"]; ok {
			s.parameters[name] = value.(string)
		}
	}
	maps.Copy(s.parameters, parameters)
	return s
}

func (s *stackSet) section(name string) map[string]any {
	s.t.Helper()
	section, ok := s.template[name].(map[string]any)
	if !ok {
		s.t.Fatalf("the template has no mapping %s", name)
	}
	return section
}

// plain returns n as JSON would have it. A value with a short tag is a map from the tag to it.
func (s *stackSet) plain(n *yaml.Node) (v any) {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for pair := range slices.Chunk(n.Content, 2) {
			if _, twice := m[pair[0].Value]; twice {
				s.t.Errorf("line %d: duplicate key %s", pair[0].Line, pair[0].Value)
			}
			m[pair[0].Value] = s.plain(pair[1])
		}
		v = m
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, s.plain(item))
		}
		v = list
	case yaml.ScalarNode:
		v = n.Value
	default:
		s.t.Errorf("line %d: CloudFormation knows no aliases", n.Line)
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return map[string]any{n.Tag: v}
	}
	return v
}

// value returns v with what its functions return.
func (s *stackSet) value(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, item := range v {
			list = append(list, s.value(item))
		}
		return list
	case map[string]any:
		for _, function := range slices.Sorted(maps.Keys(v)) {
			if strings.HasPrefix(function, "!") {
				return s.call(function, v[function])
			}
		}
		m := map[string]any{}
		for key, item := range v {
			if item = s.value(item); item != (noValue{}) {
				m[key] = item
			}
		}
		return m
	}
	return v
}

// call returns what a function of CloudFormation returns.
func (s *stackSet) call(function string, argument any) any {
	s.t.Helper()
	list, _ := argument.([]any)
	switch text, _ := argument.(string); {
	case function == "!Ref":
		return s.ref(text)
	case function == "!Sub":
		return variable.ReplaceAllStringFunc(text, func(v string) string {
			value, _ := s.ref(strings.Trim(v, "${}")).(string)
			return value
		})
	case function == "!GetAtt":
		resource, attribute, _ := strings.Cut(text, ".")
		if _, ok := s.section("Resources")[resource]; !ok || attribute != "Arn" {
			s.t.Errorf("!GetAtt %s", text)
		}
		return text
	case function == "!Not" && len(list) == 1:
		return s.value(list[0]) == false
	case function == "!Equals" && len(list) == 2:
		return s.value(list[0]) == s.value(list[1])
	case function == "!If" && len(list) == 3:
		name, _ := list[0].(string)
		condition, ok := s.section("Conditions")[name]
		if !ok {
			s.t.Fatalf("there is no condition %q", name)
		}
		s.used[name] = true
		if s.value(condition) == true {
			return s.value(list[1])
		}
		return s.value(list[2])
	}
	s.t.Fatalf("CloudFormation has no %s of %v", function, argument)
	return nil
}

// ref returns the value of a parameter, of the template or of CloudFormation.
func (s *stackSet) ref(name string) any {
	s.t.Helper()
	switch name {
	case "AWS::NoValue":
		return noValue{}
	case "AWS::Partition":
		return "aws"
	case "AWS::AccountId":
		return "111122223333"
	}
	value, ok := s.parameters[name]
	if !ok {
		s.t.Errorf("there is no parameter %q, or it has no value", name)
	}
	s.used[name] = true
	return value
}

var variable = regexp.MustCompile(`\$\{[^}]*\}`)
