package emulator

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// request is one signed request of a known operation.
type request struct {
	id        string
	api       *API
	signer    signer
	operation operation
	name      string // of the operation
	input     input
	role      *Role     // whose credentials it has, nil for none
	scenario  Scenario  // what the caller sees
	now       time.Time // of the answer; the first page's on later pages
	position  position  // where the page begins
}

// input is the parameters of all operations; each has some of them.
type input struct {
	WorkflowExecutionID  string   `json:"workflowExecutionId"`
	StepExecutionID      string   `json:"stepExecutionId"`
	ImageBuildVersionARN string   `json:"imageBuildVersionArn"`
	ImagePipelineARN     string   `json:"imagePipelineArn"`
	ImageVersionARN      string   `json:"imageVersionArn"`
	Owner                string   `json:"owner"`
	IncludeDeprecated    bool     `json:"includeDeprecated"`
	Filters              []filter `json:"filters"`
	MaxResults           *int     `json:"maxResults"`
	NextToken            string   `json:"nextToken"`

	ClientToken string            `json:"clientToken"` // of what changes something, like the rest
	Action      string            `json:"action"`
	Reason      string            `json:"reason"`
	Tags        map[string]string `json:"tags"`

	form  url.Values // those of STS
	other string     // what the request is about, if none of the above is
}

// subject is what the request is about.
func (q *request) subject() string {
	subject, known := map[string]string{
		"workflowExecutionId":  strings.ToLower(q.input.WorkflowExecutionID),
		"stepExecutionId":      q.input.StepExecutionID,
		"imageBuildVersionArn": q.input.ImageBuildVersionARN,
		"imagePipelineArn":     q.input.ImagePipelineARN,
		"imageVersionArn":      q.input.ImageVersionARN,
		"RoleArn":              q.input.form.Get("RoleArn"),
	}[q.operation.parameter]
	if !known {
		return q.input.other
	}
	return subject
}

// read finds out who asks for what.
func (q *request) read(r *http.Request) (err error) {
	if q.signer, err = checkSignature(r); err != nil {
		return err
	}
	var known bool
	path, arn := r.URL.Path, ""
	if rest, ok := strings.CutPrefix(path, tagsPath); ok {
		path, arn = tagsPath, rest
	}
	if q.operation, known = operations[r.Method+" "+path]; !known {
		return &refusal{http.StatusNotFound, "UnknownOperationException", "The emulator does not know the operation " + r.Method + " " + r.URL.Path + "."}
	}
	q.name = operationName(path)
	if r.Method == http.MethodGet {
		query := r.URL.Query()
		q.input.WorkflowExecutionID = query.Get("workflowExecutionId")
		q.input.StepExecutionID = query.Get("stepExecutionId")
		q.input.ImageBuildVersionARN = query.Get("imageBuildVersionArn")
		q.input.ImagePipelineARN = query.Get("imagePipelineArn")
		q.input.other = cmp.Or(arn, query.Get(q.operation.parameter))
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	switch {
	case err != nil:
	case isSTS(r):
		q.input.form, err = url.ParseQuery(string(body))
		q.name = q.input.form.Get("Action")
	default:
		err = json.Unmarshal(body, &q.input)
		if p := q.operation.parameter; p != "" && q.subject() == "" {
			q.input.other = textOf(body, p)
		}
	}
	if err != nil {
		return &refusal{http.StatusBadRequest, "SerializationException", "The body of the request cannot be read: " + err.Error() + "."}
	}
	return nil
}

// textOf returns a text of a JSON object, "" for none.
func textOf(object []byte, name string) (text string) {
	var all map[string]json.RawMessage
	if json.Unmarshal(object, &all) != nil || json.Unmarshal(all[name], &text) != nil {
		return ""
	}
	return text
}

// answer finds out what the caller sees, and when, and answers.
func (q *request) answer() (_ any, err error) {
	if q.role, err = q.api.roleOf(q.signer); err != nil {
		return nil, err
	}
	q.scenario, q.now = q.api.Scenario, q.api.now()
	if q.role != nil {
		q.scenario = q.role.Scenario
	}
	if err := q.turnTo(q.input.NextToken); err != nil {
		return nil, err
	}
	if o := q.operation; o.pattern != nil && !o.pattern.MatchString(q.subject()) {
		return nil, invalid(o.parameter, mustMatch(q.subject(), o.pattern))
	}
	return q.operation.answer(q)
}

// sees reports whether the thing with this ARN is in the region of the request.
func (q *request) sees(arn string) bool {
	region := arnPart(arn, 3)
	return region == "" || region == q.signer.region
}

// pipelineOf returns the pipeline with an ARN, nil when there is none. That takes no look at
// the others, unless the Scenario is somebody's own.
func (q *request) pipelineOf(arn string) *Pipeline {
	if a, ok := q.scenario.(*Account); ok {
		return a.pipeline(arn, q.now)
	}
	all := q.scenario.ImagePipelines(q.now)
	if i := slices.IndexFunc(all, func(p Pipeline) bool { return p.ARN == arn }); i >= 0 {
		return &all[i]
	}
	return nil
}

// refusal is an error that the service answers.
type refusal struct {
	status        int
	code, message string
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

// invalid refuses a parameter that is missing or has the wrong form.
func invalid(parameter, because string) error {
	return &refusal{http.StatusBadRequest, "InvalidParameterValueException", notValid(parameter, because)}
}

// notValid is the sentence about a parameter.
func notValid(parameter, because string) string {
	return "The value supplied for parameter '" + parameter + "' is not valid: " + because + "."
}

// mustMatch says why a value that does not match a pattern is wrong.
func mustMatch(value string, pattern *regexp.Regexp) string {
	if value == "" {
		return "it is missing"
	}
	return fmt.Sprintf("%q does not match %s", value, pattern)
}

// unknown refuses something that does not exist.
func unknown(kind, id string) error {
	return &refusal{http.StatusNotFound, "ResourceNotFoundException", "The " + kind + " " + id + " does not exist."}
}

func refuse(w http.ResponseWriter, r *http.Request, err error) {
	refused, ok := errors.AsType[*refusal](err)
	if !ok {
		panic(err) // nothing else fails in this package
	}
	Error(refused.status, refused.code, refused.message).ServeHTTP(w, r)
}

// write answers with v, as XML when the request goes to STS.
func write(w http.ResponseWriter, r *http.Request, status int, v any) {
	marshal, contentType := json.Marshal, "application/json"
	if isSTS(r) {
		marshal, contentType = xml.Marshal, "text/xml"
	}
	body, err := marshal(v)
	if err != nil {
		panic(err) // only plain structs of this package come here
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// arnPart returns a part of an ARN, counted from 0; "" when there is none.
func arnPart(arn string, n int) string {
	for range n {
		_, arn, _ = strings.Cut(arn, ":")
	}
	if n < 5 {
		arn, _, _ = strings.Cut(arn, ":")
	}
	return arn
}
