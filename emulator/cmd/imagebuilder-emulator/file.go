package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// Limits of a scenario file.
const (
	maxFileSize   = 1 << 20
	maxExecutions = 10_000
)

// file is a scenario file. docs/emulator.md describes its keys.
type file struct {
	Accounts []account `yaml:"accounts"`
}

type account struct {
	ID         accountID  `yaml:"id"`
	Region     region     `yaml:"region"`
	RoleARN    roleARN    `yaml:"role_arn"`
	ExternalID text       `yaml:"external_id"`
	Pipelines  []pipeline `yaml:"pipelines"`
	Images     []image    `yaml:"images"`
}

type pipeline struct {
	Name      thingName         `yaml:"name"`
	Platform  platform          `yaml:"platform"`
	Tags      map[string]string `yaml:"tags"`
	Disabled  bool              `yaml:"disabled"`
	NextRunIn *duration         `yaml:"next_run_in"`
	Images    []image           `yaml:"images"`
}

type image struct {
	Name       thingName         `yaml:"name"`
	Version    versionNumber     `yaml:"version"`
	Build      count             `yaml:"build"`
	Platform   platform          `yaml:"platform"`
	Type       imageType         `yaml:"type"`
	Tags       map[string]string `yaml:"tags"`
	CreatedAgo duration          `yaml:"created_ago"`
	AMI        ami               `yaml:"ami"`
	Attempts   []attempt         `yaml:"attempts"`
}

type attempt struct {
	StartAgo *duration   `yaml:"start_ago"`
	Runs     []execution `yaml:"runs"`
}

type execution struct {
	ID        executionID `yaml:"id"`
	Type      runType     `yaml:"type"`
	StartAgo  *duration   `yaml:"start_ago"`
	Steps     []step      `yaml:"steps"`
	Rollback  length      `yaml:"rollback"`
	Cancelled length      `yaml:"cancelled_after"`
}

type step struct {
	Name    text    `yaml:"name"`
	Action  text    `yaml:"action"`
	Takes   length  `yaml:"takes"`
	Timeout length  `yaml:"timeout"`
	Ends    outcome `yaml:"ends"`
	Waits   bool    `yaml:"waits"`
	Inputs  object  `yaml:"inputs"`
	Outputs object  `yaml:"outputs"`
}

// load reads a scenario file. Its times are counted from start.
func load(path string, start time.Time) (served, error) {
	switch info, err := os.Stat(path); {
	case err != nil:
		return served{}, fmt.Errorf("--scenario: %w", err)
	case !info.Mode().IsRegular():
		return served{}, fmt.Errorf("--scenario: %s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return served{}, fmt.Errorf("--scenario: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	switch {
	case err != nil:
		return served{}, fmt.Errorf("--scenario: %w", err)
	case len(data) > maxFileSize:
		return served{}, fmt.Errorf("--scenario: %s has more than %d bytes", path, maxFileSize)
	}
	s, err := parse(data, start)
	if err != nil {
		return served{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// parse reads the text of a scenario file.
func parse(data []byte, start time.Time) (served, error) {
	var f file
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return served{}, plain(err)
	}
	if err := d.Decode(&file{}); !errors.Is(err, io.EOF) {
		return served{}, errors.New("the file must contain exactly one YAML document")
	}
	return (&scenario{start: start, ids: map[string]bool{}, names: map[string]bool{}}).served(f)
}

var (
	unknownKey = regexp.MustCompile(`field (.+) not found in type \S+`)
	wrongKind  = regexp.MustCompile(`cannot unmarshal (.*) into \S+$`)
	doubleKey  = regexp.MustCompile(`mapping key (".*") already defined at line`)
)

// plain returns the first mistake that the YAML library has found, without the names of our types.
func plain(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if all, ok := errors.AsType[*yaml.TypeError](err); ok {
		text = all.Errors[0]
	}
	text = unknownKey.ReplaceAllString(text, `unknown key "$1"`)
	text = doubleKey.ReplaceAllString(text, "duplicate key $1; it is already in line")
	return errors.New(wrongKind.ReplaceAllString(text, "$1 has the wrong kind of value here"))
}

// endsOf are the outcomes of a step, by their names in a file.
var endsOf = map[string]emulator.Outcome{
	"succeeded": emulator.Succeeded, "skipped": emulator.SkippedStep,
	"failed": emulator.Failed, "failed_ignored": emulator.FailedIgnored,
}
