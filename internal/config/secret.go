package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// An error shows the line that it is about, unless that may hold a secret: an external id,
// the value of a key that is not ours (it may be a password under a wrong name), and what
// follows :// or stands before @. A file with a mistake may be no YAML at all, so secrets
// are searched in the text, and in doubt more is hidden than needed.

const (
	mask = "***"
	// maxShown bounds how much of a line or a key is shown, in characters.
	maxShown = 200
)

var (
	// urlTail finds what stands behind the scheme of a URL, also with escapes of YAML.
	urlTail = regexp.MustCompile(`(?i)(:(?:\\?/|\\x2f|\\u002f){2}).*`)
	// login finds users and passwords, and query finds the first parameter of a URL.
	login = regexp.MustCompile(`(?i)[^\s'"]*(@|%40)`)
	query = regexp.MustCompile(`\?[\w.-]+=.*`)
	// secretKey finds external_id, also when it is misspelt.
	secretKey = regexp.MustCompile(`(?i)external|\bext`)
	// plainKey finds what of a key may be shown: behind it a value may stand, without a colon.
	plainKey = regexp.MustCompile(`^(?:[\w.-]+|<<)`)
	// anyKey finds keys; a tag is the user's own name, in flow style or on lines of its own.
	anyKey    = regexp.MustCompile(`([^\s"'{}\[\],]+)["']?[ \t]*:(?:[ \t]|$)`)
	flowTags  = regexp.MustCompile(`\btags["']?[ \t]*:[ \t]*\{[^{}]*\}`)
	blockTags = regexp.MustCompile(`\btags["']?[ \t]*:[ \t]*(?:#.*)?$`)
	// nextKey finds a line that begins with one of our keys but external_id.
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

// secretLines reports which lines may hold a part of a secret: those with a secret key, those
// with an anchor that such a line names, and those below them that do not begin with one of
// our keys as far to the left.
func secretLines(lines []string) []bool {
	secret := make([]bool, len(lines))
	hideFrom(lines, secret, secretAt(lines))
	var anchors []string
	for i, line := range lines {
		if secret[i] {
			for _, alias := range aliases.FindAllString(line, -1) {
				anchors = append(anchors, regexp.QuoteMeta("&"+alias[1:]))
			}
		}
	}
	if len(anchors) > 0 {
		anchor := regexp.MustCompile(strings.Join(anchors, "|"))
		hideFrom(lines, secret, func(i int) int { return column(anchor, lines[i]) })
	}
	return secret
}

// secretAt returns what tells where in a line a key stands whose value may be secret, -1 for
// nowhere. It is to be asked for one line after the other.
func secretAt(lines []string) func(i int) int {
	ours := ourKeys()
	tags := -1 // the column of a mapping of tags that goes on
	return func(i int) int {
		line := lines[i]
		if at := column(secretKey, line); at >= 0 {
			return at
		}
		indent := len(line) - len(strings.TrimLeft(line, " -"))
		if tags >= 0 && indent > tags {
			return -1
		}
		tags = column(blockTags, line)
		line = flowTags.ReplaceAllString(line, "")
		for _, key := range anyKey.FindAllStringSubmatchIndex(line, -1) {
			if !slices.Contains(ours, line[key[2]:key[3]]) {
				return key[2]
			}
		}
		return -1
	}
}

// tooLongForKey reports whether a key may be external_id and its value in one word.
func tooLongForKey(key string) bool {
	return secretKey.MatchString(key) && len(key) > len("external_id")+2
}

// insideExternalID reports whether a key, which begins at a place, may be a part of an
// external id: something like external_id stands before it. Lines and columns are numbered
// from 0.
func insideExternalID(lines []string, n, at int, key string) bool {
	line := []rune(lines[n])
	at = min(at, len(line))
	before, _, found := strings.Cut(string(line[at:]), key) // a tag or an anchor may stand there
	if !found {
		before = lines[n]
	}
	if secretKey.MatchString(string(line[:at]) + before) {
		return true
	}
	inside := make([]bool, len(lines))
	hideFrom(lines, inside, func(i int) int {
		if i == n {
			return -1
		}
		return column(secretKey, lines[i])
	})
	return inside[n]
}

func column(r *regexp.Regexp, line string) int {
	if at := r.FindStringIndex(line); at != nil {
		return at[0]
	}
	return -1
}

// hideFrom marks the lines in which something begins, and what may belong to them.
func hideFrom(lines []string, secret []bool, begins func(i int) int) {
	from := -1 // the column of the last beginning whose value may go on, -1 for none
	for i, line := range lines {
		if at := begins(i); at >= 0 {
			from = at
		} else if nextKey.MatchString(line) && len(line)-len(strings.TrimLeft(line, " \t-\"'")) <= from {
			from = -1
		}
		secret[i] = secret[i] || from >= 0
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
		return `"` + shown(s[1:len(s)-1]) + `"`
	})
	if secret[n] {
		return mask, safe
	}
	return shown(lines[n]), safe
}

// shown returns text without users, passwords and parts of URLs, and not too much of it.
func shown(text string) string {
	text = urlTail.ReplaceAllString(text, "$1"+mask)
	text = query.ReplaceAllString(login.ReplaceAllString(text, mask+"$1"), "?"+mask)
	if r := []rune(text); len(r) > maxShown {
		return string(r[:maxShown]) + "…"
	}
	return text
}
