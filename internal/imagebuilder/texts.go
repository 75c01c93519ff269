package imagebuilder

import (
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Bounds of the texts in an answer, in bytes.
const (
	maxText    = 1024 // of what becomes a label: the longest ARN that the API reference allows
	maxMessage = 4096 // of what people read: at most 1,024 characters there
)

// text returns s, or the beginning of it when it is too long for a label.
func text[S ~string](s S, invalid func(reason string)) string {
	return cut(string(s), maxText, invalid)
}

// message returns s, or the beginning of it when it is too long.
func message(s *string, invalid func(reason string)) string {
	return cut(aws.ToString(s), maxMessage, invalid)
}

// cut returns at most so many bytes of s, in whole characters, and counts what is cut off.
func cut(s string, most int, invalid func(reason string)) string {
	if len(s) <= most {
		return s
	}
	invalid(reasonTooLong)
	for !utf8.RuneStart(s[most]) {
		most--
	}
	return strings.Clone(s[:most]) // or the rest of it would stay in memory
}

// id returns an id or an ARN that a row cannot do without. One that is too long is none, for
// a part of it would be another one.
func id(s *string, invalid func(reason string)) (string, bool) {
	if aws.ToString(s) == "" {
		invalid(reasonEmpty)
		return "", false
	}
	whole := optionalID(s, invalid)
	return whole, whole != ""
}

// optionalID is id for one that may be missing: then it is empty.
func optionalID(s *string, invalid func(reason string)) string {
	if len(aws.ToString(s)) > maxText {
		invalid(reasonTooLong)
		return ""
	}
	return aws.ToString(s)
}

// tagsOf leaves out tags of which a part is too long: the rest of it might be another tag.
func tagsOf(tags map[string]string, invalid func(reason string)) map[string]string {
	maps.DeleteFunc(tags, func(key, value string) bool {
		tooLong := len(key) > maxText || len(value) > maxText
		if tooLong {
			invalid(reasonTooLong)
		}
		return tooLong
	})
	return tags
}
