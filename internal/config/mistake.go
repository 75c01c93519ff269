package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

// Error is a mistake in a configuration file. Its text is FILE:LINE:COL: sentence,
// and below it what may be shown of the offending line. Nothing in it is hidden from a
// terminal, and no secret is in it.
type Error struct {
	File         string
	Line, Column int    // both from 1
	Sentence     string // what is wrong, and what is allowed
	Source       string // the offending line, with *** in place of what may be secret

	// Cause is why a file that the configuration names could not be read, nil for a mistake that
	// the content of a file explains.
	Cause error
}

// Error returns the two lines.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s\n%s", e.File, e.Line, e.Column, e.Sentence, e.Source)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// maxPath bounds how much of a path is shown, in bytes: more than any system has.
const maxPath = 8 << 10

func (d *document) mistake(line, column int, sentence, source string) error {
	return &Error{
		File: printable.Line(d.name, maxPath), Line: line, Column: max(column, 1),
		Sentence: printable.Line(sentence, maxSentence), Source: cut(printable.Line(source, maxSentence)),
	}
}

// errorf returns an Error that points at n, a node of the document.
func (d *document) errorf(n *yaml.Node, format string, args ...any) error {
	v := viewOf(d, n.Line)
	return d.mistake(n.Line, n.Column, v.sentence(fmt.Sprintf(format, args...)), v.shown())
}

// errorAt returns an Error about a file that cannot be read as YAML, whose sentence cites
// nothing. It shows no values: what a line belongs to is not known.
func (d *document) errorAt(line, column int, sentence string) error {
	line = min(max(line, 1), len(d.lines))
	return d.mistake(line, column, sentence, onlyKey(d.line(line)))
}

// unknownKey returns an Error about a key of a mapping, the i-th node in it. It shows the key
// if that is none of what people write by mistake in its place, and not the value, which may be
// a password under a wrong name.
func (d *document) unknownKey(mapping *yaml.Node, i int, allowed []string) error {
	key := mapping.Content[i]
	name, near := mask, ""
	if key.Kind == yaml.ScalarNode { // an alias has the name of its anchor
		near = nearest(key.Value, allowed)
	}
	if near != "" || d.mayBeShown(mapping, i) {
		name = key.Value
	}
	sentence := fmt.Sprintf("unknown key %q; allowed are %s", name, strings.Join(allowed, ", "))
	if near != "" {
		sentence += "; did you mean " + near + "?"
	}
	return d.mistake(key.Line, key.Column, sentence, name)
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
		line, column := d.find("*" + m[1])
		return d.errorAt(line, column, "this alias refers to an anchor (&) that does not exist")
	}
	line := 1
	if m := located.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // it is a number
		text = text[len(m[0]):]
		if parserProblem.MatchString(text) { // here the library counts from 0
			line++
		}
	}
	text = strings.TrimPrefix(text, "yaml: ")
	for problem, hint := range yamlHints {
		if strings.Contains(text, problem) {
			text += "; " + hint
		}
	}
	return d.errorAt(line, 1, "this is not YAML: "+text)
}

// parserProblem matches what the parser of the library does not find; its scanner has other problems.
var parserProblem = regexp.MustCompile(`^did not find expected (?:'-' indicator|key|',' or|node content|<)`)

// yamlHints has what to do about problems that the library reports in the terms of its parser, at the
// line where a block begins. They exclude each other.
var yamlHints = map[string]string{
	"expected '-' indicator": "check the indentation of this block",
	"expected key":           "check the indentation of this block, and quote a value that begins with {",
	"cannot start any token": "indent with spaces, not tabs, and quote a value that begins with %, @ or `",
	"alphabetic or numeric":  "quote a value that begins with * or &; the pattern of every name is .*",
}

// find returns the position of the first occurrence of a text, from 1; 1, 1 if there is none.
func (d *document) find(text string) (line, column int) {
	for i, line := range d.lines {
		if at := strings.Index(line, text); at >= 0 {
			return i + 1, at + 1
		}
	}
	return 1, 1
}
