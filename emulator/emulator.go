// Package emulator is an EC2 Image Builder API that runs in memory and speaks the
// real wire protocol: any client that can be given an endpoint can talk to it, the
// AWS CLI and every SDK included.
//
// Its content is a Scenario: what exists, and how far it has come at a given time.
// The Run type describes one workflow execution by its course, so that every answer
// follows from the clock and tests are deterministic.
//
//	run := emulator.Run{ID: "wf-…", Start: start, Steps: steps}
//	api := &emulator.API{Scenario: emulator.Runs(run)}
//	server := httptest.NewServer(api)
//	// aws imagebuilder get-workflow-execution --endpoint-url $URL …
//
// The package stands alone: it imports nothing of the exporter, and other programs
// may use it for their own tests. It emulates what reads need; it creates nothing.
//
// The protocol is restJson1, version 2019-12-02:
// https://docs.aws.amazon.com/imagebuilder/latest/APIReference/.
package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Scenario is what an API knows. Its methods may be called concurrently.
type Scenario interface {
	// WorkflowExecution returns the execution with this id, in lower case, as it is
	// at that time, and whether there is one.
	WorkflowExecution(id string, now time.Time) (Execution, bool)
}

// Execution is a workflow execution as GetWorkflowExecution answers it. An empty
// string is left out of the answer, as the service does with what it does not know.
type Execution struct {
	RequestID               string `json:"requestId,omitempty"`
	WorkflowBuildVersionARN string `json:"workflowBuildVersionArn,omitempty"`
	WorkflowExecutionID     string `json:"workflowExecutionId,omitempty"`
	ImageBuildVersionARN    string `json:"imageBuildVersionArn,omitempty"`
	Type                    string `json:"type,omitempty"`
	Status                  string `json:"status,omitempty"`
	Message                 string `json:"message,omitempty"`
	TotalStepCount          int    `json:"totalStepCount"`
	TotalStepsSucceeded     int    `json:"totalStepsSucceeded"`
	TotalStepsFailed        int    `json:"totalStepsFailed"`
	TotalStepsSkipped       int    `json:"totalStepsSkipped"`
	StartTime               string `json:"startTime,omitempty"`
	EndTime                 string `json:"endTime,omitempty"`
	ParallelGroup           string `json:"parallelGroup,omitempty"`
}

// API answers the requests of Image Builder's clients. Only Scenario is required.
// The fields must not change once it serves.
type API struct {
	Scenario Scenario

	// Now is the clock; nil stands for time.Now.
	Now func() time.Time

	// Latency is how long each answer takes.
	Latency time.Duration

	// Throttle, when not nil, is how many requests are let through; the others get
	// the service's CallRateLimitExceededException.
	Throttle *rate.Limiter

	// Fault, when not nil, sees every signed request of a known operation with the
	// id that it asks for, in lower case. A handler that it returns answers in place
	// of the API; nil leaves the request alone. See Error, Body, Hang and Reset.
	Fault func(operation, id string) http.Handler

	requests atomic.Int64
	mu       sync.Mutex
	received map[string]int
}

// operations maps "METHOD /path" to the operations that the API knows.
var operations = map[string]func(*API, http.ResponseWriter, *http.Request){
	"GET /GetWorkflowExecution": (*API).getWorkflowExecution,
}

// ServeHTTP answers one request as the service would.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("x-amzn-RequestId", fmt.Sprintf("00000000-0000-4000-8000-%012x", a.requests.Add(1)))
	if code, message := checkSignature(r); code != "" {
		Error(http.StatusForbidden, code, message).ServeHTTP(w, r)
		return
	}
	operation := operations[r.Method+" "+r.URL.Path]
	if operation == nil {
		Error(http.StatusNotFound, "UnknownOperationException", "").ServeHTTP(w, r)
		return
	}
	name, id := r.URL.Path[1:], strings.ToLower(r.URL.Query().Get("workflowExecutionId"))
	a.count(name)
	if a.Latency > 0 && !wait(r, a.Latency) {
		return
	}
	if a.Throttle != nil && !a.Throttle.Allow() {
		Error(http.StatusTooManyRequests, "CallRateLimitExceededException", "Rate exceeded").ServeHTTP(w, r)
		return
	}
	if a.Fault != nil {
		if fault := a.Fault(name, id); fault != nil {
			fault.ServeHTTP(w, r)
			return
		}
	}
	operation(a, w, r)
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

// executionID is the pattern of the API reference.
var executionID = regexp.MustCompile(`^wf-[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

func (a *API) getWorkflowExecution(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("workflowExecutionId")
	if !executionID.MatchString(id) {
		Error(http.StatusBadRequest, "InvalidParameterValueException",
			"The value supplied for parameter 'workflowExecutionId' is not valid.").ServeHTTP(w, r)
		return
	}
	execution, ok := a.Scenario.WorkflowExecution(strings.ToLower(id), a.now())
	if !ok {
		Error(http.StatusNotFound, "ResourceNotFoundException",
			"The workflow execution "+id+" does not exist.").ServeHTTP(w, r)
		return
	}
	execution.RequestID = w.Header().Get("x-amzn-RequestId")
	writeJSON(w, http.StatusOK, execution)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // only plain structs of this package come here
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

var (
	authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[^/, ]+/(\d{8})/[a-z0-9-]+/([a-z0-9-]+)/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$`)
	amzDate       = regexp.MustCompile(`^(\d{8})T\d{6}Z$`)
)

// checkSignature returns the code and message of the service's refusal when r does
// not bear a signature, version 4, for Image Builder. It checks form, service, date
// and the headers that must be signed; the signature itself cannot be checked, for
// an emulator knows no secret keys.
func checkSignature(r *http.Request) (code, message string) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "MissingAuthenticationTokenException", "Missing Authentication Token"
	}
	parts := authorization.FindStringSubmatch(header)
	date := amzDate.FindStringSubmatch(r.Header.Get("X-Amz-Date"))
	switch {
	case parts == nil || date == nil:
		return "IncompleteSignatureException", "The request signature does not conform to AWS standards."
	case parts[1] != date[1]:
		return "InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."
	case parts[2] != "imagebuilder":
		return "InvalidSignatureException", "Credential should be scoped to correct service: 'imagebuilder'."
	}
	signed := ";" + parts[3] + ";"
	if !strings.Contains(signed, ";host;") || !strings.Contains(signed, ";x-amz-date;") {
		return "IncompleteSignatureException", "'Host' and 'X-Amz-Date' must be signed."
	}
	return "", ""
}
