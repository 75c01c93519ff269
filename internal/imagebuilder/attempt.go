package imagebuilder

import (
	"context"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// call is the state of one operation during its attempts, which are made one after the
// other.
type call struct {
	start func() *time.Timer // called once, returns the running time limit
	timer *time.Timer        // nil until the first attempt
	last  error              // what the last attempt on the wire ended with
}

// begin is called when an attempt goes on the wire.
func (c *call) begin() {
	if c.timer == nil {
		c.timer = c.start()
	}
}

func (c *call) end() {
	if c.timer != nil {
		c.timer.Stop()
	}
}

type callKey struct{}

// attempts is the SDK middleware through which every single attempt goes: it waits
// for its turn, starts the call's time limit, and counts. It stands below the
// retries, so a slot is given back before a retry waits, and below the fetching of
// credentials, so that only what reaches the wire is counted.
type attempts struct {
	target, region string
	gate           *gate
	discovery      *gate // discovery passes it first, because it gets only a share
	metrics        *Metrics
}

// ID returns the name of the middleware.
func (a *attempts) ID() string { return "ImageBuilderExporterAttempts" }

// install puts a into an operation's stack.
func (a *attempts) install(stack *middleware.Stack) error {
	return stack.Finalize.Insert(a, "Signing", middleware.Before)
}

// HandleFinalize makes one attempt.
func (a *attempts) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	if Operation(awsmiddleware.GetOperationName(ctx)).Discovery() {
		if err := a.discovery.enter(ctx); err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, err
		}
		defer a.discovery.leave()
	}
	if err := a.gate.enter(ctx); err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	defer a.gate.leave()
	c := ctx.Value(callKey{}).(*call)
	c.begin()
	begun := time.Now()
	out, metadata, err := next.HandleFinalize(ctx, in)
	took := time.Since(begun)
	var failed *failure
	if err != nil {
		failed = newFailure(err)
		err = failed
	}
	c.last = err
	a.observe(ctx, took, failed)
	return out, metadata, err
}

// observe counts and times an attempt; failed is nil when it was answered.
func (a *attempts) observe(ctx context.Context, took time.Duration, failed *failure) {
	operation := awsmiddleware.GetOperationName(ctx)
	a.metrics.requests.WithLabelValues(a.target, a.region, operation).Inc()
	a.metrics.durations.WithLabelValues(operation).Observe(took.Seconds())
	if failed != nil {
		code := a.metrics.code(failed.label(ctx))
		a.metrics.errors.WithLabelValues(a.target, a.region, operation, string(failed.class), code).Inc()
	}
}
