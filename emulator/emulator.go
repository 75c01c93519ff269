package emulator

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// API answers the requests of Image Builder's clients, and of STS AssumeRole and
// GetCallerIdentity. Only Scenario is required. The fields must not change once it serves.
type API struct {
	// Scenario is what callers see, save those with the credentials of a role.
	Scenario Scenario

	// Roles can be assumed. Requests with a role's credentials see its Scenario.
	Roles []Role

	// AccountID is the account of callers without a role; "" means 111122223333.
	AccountID string

	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// Latency is how long each answer takes.
	Latency time.Duration

	// Throttle, when not nil, is how many requests to Image Builder are let through;
	// the others get the service's CallRateLimitExceededException.
	Throttle *rate.Limiter

	// PageSize is the most rows that a page holds; 0 means 25, and so does
	// everything above. A request can ask for fewer with maxResults.
	PageSize int

	// Unruly, when not 0, is a seed for what the service's reference allows and
	// clients forget: rows in an order that means nothing (the same at each time for
	// one list), and empty pages with a token, in front of pages that hold rows.
	Unruly uint64

	// FailureContext says which answers about images carry their failureContext.
	FailureContext FailureContext

	// Fault, when not nil, sees every signed request of a known operation with what
	// it asks for: the workflowExecutionId in lower case, else the stepExecutionId,
	// imageBuildVersionArn or what else the operation needs, or "". A handler that it
	// returns answers in place of the API; with nil the API answers. See Error, Body, Hang and Reset.
	Fault func(operation, id string) http.Handler

	requests atomic.Int64
	mu       sync.Mutex
	received map[string]int
}

// operation is what answers at one path. What comes back is written as JSON; an error is a
// *refusal.
type operation struct {
	answer    func(*request) (any, error)
	parameter string         // names what a request is about; "" for nothing
	pattern   *regexp.Regexp // that the parameter must match; nil for any
}

// operations are by "METHOD /path".
var operations = withReads(map[string]operation{
	"GET /GetWorkflowExecution":        {(*request).getWorkflowExecution, "workflowExecutionId", executionID},
	"POST /ListWorkflowExecutions":     {(*request).listWorkflowExecutions, "imageBuildVersionArn", imageBuildVersionARN},
	"POST /ListWorkflowStepExecutions": {(*request).listWorkflowStepExecutions, "workflowExecutionId", executionID},
	"GET /GetWorkflowStepExecution":    {(*request).getWorkflowStepExecution, "stepExecutionId", stepID},
	"POST /ListWaitingWorkflowSteps":   {answer: (*request).listWaitingWorkflowSteps},
	"POST /ListImagePipelines":         {answer: (*request).listImagePipelines},
	"POST /ListImagePipelineImages":    {(*request).listImagePipelineImages, "imagePipelineArn", imagePipelineARN},
	"POST /ListImages":                 {answer: (*request).listImages},
	"POST /ListImageBuildVersions":     {(*request).listImageBuildVersions, "imageVersionArn", imageVersionARN},
	"GET /GetImage":                    {(*request).getImage, "imageBuildVersionArn", imageBuildVersionARN},
	"GET /GetImagePipeline":            {(*request).getImagePipeline, "imagePipelineArn", imagePipelineARN},
	"POST /ListImagePackages":          {(*request).listImagePackages, "imageBuildVersionArn", imageBuildVersionARN},
	"GET " + tagsPath:                  {(*request).listTagsForResource, "resourceArn", regexp.MustCompile(ofAccount)},
	"POST /":                           {(*request).sts, "RoleArn", nil}, // see stsOperations

	"PUT /StartImagePipelineExecution": {answer: (*request).startImagePipelineExecution, parameter: "imagePipelineArn"},
	"PUT /RetryImage":                  {answer: (*request).retryImage, parameter: "imageBuildVersionArn"},
	"PUT /CancelImageCreation":         {answer: (*request).cancelImageCreation, parameter: "imageBuildVersionArn"},
	"PUT /SendWorkflowStepAction":      {(*request).sendWorkflowStepAction, "stepExecutionId", stepID},
})

// tagsPath is in front of the ARN whose tags are asked for.
const tagsPath = "/tags/"

// operationName returns the name of the operation at a path.
func operationName(path string) string {
	if path == tagsPath {
		return "ListTagsForResource"
	}
	return strings.TrimPrefix(path, "/")
}

// The patterns of the API reference; an x in a version matches any number.
var (
	executionID          = regexp.MustCompile(`^wf-` + uuid + `$`)
	stepID               = regexp.MustCompile(`^step-` + uuid + `$`)
	imagePipelineARN     = regexp.MustCompile(ofAccount + `image-pipeline/[a-z0-9-_]+$`)
	imageVersionARN      = regexp.MustCompile(ofAccount + `image/[a-z0-9-_]+/(?:[0-9]+|x)\.(?:[0-9]+|x)\.(?:[0-9]+|x)$`)
	imageBuildVersionARN = regexp.MustCompile(ofAccount + `image/[a-z0-9-_]+/[0-9]+\.[0-9]+\.[0-9]+/[0-9]+$`)
)

const (
	uuid      = `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`
	ofAccount = `^arn:aws[^:]*:imagebuilder:[^:]+:(?:[0-9]{12}|aws(?:-[a-z-]+)?):`
)

// ServeHTTP answers one request as the service would.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := &request{id: fmt.Sprintf("00000000-0000-4000-8000-%012x", a.requests.Add(1)), api: a}
	w.Header().Set("x-amzn-RequestId", q.id)
	if err := q.read(r); err != nil {
		refuse(w, r, err)
		return
	}
	a.count(q.name)
	if a.Latency > 0 && !wait(r, a.Latency) {
		return
	}
	if a.Throttle != nil && !isSTS(r) && !a.Throttle.Allow() {
		Error(http.StatusTooManyRequests, "CallRateLimitExceededException", "Rate exceeded").ServeHTTP(w, r)
		return
	}
	if a.Fault != nil {
		if fault := a.Fault(q.name, q.subject()); fault != nil {
			fault.ServeHTTP(w, r)
			return
		}
	}
	body, err := q.answer()
	if err != nil {
		refuse(w, r, err)
		return
	}
	write(w, r, http.StatusOK, body)
}

// Requests returns how many signed requests of an operation have come in.
func (a *API) Requests(operation string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.received[operation]
}

func (a *API) count(operation string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.received == nil {
		a.received = map[string]int{}
	}
	a.received[operation]++
}

func (a *API) now() time.Time {
	if a.Now != nil {
		return a.Now()
	}
	return time.Now()
}
