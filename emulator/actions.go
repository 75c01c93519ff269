package emulator

import (
	"fmt"
	"net/http"
	"regexp"
	"time"
)

// These operations change an Account. What they change shows in every answer about the time
// since; answers about the time before stay as they were. A request that comes again with
// its client token is answered again, and changes nothing.

func (q *request) startImagePipelineExecution() (any, error) {
	arn := q.input.ImagePipelineARN
	body, err := q.change(imagePipelineARN, func(x *index) (string, error) {
		p := x.pipeline(arn, q.now)
		if p == nil || !q.sees(arn) {
			return "", unknown("image pipeline", arn)
		}
		return x.start(p, q.input.Tags, q.now), nil
	})
	return q.numbered(body), err
}

func (q *request) retryImage() (any, error) {
	return q.changeImage(func(i *Image) error { return i.retry(q.now) })
}

func (q *request) cancelImageCreation() (any, error) {
	body, err := q.changeImage(func(i *Image) error { return i.cancel(q.now) })
	return q.numbered(body), err
}

func (q *request) sendWorkflowStepAction() (any, error) {
	switch in := &q.input; {
	case !imageBuildVersionARN.MatchString(in.ImageBuildVersionARN):
		return nil, invalid("imageBuildVersionArn", mustMatch(in.ImageBuildVersionARN, imageBuildVersionARN))
	case in.Action != "RESUME" && in.Action != "STOP":
		return nil, invalid("action", "it must be RESUME or STOP")
	case len(in.Reason) > 1024:
		return nil, invalid("reason", "it must have at most 1024 characters")
	}
	body, err := q.change(stepID, func(x *index) (string, error) {
		return q.input.ImageBuildVersionARN, x.decide(q)
	})
	if body != nil {
		body["stepExecutionId"] = q.input.StepExecutionID
	}
	return body, err
}

// changeImage lets do change a copy of the image of the request, which takes its place.
func (q *request) changeImage(do func(*Image) error) (answer, error) {
	arn := q.input.ImageBuildVersionARN
	return q.change(imageBuildVersionARN, func(x *index) (string, error) {
		if !q.sees(arn) {
			return "", noImage(arn)
		}
		return arn, x.change(arn, q.now, do)
	})
}

// change does what the request asks for, unless that was done before, and answers with the
// image that do returns.
func (q *request) change(subject *regexp.Regexp, do func(*index) (string, error)) (answer, error) {
	token := q.input.ClientToken
	account, ok := q.scenario.(*Account)
	switch {
	case len(token) < 1 || len(token) > 64:
		return nil, badRequest("The value supplied for parameter 'clientToken' is not valid: it must have from 1 to 64 characters.")
	case !subject.MatchString(q.subject()):
		return nil, badRequest(notValid(q.operation.parameter, mustMatch(q.subject(), subject)))
	case !ok:
		return nil, &refusal{http.StatusForbidden, "ForbiddenException", "The caller is not authorized to perform: imagebuilder:" + q.name}
	}
	in := &q.input
	asked := fmt.Sprintf("%q", []any{q.name, q.subject(), in.ImageBuildVersionARN, in.Action, in.Reason, in.Tags})
	image, err := account.once(token, asked, q.now, do)
	if err != nil {
		return nil, err
	}
	return answer{"clientToken": token, "imageBuildVersionArn": image}, nil
}

// numbered adds the id of the request to an answer, unless there is none.
func (q *request) numbered(body answer) answer {
	if body != nil {
		body["requestId"] = q.id
	}
	return body
}

// done is what was asked for with a client token, and the image of the answer.
type done struct{ asked, image string }

// once lets do change the Account, unless that was done with the same token.
func (a *Account) once(token, asked string, now time.Time, do func(*index) (string, error)) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	x := a.at(now)
	if d, ok := x.done[token]; ok {
		if d.asked != asked {
			return "", &refusal{http.StatusBadRequest, "IdempotentParameterMismatchException", "The client token was used with other parameters."}
		}
		return d.image, nil
	}
	image, err := do(x)
	if err == nil {
		x.done[token] = done{asked, image}
	}
	return image, err
}

// badRequest refuses what the service cannot do.
func badRequest(message string) error {
	return &refusal{http.StatusBadRequest, "InvalidRequestException", message}
}

func noImage(arn string) error { return badRequest("The image " + arn + " does not exist.") }
