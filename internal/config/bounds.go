package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

// Bounds of a configuration, far beyond what one needs. They keep a file that was made to do
// harm, or by a program that went wrong, from taking all memory and minutes of time.
const (
	// maxFileBytes bounds the file: room for more than 200,000 executions.
	maxFileBytes = 16 << 20
	// maxParts limits the number of lines and values in the file, before it is parsed.
	maxParts = 500_000
	// maxValues bounds the values of the file with those that aliases repeat.
	maxValues = 1_000_000
	// maxDepth bounds how deep values are nested.
	maxDepth = 100
	// maxTargets bounds the targets of the file, each counted once for each of its regions.
	// maxSelectors bounds the selectors of pipelines and images, maxKeys the keys of a mapping.
	maxTargets, maxSelectors, maxKeys = 10_000, 10_000, 10_000
	// maxTagKey bounds the key of a tag, maxTagLabels those of a target, as AWS does for the
	// tags of a resource.
	maxTagKey, maxTagLabels = 128, 50
	// maxRegions bounds the regions of a target.
	maxRegions = 1_000
	// maxText bounds a text, in bytes.
	maxText = 8 << 10
	// maxInstructions bounds what all regular expressions of the file are compiled to.
	maxInstructions = 1_000_000
)

// checkLines holds what has to be so before the YAML library reads the file.
func (d *document) checkLines() error {
	parts, directives := 0, 0
	for i, line := range d.lines {
		if !utf8.ValidString(line) {
			return d.errorAt(i+1, 1, "the file is not UTF-8 text")
		}
		if at := strings.IndexFunc(line, control); at >= 0 {
			r := runes(line[at:], 1)
			return d.errorAt(i+1, utf8.RuneCountInString(line[:at])+1, fmt.Sprintf("the file must not contain control characters: %q", string(r)))
		}
		if parts += partsOf(line); parts > maxParts {
			return d.errorAt(i+1, 1, fmt.Sprintf("the file has more than %d lines and values", maxParts))
		}
		if strings.HasPrefix(line, "%") {
			if directives++; directives > maxDepth {
				return d.errorAt(i+1, 1, "the file has too many YAML directives")
			}
		}
	}
	return nil
}

// control reports whether r is a control character that has no place in a file.
func control(r rune) bool { return unicode.IsControl(r) && r != '\t' }

// partsOf counts what values can begin with on a line: its beginning, commas, brackets and the
// indicators of items and keys.
func partsOf(line string) int {
	n := 1
	line = strings.TrimPrefix(strings.TrimLeft(line, " "), "- ")
	for i := range len(line) {
		switch line[i] {
		case ',', '[', '{':
			n++
		case '-', '?':
			if i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t') {
				n++
			}
		}
	}
	return n
}

// checkText holds what a text has to be that gets into labels, logs and pages: short, and with
// nothing in it that is hidden there.
func (d *document) checkText(n *yaml.Node, text, key string) error {
	at := strings.IndexFunc(text, printable.Hidden)
	switch {
	case len(text) > maxText:
		return d.errorf(n, "%s must not be longer than %d bytes", key, maxText)
	case at < 0:
		return nil
	case slices.Contains([]string{"external_id", "endpoint_url", "a value of tags"}, key): // it may have a secret
		text = string(runes(text[at:], 1))
	}
	return d.errorf(n, "%s must not contain control characters or invisible characters: %q", key, text)
}

// checkList holds the bounds of lists whose items are expensive.
func (d *document) checkList(sequence *yaml.Node, item reflect.Type, key string) error {
	n := len(sequence.Content)
	switch {
	case item == reflect.TypeFor[Target]() && n > maxTargets:
		return d.errorf(sequence, "%s has more than %d items", key, maxTargets)
	case key == "regions" && n > maxRegions:
		return d.errorf(sequence, "%s has more than %d items", key, maxRegions)
	}
	if d.selectors += selectorsIn(sequence, item); d.selectors > maxSelectors {
		return d.errorf(sequence, "the file has more than %d selectors of images and pipelines; one regular expression can match many", maxSelectors)
	}
	return nil
}

// selectorsIn returns how many items of a list are selectors. In a list of images, these are the
// mappings; the others are ARNs.
func selectorsIn(sequence *yaml.Node, item reflect.Type) int {
	switch item {
	case reflect.TypeFor[Selector]():
		return len(sequence.Content)
	case reflect.TypeFor[Image]():
		n := 0
		for _, image := range sequence.Content {
			if resolve(image).Kind == yaml.MappingNode {
				n++
			}
		}
		return n
	}
	return 0
}
