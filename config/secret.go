package config

import (
	"regexp"
	"slices"
	"strings"
)

// No error may repeat a secret. A file with a mistake may be no YAML at all, so secrets
// are found in its text: rather too much is hidden than too little.

// password finds the user and password of an endpoint, however it is written.
var password = regexp.MustCompile(`(endpoint_url['"]?\s*:\s*['"]?).*@`)

var (
	// secretKey finds external_id. likeSecretKey finds, in the place of a key, what may
	// be meant by it: a name with "ext" in it, or one with escapes.
	secretKey     = regexp.MustCompile(`(?i)["']?external_id["']?[ \t]*[:=]?[ \t]*`)
	likeSecretKey = regexp.MustCompile(`(?i)(?:^|[{,#])[ \t]*(?:[-?][ \t]+)*(?:["']?[\w-]*ext[\w-]*["']?|"[^"]*\\[^"]*")[ \t]*[:=][ \t]*`)
	// quoted finds a text in quotes, which may go over several lines.
	quoted = regexp.MustCompile(`^(?:"(?:[^"\\]|\\(?s:.))*"|'(?:[^']|'')*')`)
	// plainInFlow finds the end of a text without quotes within braces.
	plainInFlow = regexp.MustCompile(`[ \t]*(?:[}\]]|,[ \t]*["']?[\w-]+["']?[ \t]*:[ \t])`)
	// afterValue is what may stand behind a value in its line: another key, or nothing.
	afterValue = regexp.MustCompile(`^[ \t\]}]*(?:$|,[ \t]*$|,[ \t{]*["']?[\w-]+["']?[ \t]*:[ \t])`)
	// anyKey and ourKey find a line that begins with a key.
	anyKey = regexp.MustCompile(`^[ \t]*(?:-[ \t]+)*[{[]?(["']?[\w-]+)["']?[ \t]*:(?:[ \t]|$)`)
	ourKey = regexp.MustCompile(`^[ \t]*(?:-[ \t]+)*[{[]?(["']?(?:targets|lookup|name|regions|workflow_executions|images|pipelines|steps|max_executions|role_arn|session_name|endpoint_url))["']?[ \t]*:(?:[ \t]|$)`)
)

const mask = "***"

// masked returns lines with every secret masked, and the words of which the secrets
// consist.
func masked(lines []string) (shown, words []string) {
	shown = slices.Clone(lines)
	for i := 0; i < len(lines); i++ {
		done := 0 // how much of lines[i] is behind us
		out := ""
		for done < len(lines[i]) {
			at := nextKey(lines[i][done:])
			if at == nil {
				break
			}
			begin := done + at[1]
			column := begin - len(strings.TrimLeft(lines[i][done+at[0]:begin], " \t{,#-?"))
			out += lines[i][done:begin] + mask
			last, end := secretEnd(lines, i, begin, column)
			if !strings.Contains(" "+lines[i][:column], " #") { // not in a comment
				words = append(words, secretWords(lines, i, begin, last, end)...)
			}
			if last > i {
				shown[i], out = out, ""
				for i++; i < last; i++ {
					shown[i] = maskLine(lines[i])
				}
				out = maskLine(lines[i][:end])
			}
			done = end
		}
		shown[i] = password.ReplaceAllString(out+lines[i][done:], "$1"+mask+"@")
	}
	return shown, words
}

// nextKey returns where the first key of a secret begins and ends, nil for nowhere.
func nextKey(line string) []int {
	is, like := secretKey.FindStringIndex(line), likeSecretKey.FindStringIndex(line)
	if is == nil || (like != nil && like[1] <= is[0]) {
		return like
	}
	return is
}

// secretEnd returns the line and byte where the value ends that begins at byte begin of
// line i, and whose key begins at byte column.
func secretEnd(lines []string, i, begin, column int) (last, end int) {
	value := lines[i][begin:]
	next := anyKey // what may follow in a line of its own
	if value == "" || strings.ContainsAny(value[:1], "#|>&!*[{\"'?") {
		next = ourKey
	}
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		text := strings.Join(lines[i:], "\n")[begin:]
		at := quoted.FindStringIndex(text)
		if at == nil { // it never ends
			return len(lines) - 1, len(lines[len(lines)-1])
		}
		breaks := strings.Count(text[:at[1]], "\n")
		end = begin + at[1]
		if breaks > 0 {
			end = at[1] - 1 - strings.LastIndex(text[:at[1]], "\n")
		}
		i += breaks
		if afterValue.MatchString(lines[i][end:]) {
			return i, end
		}
		next = anyKey
	} else if before := lines[i][:begin]; next == anyKey && strings.Count(before, "{") > strings.Count(before, "}") {
		if at := plainInFlow.FindStringIndex(value); at != nil && at[0] > 0 && afterValue.MatchString(value[at[0]:]) {
			return i, begin + at[0]
		}
	}
	for i+1 < len(lines) {
		key := next.FindStringSubmatchIndex(lines[i+1])
		if key != nil && key[2] <= column {
			break
		}
		i++
	}
	return i, len(lines[i])
}

// secretWords returns the words of a secret that reaches from byte begin of line first
// to byte end of line last.
func secretWords(lines []string, first, begin, last, end int) []string {
	var words []string
	for i := first; i <= last; i++ {
		text := lines[i]
		if i == last {
			text = text[:end]
		}
		if i == first {
			text = text[begin:]
		}
		text, _, _ = strings.Cut(text, " #")
		words = append(words, strings.FieldsFunc(text, func(r rune) bool {
			return strings.ContainsRune(" \t,\"'[]{}|>&*#!", r)
		})...)
	}
	for i, w := range words {
		words[i] = strings.Trim(w, ":=") // as a key, it is cited without
	}
	return slices.DeleteFunc(words, func(w string) bool { return len(w) < 2 })
}

// maskLine masks a whole line but its indentation.
func maskLine(line string) string {
	text := strings.TrimLeft(line, " \t")
	if text == "" {
		return line
	}
	return line[:len(line)-len(text)] + mask
}

// citation finds what a sentence cites from the file.
var citation = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// withoutSecrets returns sentence without the citations that have one of words in them.
func withoutSecrets(sentence string, words []string) string {
	return citation.ReplaceAllStringFunc(sentence, func(s string) string {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) }) {
			return `"` + mask + `"`
		}
		return s
	})
}
