package emulator

import (
	"regexp"
	"slices"
	"strings"
)

// These reads are answered so that tools which read all of an account work. A Scenario has
// none of most things that they are about: a list is empty, and nothing is found. The recipe
// and the infrastructure configuration that a pipeline names are there.

// withReads adds these reads to operations.
func withReads(all map[string]operation) map[string]operation {
	for name, rows := range emptyLists {
		all["POST /"+name] = operation{answer: func(q *request) (any, error) {
			return q.simpleList(rows, nil)
		}}
	}
	for _, m := range missing {
		all[m.operation] = operation{func(q *request) (any, error) {
			return nil, unknown(m.thing, q.subject())
		}, m.parameter, regexp.MustCompile(m.form)}
	}
	for _, m := range configKinds {
		form := regexp.MustCompile(ofAccount + m.kind + "/" + m.form)
		all["POST /"+m.list] = operation{answer: func(q *request) (any, error) { return q.simpleList(m.rows, q.configs(m)) }}
		all["GET /"+m.get] = operation{func(q *request) (any, error) { return q.getConfig(m) }, m.parameter, form}
	}
	return all
}

// emptyLists are by their operations: the name of their rows.
var emptyLists = map[string]string{
	"ListComponentBuildVersions":       "componentSummaryList",
	"ListComponents":                   "componentVersionList",
	"ListContainerRecipes":             "containerRecipeSummaryList",
	"ListDistributionConfigurations":   "distributionConfigurationSummaryList",
	"ListImageScanFindingAggregations": "responses",
	"ListImageScanFindings":            "findings",
	"ListLifecycleExecutions":          "lifecycleExecutions",
	"ListLifecyclePolicies":            "lifecyclePolicySummaryList",
	"ListWorkflowBuildVersions":        "workflowSummaryList",
	"ListWorkflows":                    "workflowVersionList",
}

const (
	formNamed   = `[a-z0-9-_]+$`
	formVersion = `[a-z0-9-_]+/[0-9]+\.[0-9]+\.[0-9]+$`
	formBuild   = `[a-z0-9-_]+/[0-9]+\.[0-9]+\.[0-9]+/[0-9]+$`
)

// missing are the reads of one thing that is never there.
var missing = []struct{ operation, thing, parameter, form string }{
	{"GET /GetComponent", "component", "componentBuildVersionArn", ofAccount + "component/" + formBuild},
	{"GET /GetComponentPolicy", "policy of the component", "componentArn", ofAccount + "component/" + formBuild},
	{"GET /GetContainerRecipe", "container recipe", "containerRecipeArn", ofAccount + "container-recipe/" + formVersion},
	{"GET /GetContainerRecipePolicy", "policy of the container recipe", "containerRecipeArn", ofAccount + "container-recipe/" + formVersion},
	{"GET /GetDistributionConfiguration", "distribution configuration", "distributionConfigurationArn", ofAccount + "distribution-configuration/" + formNamed},
	{"GET /GetImagePolicy", "policy of the image", "imageArn", ofAccount + "image/" + formBuild},
	{"GET /GetImageRecipePolicy", "policy of the image recipe", "imageRecipeArn", ofAccount + "image-recipe/" + formVersion},
	{"GET /GetLifecycleExecution", "lifecycle execution", "lifecycleExecutionId", "^lce-" + uuid + "$"},
	{"GET /GetLifecyclePolicy", "lifecycle policy", "lifecyclePolicyArn", ofAccount + "lifecycle-policy/" + formNamed},
	{"POST /GetMarketplaceResource", "marketplace resource", "resourceArn", ofAccount},
	{"GET /GetWorkflow", "workflow", "workflowBuildVersionArn", ofAccount + "workflow/(?:build|test|distribution)/" + formBuild},
	{"POST /ListLifecycleExecutionResources", "lifecycle execution", "lifecycleExecutionId", "^lce-" + uuid + "$"},
}

