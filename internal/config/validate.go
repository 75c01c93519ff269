package config

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// validate returns the first mistake in c that its types allow, normalizes ids, and makes plain
// targets of those with accounts.
func validate(d *document, c *Config) error {
	if len(c.Targets) == 0 {
		return d.errorf(d.at("targets"), "targets is missing or empty; at least one target is required")
	}
	var plain []Target
	names := map[string]bool{}
	for i := range c.Targets {
		all, err := d.targetsOf(&c.Targets[i], i, names)
		if err != nil {
			return err
		}
		plain = append(plain, all...)
	}
	c.Targets = plain
	return validateLookup(d, c.Lookup)
}

func validateTarget(d *document, t *Target, i int) error {
	if strings.TrimSpace(t.Name) == "" {
		return d.errorf(d.at("targets", i, "name"), "a target requires a non-empty name")
	}
	if d.targets += max(1, len(t.Regions)); d.targets > maxTargets {
		return d.errorf(d.at("targets", i), "the file has more than %d targets, counted once per region", maxTargets)
	}
	seen := make(map[string]bool, len(t.Regions))
	for j, region := range t.Regions {
		if err := imagebuilder.CheckRegion(region); err != nil {
			return d.errorf(d.at("targets", i, "regions", j), "%s", err)
		}
		if seen[region] {
			return d.errorf(d.at("targets", i, "regions", j), "region %s is listed twice", region)
		}
		seen[region] = true
	}
	if len(t.WorkflowExecutions)+len(t.Images)+len(t.Pipelines) == 0 {
		return d.errorf(d.at("targets", i), "target %q selects nothing; set workflow_executions, images or pipelines", t.Name)
	}
	if len(t.WorkflowExecutions) > 0 && len(t.Regions) > 1 {
		return d.errorf(d.at("targets", i, "regions"), "target %q has ids in workflow_executions and several regions; an id exists in only one region, so add one target per region", t.Name)
	}
	for _, check := range []func(*document, *Target, int) error{
		validateAccounts, validateExecutions, validateImages, validateRegions, validatePipelines, validateTagLabels, validateSteps, validateRole, validateEndpoint,
	} {
		if err := check(d, t, i); err != nil {
			return err
		}
	}
	return nil
}

func validateExecutions(d *document, t *Target, i int) error {
	seen := make(map[string]bool, len(t.WorkflowExecutions))
	for j, s := range t.WorkflowExecutions {
		id, err := imagebuilder.ParseExecutionID(s)
		if err != nil {
			return d.errorf(d.at("targets", i, "workflow_executions", j), "%s", err)
		}
		if seen[id] {
			return d.errorf(d.at("targets", i, "workflow_executions", j), "id %s is listed twice in this target; ids are not case-sensitive", id)
		}
		seen[id] = true
		t.WorkflowExecutions[j] = id
	}
	return nil
}

func validateImages(d *document, t *Target, i int) error {
	seen := make(map[string]bool, len(t.Images))
	for j, image := range t.Images {
		if image.Selector != nil {
			if err := validateSelector(d, image.Selector, "an image selector", "targets", i, "images", j); err != nil {
				return err
			}
			continue
		}
		if err := t.checkImageRegion(image.ARN); err != nil {
			return d.errorf(d.at("targets", i, "images", j), "%s", err)
		}
		if seen[image.ARN] {
			return d.errorf(d.at("targets", i, "images", j), "image %q is listed twice in this target", image.ARN)
		}
		seen[image.ARN] = true
	}
	return nil
}

// validateRegions finds a region in which the target selects nothing: its lookups would
// never succeed there.
func validateRegions(d *document, t *Target, i int) error {
	if len(t.Pipelines)+len(t.ImageSelectors())+len(t.WorkflowExecutions) > 0 {
		return nil
	}
	used := map[string]bool{}
	for _, image := range ARNs(t.Images) {
		if arn, err := imagebuilder.ParseImageARN(image); err == nil {
			used[arn.Region] = true
		}
	}
	for j, region := range t.Regions {
		if !used[region] {
			return d.errorf(d.at("targets", i, "regions", j), "target %q selects nothing in %s; none of its images is in that region, and it selects no pipelines", t.Name, region)
		}
	}
	return nil
}

func validatePipelines(d *document, t *Target, i int) error {
	for j := range t.Pipelines {
		if err := validateSelector(d, &t.Pipelines[j], "a pipeline selector", "targets", i, "pipelines", j); err != nil {
			return err
		}
	}
	return nil
}

