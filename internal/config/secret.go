package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// No error may repeat an external id. A file with a mistake may be no YAML at all, so the
// id is searched in the text, and in doubt more is hidden than needed.

const mask = "***"

var (
	// password finds the user and password of an endpoint, however it is written.
	password = regexp.MustCompile(`(endpoint_url['"]?\s*:\s*['"]?).*@`)
	// secretKey finds external_id, also when it is misspelt.
	secretKey = regexp.MustCompile(`(?i)external|\bext`)
	// nextKey finds a line that begins with another key than external_id.
	nextKey = regexp.MustCompile(`^[ \t]*(?:-[ \t]+)*["']?(?:` + strings.Join(ourKeys(), "|") + `)["']?[ \t]*:(?:[ \t]|$)`)
	// aliases finds the names of anchors.
	aliases = regexp.MustCompile(`\*[\w-]+`)
	// citation finds what a sentence cites from the file.
	citation = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	// word finds what an external id can consist of, but for commas.
	word = regexp.MustCompile(`[\w+=.@:/-]{2,}`)
)

// ourKeys returns all keys but external_id.
func ourKeys() []string {
	var all []string
	for _, t := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[Target](), reflect.TypeFor[PipelineSelector](), reflect.TypeFor[Lookup]()} {
		all = append(all, keysOf(t)...)
	}
	return slices.DeleteFunc(all, func(key string) bool { return key == "external_id" })
}

// secretLines reports which lines may hold a part of an external id: those with its key,
// those with an anchor that such a line names, and those below them that do not begin
// with another key as far to the left.
func secretLines(lines []string) []bool {
	secret := make([]bool, len(lines))
	hideFrom(lines, secret, secretKey)
	var anchors []string
	for i, line := range lines {
		if secret[i] {
			for _, alias := range aliases.FindAllString(line, -1) {
				anchors = append(anchors, regexp.QuoteMeta("&"+alias[1:]))
			}
		}
	}
	if len(anchors) > 0 {
		hideFrom(lines, secret, regexp.MustCompile(strings.Join(anchors, "|")))
	}
	return secret
}

// hideFrom marks the lines that match begin, and what may belong to them.
func hideFrom(lines []string, secret []bool, begin *regexp.Regexp) {
	column := -1 // of the last match whose value may go on, -1 for none
	for i, line := range lines {
		if at := begin.FindStringIndex(line); at != nil {
			column = at[0]
		} else if nextKey.MatchString(line) && len(line)-len(strings.TrimLeft(line, " \t-\"'")) <= column {
			column = -1
		}
		secret[i] = secret[i] || column >= 0
	}
}

// withoutSecrets returns a line of lines, numbered from 0, and a sentence about it as
// they may be shown.
func withoutSecrets(lines []string, n int, sentence string) (line, safe string) {
	secret := secretLines(lines)
	var words []string
	for i, line := range lines {
		if secret[i] {
			words = append(words, word.FindAllString(secretKey.ReplaceAllString(line, ""), -1)...)
		}
	}
	safe = citation.ReplaceAllStringFunc(sentence, func(s string) string {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, strings.TrimRight(w, ":,")) }) {
			return `"` + mask + `"`
		}
		return s
	})
	if secret[n] {
		return mask, safe
	}
	return password.ReplaceAllString(lines[n], "$1"+mask+"@"), safe
}
