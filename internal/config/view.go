package config

import (
	"cmp"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// view is what may be shown of one line.
type view struct {
	d       *document
	line    int // from 1
	text    []rune
	spans   []span
	secrets []string // values that no text may have
	last    place    // that behind was asked for
}

// place is a place in the file: a line and a column from 1, and the column's byte from 0.
type place struct{ line, column, at int }

// span is a part of a line that may be shown, by its columns from 0.
type span struct{ from, to int }

// viewOf returns the view of a line of d, numbered from 1: of its beginning, if it is long.
func viewOf(d *document, line int) *view {
	v := &view{d: d, line: line, text: runes(d.line(line), 2*maxShown)}
	if d.root != nil {
		walk(d.root, reflect.TypeFor[Config](), "", v.hide) // before something is shown: an alias may name it
		walk(d.root, reflect.TypeFor[Config](), "", v.show)
	}
	slices.SortFunc(v.spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return v
}

// walk calls visit for the keys and values that stand where a configuration has them, with
// their keys: n is the value of key, which is empty for a key. Aliases are visited, and not
// followed.
func walk(n *yaml.Node, t reflect.Type, key string, visit func(n *yaml.Node, key string)) {
	switch {
	case t == reflect.TypeFor[Image]():
		walk(n, new(Image).form(n).Type(), key, visit)
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			walk(item, t.Elem(), key, visit)
		}
	case t.Kind() == reflect.Slice:
		walk(n, t.Elem(), key, visit) // a value that should be a list
	case t.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		for pair := range slices.Chunk(n.Content, 2) {
			if field, ok := fieldOf(t, pair[0]); ok {
				visit(pair[0], "")
				walk(pair[1], field.Type, pair[0].Value, visit)
			}
		}
	case t.Kind() == reflect.Map && n.Kind == yaml.MappingNode:
		for pair := range slices.Chunk(n.Content, 2) {
			if !empty(pair[1]) { // else it may be something that stands in the wrong place
				visit(pair[0], "tag") // whose value may be anything
			}
		}
	case n.Kind == yaml.AliasNode || scalars[t].set != nil:
		visit(n, key)
	}
}

// hide takes in what must be shown nowhere, wherever an alias of it stands: the external id,
// and values that go on on the next line, which may have been meant for something else.
func (v *view) hide(n *yaml.Node, key string) {
	if key == "external_id" {
		n = resolve(n)
	} else if n.Kind != yaml.ScalarNode || v.onOneLine(n) {
		return
	}
	if n.Kind == yaml.ScalarNode && n.Value != "" {
		v.secrets = append(v.secrets, n.Value)
	}
}

// properties are a tag and an anchor, before a value.
var properties = regexp.MustCompile(`^(?:[&!]\S*[ \t]+)*`)

// onOneLine reports whether a value begins and ends on the same line.
func (v *view) onOneLine(n *yaml.Node) bool {
	text := v.behind(n.Line, n.Column)
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		text = text[len(properties.FindString(text)):]
	}
	switch {
	case strings.HasPrefix(text, "'") && n.Style&yaml.SingleQuotedStyle != 0:
		return singleQuoted.MatchString(text)
	case strings.HasPrefix(text, `"`) && n.Style&yaml.DoubleQuotedStyle != 0:
		return doubleQuoted.MatchString(text)
	}
	return strings.HasPrefix(text, n.Value)
}

// behind returns what stands on a line from a column on. It is cheap for one column after the
// other.
func (v *view) behind(line, column int) string {
	if v.last.line != line || v.last.column > column {
		v.last = place{line: line, column: 1}
	}
	text := v.d.line(line)
	for ; v.last.column < column && v.last.at < len(text); v.last.column++ {
		_, size := utf8.DecodeRuneInString(text[v.last.at:])
		v.last.at += size
	}
	return text[v.last.at:]
}

var (
	singleQuoted = regexp.MustCompile(`^'(?:[^']|'')*'`)
	doubleQuoted = regexp.MustCompile(`^"(?:[^"\\]|\\.)*"`)
)

// show takes in where n stands on the line, as far as it may be shown.
func (v *view) show(n *yaml.Node, key string) {
	if n.Line != v.line || n.Kind != yaml.ScalarNode {
		return
	}
	from, value := n.Column-1, n.Value
	raw := value
	switch n.Style {
	case yaml.SingleQuotedStyle:
		raw = "'" + value + "'"
	case yaml.DoubleQuotedStyle:
		raw = `"` + value + `"`
	case 0:
	default: // a tag, or a text of several lines
		return
	}
	to := from + len([]rune(raw))
	if to > len(v.text) || string(v.text[from:to]) != raw {
		return // escapes, several lines
	}
	if shown := v.public(value, key); shown == value || key == "" {
		v.spans = append(v.spans, span{from, to})
	} else if shown != "" && n.Style == 0 {
		v.spans = append(v.spans, span{from, from + len([]rune(shown))})
	}
}

// around finds what stands between two things that are shown, if it is no text; before, what
// stands before something that is not shown; and comment, a comment.
var (
	around  = regexp.MustCompile(`^[ \t:,?"'{}\[\]-]*$`)
	before  = regexp.MustCompile(`^(?:["']?[ \t]*:)?[ \t]*`)
	comment = regexp.MustCompile(`^([ \t\]},]*)[ \t]#.*$`)
)

// shown returns the line, with a mask for each part that may not be shown.
func (v *view) shown() string {
	var line strings.Builder
	at := 0
	for _, s := range v.spans {
		if s.from < at {
			continue
		}
		before := masked(string(v.text[at:s.from]))
		if strings.HasSuffix(before, mask) {
			before += " "
		}
		line.WriteString(before)
		line.WriteString(string(v.text[s.from:s.to]))
		at = s.to
	}
	rest := string(v.text[at:])
	if at > 0 {
		rest = comment.ReplaceAllString(rest, "$1")
	}
	return line.String() + masked(rest)
}

// masked returns what may be shown of a text that no span has.
func masked(text string) string {
	if around.MatchString(text) {
		return text
	}
	return before.FindString(text) + mask
}
