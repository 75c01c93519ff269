package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// These are the values of a scenario file. Each is checked while it is decoded, so errors have a
// line number.
type (
	text          string
	accountID     string
	region        string
	ami           string
	roleARN       string
	thingName     string
	versionNumber string
	executionID   string
	platform      string
	imageType     string
	runType       string
	outcome       string
	count         int
	duration      time.Duration // may be below zero
	length        time.Duration
	object        string // JSON
)

var (
	anyText       = regexp.MustCompile(`^[^\x00-\x1f]{1,1000}$`)
	regionForm    = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]$`)
	amiForm       = regexp.MustCompile(`^ami-[0-9a-f]{8,17}$`)
	accountForm   = regexp.MustCompile(`^[0-9]{12}$`)
	roleForm      = regexp.MustCompile(`^arn:aws[^:]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}$`)
	nameForm      = regexp.MustCompile(`^[-_A-Za-z0-9][-_A-Za-z0-9 ]{1,126}[-_A-Za-z0-9]$`)
	versionForm   = regexp.MustCompile(`^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}$`)
	executionForm = regexp.MustCompile(`^wf-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// mistake is about a value in its line.
func mistake(n *yaml.Node, want string) error {
	return fmt.Errorf("line %d: %q must be %s", n.Line, n.Value, want)
}

// match returns the text of n if it has a form.
func match[T ~string](n *yaml.Node, to *T, form *regexp.Regexp, want string) error {
	if n.Kind != yaml.ScalarNode || !form.MatchString(n.Value) {
		return mistake(n, want)
	}
	*to = T(n.Value)
	return nil
}

// choose returns the text of n if it is one of these.
func choose[T ~string](n *yaml.Node, to *T, choices ...string) error {
	if n.Kind != yaml.ScalarNode || !slices.Contains(choices, n.Value) {
		return mistake(n, "one of "+strings.Join(choices, ", "))
	}
	*to = T(n.Value)
	return nil
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *text) UnmarshalYAML(n *yaml.Node) error {
	return match(n, v, anyText, "a string without control characters")
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *accountID) UnmarshalYAML(n *yaml.Node) error {
	return match(n, v, accountForm, "the 12 digits of an account")
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *region) UnmarshalYAML(n *yaml.Node) error {
	return match(n, v, regionForm, "a region, such as eu-west-1")
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *ami) UnmarshalYAML(n *yaml.Node) error {
	return match(n, v, amiForm, "the id of an AMI, such as ami-0123456789abcdef0")
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *roleARN) UnmarshalYAML(n *yaml.Node) error {
	return match(n, v, roleForm, "the ARN of a role, such as arn:aws:iam::111122223333:role/reader")
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *thingName) UnmarshalYAML(n *yaml.Node) error {
	return match(n, v, nameForm, "a name of 3 to 128 letters, digits, spaces, - and _")
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *versionNumber) UnmarshalYAML(n *yaml.Node) error {
	return match(n, v, versionForm, "a version of three numbers, such as 1.0.0")
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *executionID) UnmarshalYAML(n *yaml.Node) error {
	return match(n, v, executionForm, "wf- and a UUID in lower case")
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *platform) UnmarshalYAML(n *yaml.Node) error {
	return choose(n, v, "Linux", "Windows", "macOS")
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *imageType) UnmarshalYAML(n *yaml.Node) error { return choose(n, v, "AMI", "DOCKER") }

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *runType) UnmarshalYAML(n *yaml.Node) error {
	return choose(n, v, "BUILD", "TEST", "DISTRIBUTION")
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *outcome) UnmarshalYAML(n *yaml.Node) error {
	return choose(n, v, slices.Sorted(maps.Keys(endsOf))...)
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *count) UnmarshalYAML(n *yaml.Node) error {
	i, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || i < 1 || i > 100_000 {
		return mistake(n, "a number from 1 to 100000")
	}
	*v = count(i)
	return nil
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *duration) UnmarshalYAML(n *yaml.Node) error {
	d, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		return mistake(n, "a duration, such as 90m or -1h30m")
	}
	*v = duration(d)
	return nil
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *length) UnmarshalYAML(n *yaml.Node) error {
	d, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || d < 0 {
		return mistake(n, "a non-negative duration, such as 90m")
	}
	*v = length(d)
	return nil
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *object) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || !json.Valid([]byte(n.Value)) {
		return mistake(n, "JSON in quotes")
	}
	*v = object(n.Value)
	return nil
}
