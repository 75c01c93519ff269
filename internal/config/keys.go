package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// keysOf returns the keys of a struct type, in its order.
func keysOf(t reflect.Type) []string {
	var keys []string
	for field := range t.Fields() {
		keys = append(keys, field.Tag.Get("yaml"))
	}
	return keys
}

// fieldOf returns the field of a struct type that a key names.
func fieldOf(t reflect.Type, key *yaml.Node) (field reflect.StructField, ok bool) {
	i := slices.Index(keysOf(t), key.Value)
	if i < 0 || key.Kind != yaml.ScalarNode { // an alias has the name of its anchor
		return field, false
	}
	return t.Field(i), true
}

// allKeys returns the keys of all sections.
func allKeys() []string {
	var all []string
	for _, t := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[Target](), reflect.TypeFor[Selector](), reflect.TypeFor[Lookup]()} {
		all = append(all, keysOf(t)...)
	}
	return all
}

var (
	// ourKey finds one of our keys, with its colon, where a line begins.
	ourKey = regexp.MustCompile(`^[ \t]*(?:-[ \t]+)*["']?(?:` + strings.Join(allKeys(), "|") + `)["']?[ \t]*:(?:[ \t]+|$)`)
	// anyKey finds keys; secretKey and endpoint, what looks like one whose value may be secret.
	anyKey    = regexp.MustCompile(`[^\s"'{}\[\],]+["']?[ \t]*:(?:[ \t]|$)`)
	secretKey = regexp.MustCompile(`(?i)external|\bext`)
	endpoint  = regexp.MustCompile(`(?i)endpoint`)
	// word finds what people call a key: words in lower case, in camel case, or in capitals.
	word = regexp.MustCompile(`^(?:[A-Za-z][a-z]{0,20}(?:[A-Z][a-z]{1,20}|[_.-][A-Za-z][a-z]{0,20})*|[A-Z]{1,12}(?:_[A-Z]{1,12})+|<<)$`)
)

// onlyKey returns what may be shown of a line of which nothing is known: our key, if it begins
// with one.
func onlyKey(line string) string {
	line = string(runes(line, 2*maxShown))
	key := ourKey.FindString(line)
	return key + masked(line[len(key):])
}

// mayBeShown reports whether a key that is unknown, the i-th node in a mapping, is no value that
// stands in the wrong place. It is a word, has a colon, and does not follow a key whose value
// may be a secret, and may end in the middle of it.
func (d *document) mayBeShown(mapping *yaml.Node, i int) bool {
	const longest = 40
	key := mapping.Content[i]
	switch {
	case key.Kind != yaml.ScalarNode || len(key.Value) > longest || !word.MatchString(key.Value):
		return false
	case mapping.Style == yaml.FlowStyle && empty(mapping.Content[i+1]):
		return false
	}
	line := runes(d.line(key.Line), key.Column-1)
	return !endpoint.MatchString(string(line)) && !d.insideSecret(key.Line, string(line))
}

// insideSecret reports whether what follows text, the beginning of a line, may be a part of a
// secret: the last key before it is one that has a secret.
func (d *document) insideSecret(line int, text string) bool {
	for {
		keys, secrets := anyKey.FindAllStringIndex(text, -1), secretKey.FindAllStringIndex(text, -1)
		if len(secrets) > 0 {
			return len(keys) == 0 || keys[len(keys)-1][0] <= secrets[len(secrets)-1][0]
		}
		if line--; len(keys) > 0 || line < 1 {
			return false
		}
		text = d.line(line)
	}
}
