// Package config reads the configuration file: defaults, then strict decoding, then validation. A
// configuration that Load returns needs no further checks. Errors say where the mistake is and what is
// allowed, and never show a secret. Start reading with Load.
package config

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

// Config is the content of a configuration file. The yaml tags are the keys that
// users write; docs/configuration.md describes each.
type Config struct {
	Targets []Target `yaml:"targets"`
	Lookup  Lookup   `yaml:"lookup"`
}

// Target is a set of credentials and a selection, in one or more regions.
type Target struct {
	// Name is the label "target": unique, and not empty.
	Name string `yaml:"name"`
	// Regions are AWS regions, each once. Empty means the SDK's region.
	Regions []string `yaml:"regions"`
	// WorkflowExecutions are ids, in lower case and each once. With ids, there is
	// at most one region.
	WorkflowExecutions []string `yaml:"workflow_executions"`
	// Images are ARNs of image versions and image build versions, each once, and selectors
	// of images. The regions of the ARNs are among Regions, unless those are empty.
	Images []Image `yaml:"images"`
	// Pipelines select image pipelines: those that at least one of them matches.
	Pipelines []Selector `yaml:"pipelines"`
	// Steps says for which executions the steps are looked up: StepsActive, StepsAll
	// or StepsNone. Load leaves it never empty.
	Steps string `yaml:"steps"`
	// TagLabels are keys of pipelines' tags that are published. No two of them make the same
	// label.
	TagLabels []string `yaml:"tag_labels"`
	// MaxExecutions is how many executions of images and pipelines are kept, at least 1.
	MaxExecutions int `yaml:"max_executions"`
	// Accounts and AccountsFile say for which AWS accounts the file has the target. Load leaves
	// them empty: what it returns has one target for each account.
	Accounts     []string `yaml:"accounts"`
	AccountsFile string   `yaml:"accounts_file"`
	// RoleARN is the IAM role that is assumed for the target, empty for none.
	RoleARN string `yaml:"role_arn"`
	// ExternalID is what the role may ask for, empty for none. It is a secret that no
	// error shows.
	ExternalID string `yaml:"external_id"`
	// SessionName is the name of the role's session, empty for the exporter's name.
	SessionName string `yaml:"session_name"`
	// EndpointURL is Image Builder's endpoint, an http or https URL; empty for the
	// SDK's choice.
	EndpointURL string `yaml:"endpoint_url"`
}

// The values of Target.Steps.
const (
	StepsActive = "active" // of executions that have not ended or have failed
	StepsAll    = "all"
	StepsNone   = "none"
)

// DefaultTarget returns a target with the defaults, which the keys of the file replace.
func DefaultTarget() Target { return Target{Steps: StepsActive, MaxExecutions: 1000} }

// CheckImageRegions returns an error, a sentence, when an image is in none of
// t.Regions. As long as those are empty, nothing is wrong.
func (t *Target) CheckImageRegions() error {
	for _, image := range ARNs(t.Images) {
		if err := t.checkImageRegion(image); err != nil {
			return err
		}
	}
	return nil
}

// ImagesIn returns the ARNs of t.Images that are in a region.
func (t *Target) ImagesIn(region string) []string {
	var images []string
	for _, image := range ARNs(t.Images) {
		if arn, err := imagebuilder.ParseImageARN(image); err == nil && arn.Region == region {
			images = append(images, image)
		}
	}
	return images
}

func (t *Target) checkImageRegion(image string) error {
	arn, err := imagebuilder.ParseImageARN(image)
	if err != nil {
		return err
	}
	if len(t.Regions) > 0 && !slices.Contains(t.Regions, arn.Region) {
		return fmt.Errorf("the image %q is in %s, which is not among the regions of target %q: %s", image, arn.Region, t.Name, strings.Join(t.Regions, ", "))
	}
	return nil
}

// Lookup says how fresh values are, and how many requests may be sent. The limits are those
// of one target in one region.
type Lookup struct {
	// MinInterval is the least time between two lookups of one execution.
	MinInterval time.Duration `yaml:"min_interval"`
	// DiscoveryInterval is the least time between two searches for pipelines and the
	// builds of images.
	DiscoveryInterval time.Duration `yaml:"discovery_interval"`
	// MaxStaleness is how long the last known values of an execution that has not
	// ended are published while its lookups fail, counted from when it was due.
	MaxStaleness time.Duration `yaml:"max_staleness"`
	// Timeout bounds one lookup, with its retries, from its first request on.
	Timeout time.Duration `yaml:"timeout"`
	// Concurrency is how many requests may be on the wire at a time, at least 1.
	Concurrency int `yaml:"concurrency"`
	// RateLimit is how many requests may be sent a second, 0 for no limit.
	RateLimit float64 `yaml:"rate_limit"`
	// Burst is how many requests RateLimit lets through at once, at least 1.
	Burst int `yaml:"burst"`
}

// Default returns the defaults, which the keys of the file replace.
func Default() Config {
	return Config{Lookup: Lookup{
		MinInterval: 10 * time.Second, DiscoveryInterval: 5 * time.Minute, MaxStaleness: 5 * time.Minute,
		Timeout: 10 * time.Second, Concurrency: 10, RateLimit: 20, Burst: 40,
	}}
}

// Summary returns how much is configured, such as
// "2 targets: 3 workflow executions, 1 image, 1 image selector, 2 pipeline selectors".
func (c *Config) Summary() string {
	var executions, images, selectors, pipelines int
	for _, t := range c.Targets {
		executions += len(t.WorkflowExecutions)
		images += len(ARNs(t.Images))
		selectors += len(t.ImageSelectors())
		pipelines += len(t.Pipelines)
	}
	text, separator := printable.Count(len(c.Targets), "target"), ": "
	for _, part := range []struct {
		n    int
		what string
	}{{executions, "workflow execution"}, {images, "image"}, {selectors, "image selector"}, {pipelines, "pipeline selector"}} {
		if part.n > 0 {
			text, separator = text+separator+printable.Count(part.n, part.what), ", "
		}
	}
	return text
}

// Load reads the configuration in the file at path, with the accounts files that it names. A
// mistake in one of them is an *Error, and so is an accounts file that cannot be read; the file
// itself being unreadable is the error of package os.
func Load(path string) (*Config, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return parse(path, data)
}

// Checksum returns a checksum of what Load would read: the file, and the accounts files that it
// names.
func Checksum(path string) (string, error) {
	data, err := read(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	for _, file := range accountsFiles(path, data) {
		accounts, err := readFile(file, maxAccountsBytes)
		if err != nil {
			return "", fmt.Errorf("reading the configuration: %w", err)
		}
		ofFile := sha256.Sum256(accounts)
		sum = sha256.Sum256(append(sum[:], ofFile[:]...))
	}
	return fmt.Sprintf("%x", sum), nil
}

// parse reads a configuration from data; errors have name as the file.
func parse(name string, data []byte) (*Config, error) {
	doc, err := parseDocument(name, data)
	if err != nil {
		return nil, err
	}
	c := Default()
	if err := doc.decodeNode(doc.root, reflect.ValueOf(&c).Elem(), ""); err != nil {
		return nil, err
	}
	if err := validate(doc, &c); err != nil {
		return nil, err
	}
	return &c, nil
}
