package config

import (
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is one parsed YAML document, with what is needed to point into it.
type document struct {
	name  string
	lines []string
	root  *yaml.Node

	// What has been read so far; aliases can make very many of a few.
	decoded, targets, selectors, instructions int

	// expanded is how many bytes the names and roles have that accounts make.
	expanded int
	// accountsFiles are the accounts files that have been read, by their paths.
	accountsFiles map[string][]account
}

// lineEnds are those of YAML beside the usual ones: the library counts them.
var lineEnds = strings.NewReplacer("\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// parseDocument parses data, which must hold exactly one document that is not empty.
func parseDocument(name string, data []byte) (*document, error) {
	text := strings.TrimPrefix(string(data), "\ufeff") // a byte order mark
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	if rest, ok := strings.CutPrefix(text, "%YAML 1.2\n"); ok { // the library reads 1.2 and refuses its name
		text = "%YAML 1.1\n" + rest
	}
	doc := &document{name: name, lines: strings.Split(lineEnds.Replace(text), "\n")}
	if err := doc.checkLines(); err != nil {
		return nil, err
	}
	for decoder := yaml.NewDecoder(strings.NewReader(text)); ; {
		var n yaml.Node
		err := decoder.Decode(&n)
		switch {
		case errors.Is(err, io.EOF) && doc.root == nil:
			return nil, doc.errorAt(1, 1, "the file is empty; at least one target is required")
		case errors.Is(err, io.EOF):
			return doc, doc.check(doc.root, map[string]bool{}, 0)
		case err != nil:
			return nil, doc.syntaxError(err)
		case len(n.Content) == 0, empty(n.Content[0]): // nothing but a marker
		case doc.root != nil:
			doc.root = n.Content[0]
			return nil, doc.mistake(doc.root.Line, 1, "a second YAML document starts here; the file must contain exactly one", viewOf(doc, doc.root.Line).shown())
		default:
			doc.root = n.Content[0]
		}
	}
}

// check holds what YAML allows and a configuration does not need. anchors are those so far.
func (d *document) check(n *yaml.Node, anchors map[string]bool, depth int) error {
	switch {
	case depth > maxDepth:
		return d.errorf(n, "the file is nested too deeply")
	case anchors[n.Anchor]:
		return d.errorf(n, "another anchor has this name; anchor names must be unique")
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

// line returns the n-th line, from 1; nothing for one that is not there.
func (d *document) line(n int) string {
	if n < 1 || n > len(d.lines) {
		return ""
	}
	return d.lines[n-1]
}

// resolve returns n, or for an alias the node that it refers to.
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
