package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
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
	root    ast.Node
	anchors map[string]ast.Node
	twice   ast.Node // an anchor whose name was taken, nil for none
	decoded int      // values so far; aliases can make very many of a few
}

// parseDocument parses data, which must hold exactly one document.
func parseDocument(name string, data []byte) (doc *document, err error) {
	text := strings.TrimPrefix(string(data), "\ufeff") // a byte order mark
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	doc = &document{name: name, lines: strings.Split(text, "\n"), anchors: map[string]ast.Node{}}
	if i := slices.IndexFunc(doc.lines, func(line string) bool { return !utf8.ValidString(line) }); i >= 0 {
		return nil, doc.errorAt(i+1, 1, "the file is not UTF-8 text")
	}
	if line := secondDocument(doc.lines); line > 0 {
		return nil, doc.errorAt(line, 1, "a second YAML document begins here; a configuration is exactly one")
	}
	if line, column := tooDeep(doc.lines); line > 0 {
		return nil, doc.errorAt(line, column, "the file is nested too deeply; a configuration needs no more than a few levels")
	}
	defer func() {
		if recover() != nil { // the YAML library panics on some inputs
			doc, err = nil, doc.errorAt(1, 1, "the file is not YAML that can be parsed")
		}
	}()
	file, err := parser.ParseBytes([]byte(text), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, doc.syntaxError(err)
	}
	i := slices.IndexFunc(file.Docs, func(d *ast.DocumentNode) bool {
		return d.Body != nil && d.Body.Type() != ast.CommentType && d.Body.Type() != ast.DirectiveType
	})
	if i < 0 {
		return nil, doc.errorAt(1, 1, "the file is empty; at least one target is needed")
	}
	doc.root = file.Docs[i].Body
	if ast.Walk(doc, doc.root); doc.twice != nil {
		return nil, doc.errorf(doc.twice, "a second anchor has this name; each name may stand once")
	}
	return doc, nil
}

// Visit collects the anchors. It implements ast.Visitor.
func (d *document) Visit(n ast.Node) ast.Visitor {
	if anchor, ok := n.(*ast.AnchorNode); ok {
		if d.anchors[anchor.Name.String()] != nil && d.twice == nil {
			d.twice = anchor
		}
		d.anchors[anchor.Name.String()] = anchor.Value
	}
	return d
}

// resolve returns the node that n stands for: itself, or what an anchor or alias
// names.
func (d *document) resolve(n ast.Node) ast.Node {
	for range 10 {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			n = d.anchors[v.Value.String()]
		default:
			return n
		}
	}
	return nil
}

// at returns the node under path, whose elements are keys and indexes, or as much
// of the way to it as there is.
func (d *document) at(path ...any) ast.Node {
	n := d.root
	for _, step := range path {
		next := d.child(n, step)
		if next == nil {
			break
		}
		n = next
	}
	return n
}

// has reports whether the mapping under path has key.
func (d *document) has(key string, path ...any) bool {
	return d.child(d.at(path...), key) != nil
}

func (d *document) child(n ast.Node, step any) ast.Node {
	switch v := d.resolve(n).(type) {
	case *ast.SequenceNode:
		if i, ok := step.(int); ok && i < len(v.Values) {
			return v.Values[i]
		}
	case *ast.MappingNode:
		for _, pair := range v.Values {
			if pair.Key.GetToken().Value == step {
				return pair.Value
			}
		}
	}
	return nil
}

// errorf returns an Error that points at n.
func (d *document) errorf(n ast.Node, format string, args ...any) error {
	line, column := 1, 1
	if t := firstToken(n); t != nil && t.Position != nil {
		line, column = t.Position.Line, t.Position.Column
	}
	return d.errorAt(line, column, fmt.Sprintf(format, args...))
}

// firstToken returns the token that n begins with; for a mapping that is its first
// key, where the node itself names the colon.
func firstToken(n ast.Node) *token.Token {
	if v, ok := n.(*ast.MappingNode); ok && len(v.Values) > 0 && !v.IsFlowStyle {
		return firstToken(v.Values[0].Key)
	}
	if n == nil {
		return nil
	}
	return n.GetToken()
}

func (d *document) errorAt(line, column int, sentence string) error {
	line = min(max(line, 1), len(d.lines))
	source, sentence := withoutSecrets(d.lines, line-1, sentence)
	return &Error{File: d.name, Line: line, Column: max(column, 1), Sentence: sentence, Source: source}
}

// syntaxError returns err, of the YAML library, as an Error.
func (d *document) syntaxError(err error) error {
	line, column, sentence := 1, 1, "the file is not YAML: "+err.Error()
	located, ok := errors.AsType[yaml.Error](err)
	if ok && located.GetToken() != nil && located.GetToken().Position != nil {
		p := located.GetToken().Position
		line, column, sentence = p.Line, p.Column, "this is not YAML: "+located.GetMessage()
	}
	sentence, _, _ = strings.Cut(sentence, "\n")
	return d.errorAt(line, column, sentence)
}

// secondDocument returns the number of the line where a second document begins, 0 for
// nowhere. (The YAML library leaves out what follows an empty document.) A marker at
// the beginning of a line is one everywhere, in texts of several lines too.
func secondDocument(lines []string) int {
	content, ended := false, false
	for i, l := range lines {
		marker := strings.TrimRight(l, " \t\r")
		rest, separates := strings.CutPrefix(marker, "---")
		switch {
		case separates && (rest == "" || rest[0] == ' ' || rest[0] == '\t'):
			ended = content
			content = content || isContent(rest)
			if ended && isContent(rest) {
				return i + 1
			}
		case marker == "...":
			ended = content
		case isContent(l) && ended:
			return i + 1
		case isContent(l) && !strings.HasPrefix(l, "%"):
			content = true
		}
	}
	return 0
}

// isContent reports whether a line is more than white space and a comment.
func isContent(line string) bool {
	line = strings.TrimSpace(line)
	return line != "" && line[0] != '#'
}

// maxDepth is far beyond what a configuration needs. The YAML library takes memory
// with the square of the depth.
const maxDepth = 500

// tooDeep returns the place where lines are nested more than maxDepth deep, by
// brackets or by indentation, 0 for nowhere. Brackets in texts count, too: only very
// many that are never closed would be an error that is none.
func tooDeep(lines []string) (line, column int) {
	brackets := 0
	for i, l := range lines {
		if indent := len(l) - len(strings.TrimLeft(l, " -?")); indent > maxDepth {
			return i + 1, maxDepth
		}
		for j := range len(l) {
			switch l[j] {
			case '[', '{':
				brackets++
			case ']', '}':
				brackets = max(0, brackets-1)
			}
			if brackets > maxDepth {
				return i + 1, j + 1
			}
		}
	}
	return 0, 0
}
