package imagebuilder

import (
	"regexp"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts and times every attempt on the wire, retries too, whatever its
// outcome, for all clients of the process. Its methods may be called concurrently.
type Metrics struct {
	requests  *prometheus.CounterVec
	errors    *prometheus.CounterVec
	durations *prometheus.HistogramVec
	invalid   *prometheus.CounterVec

	mu    sync.Mutex
	codes map[string]bool // error codes seen, at most maxCodes
}

// maxCodes bounds the values of the label "code": they come from the service.
const maxCodes = 50

var codePattern = regexp.MustCompile(`^[A-Za-z]{1,64}$`)

// NewMetrics returns Metrics that are registered with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "imagebuilder_exporter_api_requests_total",
			Help: "Attempts to call the AWS API, including retries, whether they succeeded or failed.",
		}, []string{"target", "region", "operation"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "imagebuilder_exporter_api_errors_total",
			Help: "Failed attempts to call the AWS API, by error class and API error code.",
		}, []string{"target", "region", "operation", "class", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "imagebuilder_exporter_api_request_duration_seconds",
			Help:                            "Duration of attempts to call the AWS API.",
			Buckets:                         []float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"operation"}),
		invalid: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "imagebuilder_exporter_invalid_responses_total",
			Help: "Answers of the AWS API that were ignored, completely or in part, because they are implausible or exceed a limit.",
		}, []string{"target", "region", "reason"}),
		codes: map[string]bool{},
	}
	reg.MustRegister(m.requests, m.errors, m.durations, m.invalid)
	return m
}

// Reasons for which an answer, or a part of one, is left out: the values of the
// label "reason".
const (
	reasonEmpty      = "empty"                // no id, or no status
	reasonForeignID  = "foreign_id"           // about something else than what was asked for
	reasonPages      = "pages"                // a list without an end
	reasonTimestamp  = "timestamp"            // not RFC 3339, or an end before the start
	reasonStepCounts = "step_counts"          // no whole number of 32 bits, negative, or more steps ended than there are
	reasonFailures   = "consecutive_failures" // no whole number of 32 bits, or negative
	reasonTooLong    = "too_long"             // a text that is longer than maxText or maxMessage
	reasonOutputs    = "outputs"              // more than maxOutputs

	reasonAutoDisable    = "auto_disable_failures" // no whole number of 32 bits, or less than 1
	reasonStepTimeout    = "step_timeout"          // no whole number of 32 bits, or less than 1
	reasonFailureContext = "failure_context"       // a part of another type, no id of an execution, or more than maxRegions
)

var allReasons = []string{
	reasonEmpty, reasonForeignID, reasonPages, reasonTimestamp, reasonStepCounts, reasonFailures, reasonTooLong, reasonOutputs,
	reasonAutoDisable, reasonStepTimeout, reasonFailureContext,
}

// declare makes the series exist from the start, so that their first increase is seen.
func (m *Metrics) declare(target, region string) {
	m.requests.WithLabelValues(target, region, string(GetWorkflowExecution))
	m.durations.WithLabelValues(string(GetWorkflowExecution))
	for _, r := range allReasons {
		m.invalid.WithLabelValues(target, region, r)
	}
}

// Forget drops the series of a target in a region that has no clients any more.
func (m *Metrics) Forget(target, region string) {
	labels := prometheus.Labels{"target": target, "region": region}
	m.requests.DeletePartialMatch(labels)
	m.errors.DeletePartialMatch(labels)
	m.invalid.DeletePartialMatch(labels)
}

// code returns the label value for an error code: the code itself when it looks
// like one and there are not too many different ones yet, else "Other".
func (m *Metrics) code(code string) string {
	if !codePattern.MatchString(code) {
		return "Other"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.codes[code] && len(m.codes) >= maxCodes {
		return "Other"
	}
	m.codes[code] = true
	return code
}
