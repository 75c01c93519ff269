package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Error is a mistake in a configuration file. Its text is FILE:LINE:COL: sentence,
// and below it the offending line.
type Error struct {
	File         string
	Line, Column int    // both from 1
	Sentence     string // what is wrong, and what is allowed
	Source       string // the offending line
}

// Error returns the two lines.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s\n%s", e.File, e.Line, e.Column, e.Sentence, e.Source)
}

// document is one parsed YAML document, with what is needed to point into it.
type document struct {
	name    string
	lines   []string
	root    *yaml.Node
	decoded int // values so far; aliases can make very many of a few
}

// maxDepth is far beyond what a configuration needs.
const maxDepth = 100

// parseDocument parses data, which must hold exactly one document that is not empty.
func parseDocument(name string, data []byte) (*document, error) {
	text := strings.TrimPrefix(string(data), "\ufeff") // a byte order mark
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	if rest, ok := strings.CutPrefix(text, "%YAML 1.2\n"); ok { // the library reads 1.2 and refuses its name
		text = "%YAML 1.1\n" + rest
	}
	doc := &document{name: name, lines: strings.Split(text, "\n")}
	for i, line := range doc.lines {
		if !utf8.ValidString(line) {
			return nil, doc.errorAt(i+1, 1, "the file is not UTF-8 text")
		}
	}
	for decoder := yaml.NewDecoder(bytes.NewReader([]byte(text))); ; {
		var n yaml.Node
		err := decoder.Decode(&n)
		switch {
		case errors.Is(err, io.EOF) && doc.root == nil:
			return nil, doc.errorAt(1, 1, "the file is empty; at least one target is needed")
		case errors.Is(err, io.EOF):
			return doc, doc.check(doc.root, map[string]bool{}, 0)
		case err != nil:
			return nil, doc.syntaxError(err)
		case len(n.Content) == 0, n.Content[0].Tag == "!!null" && n.Content[0].Value == "": // nothing but a marker
		case doc.root != nil:
			return nil, doc.errorAt(n.Content[0].Line, 1, "a second YAML document begins here; a configuration is exactly one")
		default:
			doc.root = n.Content[0]
		}
	}
}

// check holds what YAML allows and a configuration does not need. anchors are those so far.
func (d *document) check(n *yaml.Node, anchors map[string]bool, depth int) error {
	switch {
	case depth > maxDepth:
		return d.errorf(n, "the file is nested too deeply; a configuration needs no more than a few levels")
	case anchors[n.Anchor]:
		return d.errorf(n, "a second anchor has this name; each name may stand once")
	case n.Anchor != "":
		anchors[n.Anchor] = true
	}
	for _, child := range n.Content {
		if err := d.check(child, anchors, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// resolve returns the node that n stands for: itself, or what an alias names.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// at returns the node under path, whose elements are keys and indexes, or as much
// of the way to it as there is.
func (d *document) at(path ...any) *yaml.Node {
	n := d.root
	for _, step := range path {
		next := child(n, step)
		if next == nil {
			break
		}
		n = next
	}
	return n
}

// has reports whether the mapping under path has key.
func (d *document) has(key string, path ...any) bool { return child(d.at(path...), key) != nil }

// child returns the item of a list, or the value of a key in a mapping; nil for none.
func child(n *yaml.Node, step any) *yaml.Node {
	n = resolve(n)
	if i, ok := step.(int); ok && n.Kind == yaml.SequenceNode && i < len(n.Content) {
		return n.Content[i]
	}
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if n.Content[i].Value == step {
			return n.Content[i+1]
		}
	}
	return nil
}

// errorf returns an Error that points at n.
func (d *document) errorf(n *yaml.Node, format string, args ...any) error {
	return d.errorAt(n.Line, n.Column, fmt.Sprintf(format, args...))
}

func (d *document) errorAt(line, column int, sentence string) error {
	line = min(max(line, 1), len(d.lines))
	source, sentence := withoutSecrets(d.lines, line-1, sentence)
	return &Error{File: d.name, Line: line, Column: max(column, 1), Sentence: sentence, Source: source}
}

// unknownKey returns an Error that shows the key and not its value, which may be a password
// under a wrong name.
func (d *document) unknownKey(n *yaml.Node, allowed []string) error {
	name := shown(plainKey.FindString(n.Value))
	if name == "" || tooLongForKey(name) || insideExternalID(d.lines, n.Line-1, n.Column-1, n.Value) {
		name = mask
	}
	sentence := fmt.Sprintf("unknown key %q; allowed are %s", name, strings.Join(allowed, ", "))
	return &Error{File: d.name, Line: n.Line, Column: n.Column, Sentence: sentence, Source: name}
}

// What the YAML library says: with a line or without one, and of an alias without a place.
var (
	located      = regexp.MustCompile(`^yaml: line (\d+): `)
	unknownAlias = regexp.MustCompile(`^yaml: unknown anchor '(.*)' referenced$`)
)

// syntaxError returns err, of the YAML library, as an Error.
func (d *document) syntaxError(err error) error {
	text := err.Error()
	if m := unknownAlias.FindStringSubmatch(text); m != nil {
		for i, line := range d.lines {
			if column := strings.Index(line, "*"+m[1]); column >= 0 {
				return d.errorAt(i+1, column+1, "this alias names nothing that is marked with &")
			}
		}
	}
	line := 1
	if m := located.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // it is a number
		text = text[len(m[0]):]
		if strings.HasPrefix(text, "did not find") { // here the library counts from 0
			line++
		}
	}
	return d.errorAt(line, 1, "this is not YAML: "+strings.TrimPrefix(text, "yaml: "))
}