// validateTagLabels finds keys that make the same label: a series cannot have it twice.
func validateTagLabels(d *document, t *Target, i int) error {
	keys := make(map[string]string, len(t.TagLabels))
	for j, key := range t.TagLabels {
		at := d.at("targets", i, "tag_labels", j)
		if key == "" || utf8.RuneCountInString(key) > maxTagKey {
			return d.errorf(at, "a tag in tag_labels must have 1 to %d characters", maxTagKey)
		}
		label := imagebuilder.TagLabel(key)
		if other, twice := keys[label]; twice {
			return d.errorf(at, "the tags %q and %q in tag_labels would both become the label %s; labels must be unique", other, key, label)
		}
		keys[label] = key
	}
	if len(t.TagLabels) > maxTagLabels {
		return d.errorf(d.at("targets", i, "tag_labels"), "target %q has more than %d tags in tag_labels; a pipeline cannot have more", t.Name, maxTagLabels)
	}
	return nil
}

// validateSteps also sets the default of t.Steps, which depends on the selection.
func validateSteps(d *document, t *Target, i int) error {
	if !d.has("steps", "targets", i) && len(t.Images)+len(t.Pipelines) == 0 {
		t.Steps = StepsNone
	}
	if !slices.Contains([]string{StepsActive, StepsAll, StepsNone}, t.Steps) {
		return d.errorf(d.at("targets", i, "steps"), "steps must be active, all or none")
	}
	if t.MaxExecutions < 1 {
		return d.errorf(d.at("targets", i, "max_executions"), "max_executions must be at least 1")
	}
	return nil
}

// The patterns of IAM and of the API reference for AssumeRole. (A regexp may not
// count to 1224.)
var (
	roleARN     = regexp.MustCompile(`^arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:role/(?:[!-~]+/)?[\w+=,.@-]{1,64}$`)
	externalID  = regexp.MustCompile(`^[\w+=,.@:/-]{2,}$`)
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

const maxExternalID = 1224

func validateRole(d *document, t *Target, i int) error {
	for _, key := range []string{"external_id", "session_name"} {
		if d.has(key, "targets", i) && !d.has("role_arn", "targets", i) {
			return d.errorf(d.at("targets", i, key), "%s requires role_arn", key)
		}
	}
	switch {
	case d.has("role_arn", "targets", i) && !roleARN.MatchString(t.forAccount(exampleAccount).RoleARN):
		return d.errorf(d.at("targets", i, "role_arn"), "role_arn must be the ARN of an IAM role, such as arn:aws:iam::111122223333:role/path/name")
	case d.has("external_id", "targets", i) && (!externalID.MatchString(t.ExternalID) || len(t.ExternalID) > maxExternalID):
		return d.errorf(d.at("targets", i, "external_id"), "external_id must be 2 to %d characters; letters, digits and _+=,.@:/- are allowed", maxExternalID)
	case d.has("session_name", "targets", i) && !sessionName.MatchString(t.SessionName):
		return d.errorf(d.at("targets", i, "session_name"), "session_name must be 2 to 64 characters; letters, digits and _+=,.@- are allowed")
	}
	return nil
}

func validateEndpoint(d *document, t *Target, i int) error {
	if t.EndpointURL == "" {
		return nil
	}
	at := d.at("targets", i, "endpoint_url")
	u, err := url.Parse(t.EndpointURL)
	port := uint64(0)
	if err == nil {
		port, err = strconv.ParseUint(cmp.Or(u.Port(), "443"), 10, 16)
	}
	if err != nil || port == 0 || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return d.errorf(at, "endpoint_url must be an http or https URL with a host, such as https://imagebuilder.eu-west-1.amazonaws.com")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return d.errorf(at, "endpoint_url must not contain a user, a query or a fragment")
	}
	return nil
}

func validateLookup(d *document, l Lookup) error {
	switch {
	case l.MinInterval <= 0:
		return d.errorf(d.at("lookup", "min_interval"), "min_interval must be greater than zero")
	case l.DiscoveryInterval <= 0:
		return d.errorf(d.at("lookup", "discovery_interval"), "discovery_interval must be greater than zero")
	case l.Timeout <= 0:
		return d.errorf(d.at("lookup", "timeout"), "timeout must be greater than zero")
	case l.Concurrency < 1:
		return d.errorf(d.at("lookup", "concurrency"), "concurrency must be at least 1")
	case l.RateLimit < 0:
		return d.errorf(d.at("lookup", "rate_limit"), "rate_limit must not be negative; 0 means no limit")
	case l.Burst < 1:
		return d.errorf(d.at("lookup", "burst"), "burst must be at least 1")
	}
	return nil
}
