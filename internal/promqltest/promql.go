package promqltest

import (
	"regexp"
	"strings"
)

// selector is what selects series in an expression.
type selector struct {
	metric   string // empty for none
	matchers []matcher
}

// matcher compares a label.
type matcher struct{ label, operator, value string }

// selectors returns the selectors with braces of an expression.
func selectors(expr string) []selector {
	var all []selector
	for _, m := range selectorPattern.FindAllStringSubmatch(expr, -1) {
		s := selector{metric: m[1]}
		for _, p := range matcherPattern.FindAllStringSubmatch(m[2], -1) {
			s.matchers = append(s.matchers, matcher{p[1], p[2], p[3]})
		}
		all = append(all, s)
	}
	return all
}

var (
	selectorPattern = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)?\{([^{}]*)\}`)
	matcherPattern  = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"`)
)

// labelFunctions returns the labels that label_replace and label_join read, and those that
// they write.
func labelFunctions(expr string) (used, made []string) {
	for _, c := range labelCall.FindAllStringIndex(expr, -1) {
		var args []string
		for _, arg := range stringArguments(expr[c[1]:]) {
			args = append(args, arg[1])
		}
		if len(args) < 3 {
			continue
		}
		made = append(made, args[0])
		sources := args[2:]
		if strings.HasPrefix(expr[c[0]:], "label_replace") {
			sources = args[2:3]
		}
		for _, s := range sources {
			if s != "" {
				used = append(used, s)
			}
		}
	}
	return used, made
}

// stringArguments returns the strings that are the arguments of a call, which text begins
// behind the parenthesis of.
func stringArguments(text string) [][]string {
	depth := 0
	var own strings.Builder // what is in no other parentheses, braces or brackets
	for _, r := range text {
		switch {
		case strings.ContainsRune("({[", r):
			depth++
		case strings.ContainsRune(")}]", r):
			if depth--; depth < 0 {
				return stringPattern.FindAllStringSubmatch(own.String(), -1)
			}
		case depth == 0:
			own.WriteRune(r)
		}
	}
	return nil
}

var (
	labelCall     = regexp.MustCompile(`\blabel_(?:replace|join)\(`)
	stringPattern = regexp.MustCompile(`"([^"]*)"`)
)

// Code returns the queries and samples of a Markdown text: what stands in blocks of code or
// in backquotes, and has labels of something of the exporter's.
func Code(markdown string) []string {
	var all []string
	keep := func(code string) {
		if seriesName.MatchString(code) && labelled.MatchString(code) {
			all = append(all, code)
		}
	}
	rest := blockPattern.ReplaceAllStringFunc(markdown, func(block string) string {
		keep(strings.Trim(block, "`"))
		return ""
	})
	for _, span := range spanPattern.FindAllString(rest, -1) {
		keep(strings.Trim(span, "`"))
	}
	return all
}

var (
	labelled     = regexp.MustCompile(`\bimagebuilder[a-z_:]+\{|\b(?:by|on|without)\s*\(`)
	blockPattern = regexp.MustCompile("(?s)```.*?```")
	spanPattern  = regexp.MustCompile("`[^`]+`")
)
