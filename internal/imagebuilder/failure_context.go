package imagebuilder

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	sdk "github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The SDK (v1.55.2) does not know "failureContext" and drops it without an error. This file
// reads it from the body of an answer. When types.ImageState has it, only decodeFailure is
// needed.

// bodyReader keeps the body of the last answer to one call. Its option goes into that call.
type bodyReader struct{ body bytes.Buffer }

func (r *bodyReader) option(o *sdk.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		// After the SDK's own decoding means below it: the body was not read yet.
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("ImageBuilderExporterBody", r.keep), middleware.After)
	})
}

func (r *bodyReader) keep(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	r.body.Reset()
	if resp, ok := out.RawResponse.(*smithyhttp.Response); ok && resp.Body != nil {
		resp.Body = keptBody{io.TeeReader(resp.Body, &r.body), resp.Body}
	}
	return out, metadata, err
}

// keptBody is a body that is kept while it is read.
type keptBody struct {
	io.Reader
	io.Closer
}

// failedRow is as much of an image as it takes to say why it failed.
type failedRow struct {
	ARN   string `json:"arn"`
	State struct {
		FailureContext json.RawMessage `json:"failureContext"`
	} `json:"state"`
}

// failures returns what the answer of GetImage, or of a list of images, says of failures, by
// the ARN of the image. The SDK has read the answer before, so what cannot be read here is
// what it does not read.
func (r *bodyReader) failures(invalid func(reason string)) map[string]*Failure {
	if !bytes.Contains(r.body.Bytes(), []byte(`"failureContext"`)) {
		return nil // as of nearly every page
	}
	var answer struct {
		Image            failedRow   `json:"image"`
		ImageSummaryList []failedRow `json:"imageSummaryList"`
	}
	_ = json.NewDecoder(&r.body).Decode(&answer)
	all := map[string]*Failure{}
	for _, row := range append(answer.ImageSummaryList, answer.Image) {
		if f := decodeFailure(row.State.FailureContext, invalid); f != nil {
			all[row.ARN] = f
		}
	}
	return all
}

// failureContext is that of the API reference (ImageState).
type failureContext struct {
	ImageStatus         string
	WorkflowExecutionID string
	StepExecutionID     *string
	FailedStep          string
	ComponentFailure    struct {
		ComponentArn                *string
		PhaseName, StepName, Action string
		ErrorMessage                *string
	}
	DistributionFailure struct {
		ErrorMessage   *string
		RegionFailures []regionFailure
	}
}

type regionFailure struct {
	Region, Status, ImageConfigurationStep, TargetAccountID string
	ErrorMessage                                            *string
}

// maxRegions bounds where one image failed to arrive: it may go to many accounts in each of
// a few dozen regions.
const maxRegions = 1000

// decodeFailure returns what a failureContext says, nil when it says nothing. What has
// another type than the API reference says is left out.
func decodeFailure(raw json.RawMessage, invalid func(reason string)) *Failure {
	var row failureContext
	if err := json.Unmarshal(raw, &row); len(raw) > 0 && err != nil {
		invalid(reasonFailureContext)
		if !errors.As(err, new(*json.UnmarshalTypeError)) {
			return nil
		}
	}
	f := &Failure{
		Stage:           ImageStatus(text(row.ImageStatus, invalid)),
		StepExecutionID: optionalID(row.StepExecutionID, invalid),
		Step:            text(row.FailedStep, invalid),
	}
	if row.WorkflowExecutionID != "" {
		id, err := ParseExecutionID(row.WorkflowExecutionID)
		if err != nil {
			invalid(reasonFailureContext)
		}
		f.ExecutionID = id
	}
	c := ComponentFailure{
		ARN: optionalID(row.ComponentFailure.ComponentArn, invalid), Phase: text(row.ComponentFailure.PhaseName, invalid),
		Step: text(row.ComponentFailure.StepName, invalid), Action: text(row.ComponentFailure.Action, invalid),
		Message: message(row.ComponentFailure.ErrorMessage, invalid),
	}
	if c != (ComponentFailure{}) {
		f.Component = &c
	}
	d := DistributionFailure{
		Message: message(row.DistributionFailure.ErrorMessage, invalid),
		Regions: decodeRegions(row.DistributionFailure.RegionFailures, invalid),
	}
	if d.Message != "" || d.Regions != nil {
		f.Distribution = &d
	}
	if *f == (Failure{}) {
		return nil
	}
	return f
}

// decodeRegions returns each of rows once. Of two that differ in their message alone, the
// first one counts.
func decodeRegions(rows []regionFailure, invalid func(reason string)) []RegionFailure {
	var all []RegionFailure
	known := map[RegionFailure]bool{}
	for _, row := range rows {
		r := RegionFailure{
			Region: text(row.Region, invalid), AccountID: text(row.TargetAccountID, invalid),
			Status: text(row.Status, invalid), ConfigurationStep: text(row.ImageConfigurationStep, invalid),
		}
		switch {
		case r == RegionFailure{} || known[r]:
		case len(all) == maxRegions:
			invalid(reasonFailureContext)
			return all
		default:
			known[r] = true
			r.Message = message(row.ErrorMessage, invalid)
			all = append(all, r)
		}
	}
	return all
}

// withFailure returns image with what an answer says of its failure, if it has failed.
func withFailure(image Image, failures map[string]*Failure) Image {
	if image.Status.Failed() {
		image.Failure = failures[image.ARN]
	}
	return image
}

func withFailures(images []Image, failures map[string]*Failure) []Image {
	for i := range images {
		images[i] = withFailure(images[i], failures)
	}
	return images
}
