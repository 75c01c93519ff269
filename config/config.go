// Package config reads the configuration file: defaults, then strict decoding, then
// validation. A configuration that Load has returned cannot fail later.
package config

import (
	"fmt"
	"io"
	"os"
	"time"
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
	// Regions are AWS regions, each once. Empty stands for the SDK's region.
	Regions []string `yaml:"regions"`
	// WorkflowExecutions are ids, in lower case and each once. With ids, there is
	// at most one region.
	WorkflowExecutions []string `yaml:"workflow_executions"`
	// EndpointURL is Image Builder's endpoint, an http or https URL; empty for the
	// SDK's choice.
	EndpointURL string `yaml:"endpoint_url"`
}

// Lookup says how fresh values are, and how the API may be pressed. The limits hold
// for each target and region by itself.
type Lookup struct {
	// MinInterval is the least time between two lookups of one execution.
	MinInterval time.Duration `yaml:"min_interval"`
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

// Default returns the configuration that a file's keys are laid over.
func Default() Config {
	return Config{Lookup: Lookup{
		MinInterval: 10 * time.Second, MaxStaleness: 5 * time.Minute,
		Timeout: 10 * time.Second, Concurrency: 10, RateLimit: 20, Burst: 40,
	}}
}

// Executions returns how many workflow executions are configured by their ids.
func (c *Config) Executions() int {
	n := 0
	for _, t := range c.Targets {
		n += len(t.WorkflowExecutions)
	}
	return n
}

// maxFileBytes bounds a configuration file: room for more than 200,000 executions.
const maxFileBytes = 16 << 20

// Load reads the configuration in the file at path. A mistake in the file is an
// *Error; the file itself being unreadable is the error of package os.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("reading the configuration: %s is larger than %d MiB", path, maxFileBytes>>20)
	}
	return parse(path, data)
}

// parse reads a configuration from data; name stands in its errors.
func parse(name string, data []byte) (*Config, error) {
	doc, err := parseDocument(name, data)
	if err != nil {
		return nil, err
	}
	c := Default()
	if err := doc.decode(&c); err != nil {
		return nil, err
	}
	if err := validate(doc, &c); err != nil {
		return nil, err
	}
	return &c, nil
}