// configKind is a kind of thing that each pipeline names one of.
type configKind struct{ kind, list, rows, get, object, parameter, form string }

var configKinds = []configKind{
	{"image-recipe", "ListImageRecipes", "imageRecipeSummaryList", "GetImageRecipe", "imageRecipe", "imageRecipeArn", formVersion},
	{
		"infrastructure-configuration", "ListInfrastructureConfigurations", "infrastructureConfigurationSummaryList",
		"GetInfrastructureConfiguration", "infrastructureConfiguration", "infrastructureConfigurationArn", formNamed,
	},
}

// config is something that a pipeline names.
type config struct {
	ARN         string            `json:"arn"`
	Name        string            `json:"name"`
	Version     string            `json:"version,omitempty"`
	Platform    string            `json:"platform,omitempty"`
	Owner       string            `json:"owner,omitempty"`
	DateCreated string            `json:"dateCreated,omitempty"`
	Tags        map[string]string `json:"tags"`
}

func (c config) id() string { return c.ARN }

// configs returns the configurations of a kind that the caller sees.
func (q *request) configs(k configKind) (all []config) {
	for _, p := range q.scenario.ImagePipelines(q.now) {
		c := config{ARN: p.arnOf(k.kind), Name: p.name(), DateCreated: timestamp(p.Created), Tags: map[string]string{}}
		if k.kind == "image-recipe" {
			c.Version, c.Platform, c.Owner = "1.0.0", p.platform(), arnPart(p.ARN, 4)
		}
		if q.sees(c.ARN) {
			all = append(all, c)
		}
	}
	return all
}

func (q *request) getConfig(k configKind) (any, error) {
	all := q.configs(k)
	i := slices.IndexFunc(all, func(c config) bool { return c.ARN == q.subject() })
	if i < 0 {
		return nil, unknown(strings.ReplaceAll(k.kind, "-", " "), q.subject())
	}
	return answer{"requestId": q.id, k.object: all[i]}, nil
}

// simpleList answers with a page of configurations. It accepts filters of every name, because the
// emulator does not know those of each list.
func (q *request) simpleList(rows string, all []config) (any, error) {
	owner := owners[q.input.Owner]
	if owner == nil {
		return nil, noOwner(q.input.Owner)
	}
	all = slices.DeleteFunc(all, func(c config) bool { return c.Owner != "" && !owner.MatchString(c.Owner) })
	fields := map[string]func(*config) []string{}
	for _, f := range q.input.Filters {
		fields[f.Name] = func(c *config) []string {
			return map[string][]string{"name": {c.Name}, "platform": {c.Platform}, "version": {c.Version}}[f.Name]
		}
	}
	all, err := filtered(q, all, fields)
	if err != nil {
		return nil, err
	}
	return page(q, answer{"requestId": q.id}, rows, all, func(c *config) *config { return c })
}

func (q *request) getImagePipeline() (any, error) {
	p := q.pipelineOf(q.subject())
	if p == nil || !q.sees(p.ARN) {
		return nil, unknown("image pipeline", q.subject())
	}
	return answer{"requestId": q.id, "imagePipeline": q.pipeline(p)}, nil
}

func (q *request) listImagePackages() (any, error) {
	arn := q.subject()
	if len(q.scenario.ImageBuilds(arn, q.now)) == 0 || !q.sees(arn) {
		return nil, unknown("image", arn)
	}
	return page(q, answer{"requestId": q.id}, "imagePackageList", nil, func(c *config) *config { return c })
}

// listTagsForResource knows the tags of pipelines and images.
func (q *request) listTagsForResource() (any, error) {
	arn := q.subject()
	if p := q.pipelineOf(arn); p != nil && q.sees(arn) {
		return answer{"tags": tags(p.Tags)}, nil
	}
	if images := q.scenario.ImageBuilds(arn, q.now); len(images) > 0 && images[0].ARN == arn && q.sees(arn) {
		return answer{"tags": tags(images[0].Tags)}, nil
	}
	return nil, unknown("resource", arn)
}
