package config

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
)

// validate returns the first mistake in c that its types allow, and brings what has
// several spellings into one.
func validate(d *document, c *Config) error {
	if len(c.Targets) == 0 {
		return d.errorf(d.at("targets"), "targets is missing or empty; at least one target is needed")
	}
	names := map[string]bool{}
	for i := range c.Targets {
		t := &c.Targets[i]
		if err := validateTarget(d, t, i); err != nil {
			return err
		}
		if names[t.Name] {
			return d.errorf(d.at("targets", i, "name"), "a second target has the name %q; each name may stand once", t.Name)
		}
		names[t.Name] = true
	}
	return validateLookup(d, c.Lookup)
}

func validateTarget(d *document, t *Target, i int) error {
	if strings.TrimSpace(t.Name) == "" {
		return d.errorf(d.at("targets", i, "name"), "a target needs a name that is not empty")
	}
	if strings.ContainsFunc(t.Name, unicode.IsControl) {
		return d.errorf(d.at("targets", i, "name"), "the name of a target must not contain control characters")
	}
	for j, region := range t.Regions {
		if err := imagebuilder.CheckRegion(region); err != nil {
			return d.errorf(d.at("targets", i, "regions", j), "%s", err)
		}
		if slices.Contains(t.Regions[:j], region) {
			return d.errorf(d.at("targets", i, "regions", j), "the region %s stands here twice", region)
		}
	}
	if len(t.WorkflowExecutions) == 0 {
		return d.errorf(d.at("targets", i), "target %q selects nothing; workflow_executions must list at least one id", t.Name)
	}
	if len(t.Regions) > 1 {
		return d.errorf(d.at("targets", i, "regions"), "target %q has ids in workflow_executions and several regions; an id exists in one region only, so give each region a target", t.Name)
	}
	if err := validateExecutions(d, t, i); err != nil {
		return err
	}
	return validateEndpoint(d, t.EndpointURL, i)
}

func validateExecutions(d *document, t *Target, i int) error {
	seen := make(map[string]bool, len(t.WorkflowExecutions))
	for j, s := range t.WorkflowExecutions {
		id, err := imagebuilder.ParseExecutionID(s)
		if err != nil {
			return d.errorf(d.at("targets", i, "workflow_executions", j), "%s", err)
		}
		if seen[id] {
			return d.errorf(d.at("targets", i, "workflow_executions", j), "the id %s stands in this target twice; case does not matter", id)
		}
		seen[id] = true
		t.WorkflowExecutions[j] = id
	}
	return nil
}

func validateEndpoint(d *document, endpoint string, i int) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	port, portErr := uint64(0), error(nil)
	if err == nil && u.Port() != "" {
		port, portErr = strconv.ParseUint(u.Port(), 10, 16)
	}
	if err != nil || portErr != nil || (u.Port() != "" && port == 0) || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return d.errorf(d.at("targets", i, "endpoint_url"), "endpoint_url must be an http or https URL with a host, such as https://imagebuilder.eu-west-1.amazonaws.com")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return d.errorf(d.at("targets", i, "endpoint_url"), "endpoint_url must not contain a user, a query or a fragment")
	}
	return nil
}

func validateLookup(d *document, l Lookup) error {
	switch {
	case l.MinInterval <= 0:
		return d.errorf(d.at("lookup", "min_interval"), "min_interval must be above zero")
	case l.Timeout <= 0:
		return d.errorf(d.at("lookup", "timeout"), "timeout must be above zero")
	case l.Concurrency < 1:
		return d.errorf(d.at("lookup", "concurrency"), "concurrency must be at least 1")
	case l.RateLimit < 0:
		return d.errorf(d.at("lookup", "rate_limit"), "rate_limit must not be below zero; 0 stands for no limit")
	case l.Burst < 1:
		return d.errorf(d.at("lookup", "burst"), "burst must be at least 1")
	}
	return nil
}
