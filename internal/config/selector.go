package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Selector selects image pipelines, or images. It has a name or tags; what it has must
// match.
type Selector struct {
	// Name is a regular expression (RE2) for the whole name, empty for every name.
	Name string `yaml:"name"`
	// Tags must all be there, with exactly these values.
	Tags map[string]string `yaml:"tags"`
	// Builds is how many of the newest builds that have ended are kept for each
	// pipeline, or image, at least 1. Those that have not ended are kept in any case.
	Builds int `yaml:"builds"`
}

// Regexp returns Name as a regular expression that matches whole names only, nil when
// it is empty. Load has made sure that it compiles.
func (s Selector) Regexp() *regexp.Regexp {
	if s.Name == "" {
		return nil
	}
	return regexp.MustCompile(anchored(s.Name))
}

// String says what s selects: a name, tags or both. Selectors of one kind that say the same
// select the same.
func (s Selector) String() string {
	var parts []string
	if s.Name != "" {
		parts = append(parts, "name="+quoteIfNeeded(s.Name))
	}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		parts = append(parts, "tag:"+quoteIfNeeded(key)+"="+quoteIfNeeded(s.Tags[key]))
	}
	return strings.Join(parts, " ")
}

// quoteIfNeeded quotes what could be taken for more than one part of a text.
func quoteIfNeeded(s string) string {
	if strings.ContainsAny(s, ` "=`) {
		return strconv.Quote(s)
	}
	return s
}

func anchored(name string) string { return `\A(?:` + name + `)\z` }

// Image is an item of Target.Images: an ARN, which the file has as a text, or a selector,
// which it has as a mapping.
type Image struct {
	ARN      string    // of an image version or an image build version
	Selector *Selector // nil for an ARN
}

// ARNs returns those of images that have one.
func ARNs(images []Image) []string {
	var arns []string
	for _, image := range images {
		if image.Selector == nil {
			arns = append(arns, image.ARN)
		}
	}
	return arns
}

// ImageSelectors returns the selectors of t.Images. Each selects in every region of t.
func (t *Target) ImageSelectors() []Selector {
	var all []Selector
	for _, image := range t.Images {
		if image.Selector != nil {
			all = append(all, *image.Selector)
		}
	}
	return all
}

// form returns what n, with which i is to be filled, is decoded into.
func (i *Image) form(n *yaml.Node) reflect.Value {
	if n.Kind != yaml.MappingNode {
		return reflect.ValueOf(&i.ARN).Elem()
	}
	i.Selector = &Selector{Builds: 1}
	return reflect.ValueOf(i.Selector).Elem()
}

// validateSelector validates s, the selector at path. Errors call it kind.
func validateSelector(d *document, s *Selector, kind string, path ...any) error {
	if s.Name == "" && len(s.Tags) == 0 {
		return d.errorf(d.at(path...), "%s requires name or tags", kind)
	}
	name := d.at(append(path, "name")...)
	instructions, err := checkRegexp(s.Name)
	if err != nil {
		return d.errorf(name, "the name in %s must be a regular expression (RE2): %s", kind, err)
	}
	if d.instructions += instructions; d.instructions > maxInstructions {
		return d.errorf(name, "the regular expressions are too large in total")
	}
	if s.Builds < 1 {
		return d.errorf(d.at(append(path, "builds")...), "builds must be at least 1")
	}
	return nil
}

// checkRegexp returns how many instructions name is compiled to, or what is wrong with it, by
// itself and anchored.
func checkRegexp(name string) (instructions int, err error) {
	for _, expr := range []string{name, anchored(name)} {
		parsed, err := syntax.Parse(expr, syntax.Perl)
		if mistake, ok := errors.AsType[*syntax.Error](err); ok {
			return 0, fmt.Errorf("%s: %q", mistake.Code, mistake.Expr)
		}
		if err != nil {
			return 0, err
		}
		program, err := syntax.Compile(parsed.Simplify())
		if err != nil {
			return 0, err
		}
		instructions = len(program.Inst)
	}
	return instructions, nil
}
