package config

import (
	"cmp"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// An error shows the line that it is about. Users write passwords where they do not belong: as
// the value of a key that is none of ours, in a URL, in a comment, on a line of their own. So a
// line is hidden but for what cannot be one: our keys, and the values of those whose values are
// no secret, as long as they do not look like one.

const (
	mask = "***"
	// maxShown bounds how much is shown of a line, or of a value that a sentence cites, in
	// characters, and maxSentence bounds a sentence, in bytes.
	maxShown    = 200
	maxSentence = 4 << 10
)

// view is what may be shown of one line.
type view struct {
	d       *document
	line    int // from 1
	text    []rune
	spans   []span
	secrets []string // values that no text may have
	hidden  map[*yaml.Node]bool
	last    place // that behind was asked for
}

// place is a place in the file: a line and a column from 1, and the column's byte from 0.
type place struct{ line, column, at int }

// span is a part of a line that may be shown, by its columns from 0.
type span struct{ from, to int }

// viewOf returns the view of a line of d, numbered from 1: of its beginning, if it is long.
func viewOf(d *document, line int) *view {
	v := &view{d: d, line: line, text: runes(d.line(line), 2*maxShown), hidden: map[*yaml.Node]bool{}}
	if d.root != nil {
		v.walk(d.root, reflect.TypeFor[Config](), v.hide) // before something is shown: an alias may name it
		v.walk(d.root, reflect.TypeFor[Config](), v.show)
	}
	slices.SortFunc(v.spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return v
}

// walk calls visit for the keys and values that stand where a configuration has them, with
// their keys. Aliases are visited, and not followed.
func (v *view) walk(n *yaml.Node, t reflect.Type, visit func(n *yaml.Node, key string)) {
	v.walkValue(n, t, "", visit)
}

func (v *view) walkValue(n *yaml.Node, t reflect.Type, key string, visit func(n *yaml.Node, key string)) {
	switch {
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			v.walkValue(item, t.Elem(), key, visit)
		}
	case t.Kind() == reflect.Slice:
		v.walkValue(n, t.Elem(), key, visit) // a value that should be a list
	case t.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		for pair := range slices.Chunk(n.Content, 2) {
			if field, ok := fieldOf(t, pair[0]); ok {
				visit(pair[0], "")
				v.walkValue(pair[1], field.Type, pair[0].Value, visit)
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
	v.hidden[n] = true
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
	if n.Line != v.line || n.Kind != yaml.ScalarNode || v.hidden[n] || key == "external_id" {
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
	if shown := v.public(value, key); shown == value {
		v.spans = append(v.spans, span{from, to})
	} else if shown != "" && n.Style == 0 {
		v.spans = append(v.spans, span{from, from + len([]rune(shown))})
	}
}

var (
	// scheme finds where a URL begins; nothing behind it is shown. host is what may be shown of
	// an endpoint that has none.
	scheme = regexp.MustCompile(`^[a-z]{2,10}://`)
	host   = regexp.MustCompile(`^[\w.-]+(?::\d+)?$`)
	// odd finds what users and passwords, parameters and variables have.
	odd = regexp.MustCompile(`(?i)@|%40|=|\$\{|://`)
	// accessKey finds access keys of AWS; random, what may be another credential.
	accessKey = regexp.MustCompile(`\b(?:AKIA|ASIA)[0-9A-Z]{8}`)
	random    = regexp.MustCompile(`[0-9A-Za-z+/]{32,}`)
	// citation finds what a sentence cites from the file.
	citation = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
)

// public returns what may be shown of a value of a key: all of it, its beginning, or nothing.
func (v *view) public(value, key string) string {
	beginning := scheme.FindString(value)
	switch {
	case v.secret(value) || credential(value):
		return ""
	case beginning != "":
		return beginning
	case odd.MatchString(value), key == "endpoint_url" && !host.MatchString(value), key == "role_arn" && !strings.HasPrefix(value, "arn:"):
		return ""
	}
	return value
}

// credential reports whether a text looks like one: it has an access key, or a long word of
// letters of both kinds and digits.
func credential(text string) bool {
	return accessKey.MatchString(text) || slices.ContainsFunc(random.FindAllString(text, -1), func(word string) bool {
		return strings.ContainsFunc(word, unicode.IsUpper) && strings.ContainsFunc(word, unicode.IsLower) && strings.ContainsFunc(word, unicode.IsDigit)
	})
}

// secret reports whether a text has a secret of the file in it, or a part of one.
func (v *view) secret(text string) bool {
	const part = 4 // the length from which it is one
	return slices.ContainsFunc(v.secrets, func(s string) bool {
		return strings.Contains(text, s) || len(text) >= part && strings.Contains(s, text)
	})
}

// sentence returns a sentence as it may be shown.
func (v *view) sentence(text string) string {
	return citation.ReplaceAllStringFunc(text, func(quoted string) string {
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return strconv.Quote(mask)
		}
		shown := v.public(value, "")
		if shown != value {
			shown += mask
		}
		return strconv.Quote(cut(shown))
	})
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

// cut returns the beginning of a text that is long.
func cut(text string) string {
	if r := runes(text, maxShown+1); len(r) > maxShown {
		return string(r[:maxShown]) + "…"
	}
	return text
}

// runes returns at most n characters of text.
func runes(text string, n int) []rune {
	r := []rune(text[:min(len(text), n*utf8.UTFMax)])
	return r[:min(len(r), n)]
}
