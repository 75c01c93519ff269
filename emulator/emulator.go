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
	// Scenario is what callers without the credentials of a role see.
	Scenario Scenario

	// Roles are the roles that callers can assume. Requests with the credentials of a role see its
	// Scenario.
	Roles []Role

	// AccountID is the account of callers without a role; "" means 111122223333.
	AccountID string

	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// Latency delays each answer.
	Latency time.Duration

	// Throttle, if not nil, limits the requests to Image Builder. Requests above the limit are answered
	// with CallRateLimitExceededException, which the Go SDK does not retry by default. The limit follows
	// real time, not Now, and a request above it does not reach Fault.
	Throttle *rate.Limiter

	// PageSize is the maximum number of rows on a page; 0 and values above 25 mean 25. A request can
	// ask for fewer with maxResults.
	PageSize int

	// Unruly, if not 0, is a seed for behavior that the API reference allows and clients often do not
	// expect: rows in an arbitrary order (always the same for one list), and empty pages with a token
	// before pages with rows.
	Unruly uint64

	// FailureContext selects the answers about images that have their failureContext.
	FailureContext FailureContext

	// Fault, if not nil, is called for every signed request of a known operation. id is the
	// workflowExecutionId in lower case, or else the stepExecutionId, the imageBuildVersionArn or
	// another required parameter, or "". A handler that it
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

// Requests returns the number of signed requests of an operation so far.
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
