package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
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

// secret reports whether a text is a secret of the file, has one in it, or is a part of one.
func (v *view) secret(text string) bool {
	const part = 4 // the length from which it is one
	return slices.ContainsFunc(v.secrets, func(s string) bool {
		return text == s || len(s) >= part && strings.Contains(text, s) || len(text) >= part && strings.Contains(s, text)
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
