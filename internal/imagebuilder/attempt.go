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
	begin func() // an attempt goes on the wire
	last  error  // what the last attempt on the wire ended with
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
	out middleware.FinalizeOutput, metadata middleware.Metadata, err error,
) {
	operation := awsmiddleware.GetOperationName(ctx)
	if Operation(operation).Discovery() {
		if err := a.discovery.enter(ctx); err != nil {
			return out, metadata, err
		}
		defer a.discovery.leave()
	}
	if err := a.gate.enter(ctx); err != nil {
		return out, metadata, err
	}
	defer a.gate.leave()
	call := ctx.Value(callKey{}).(*call)
	call.begin()
	begun := time.Now()
	out, metadata, err = next.HandleFinalize(ctx, in)
	a.metrics.requests.WithLabelValues(a.target, a.region, operation).Inc()
	a.metrics.durations.WithLabelValues(operation).Observe(time.Since(begun).Seconds())
	if err != nil {
		failed := newFailure(err)
		code := a.metrics.code(failed.label(ctx))
		a.metrics.errors.WithLabelValues(a.target, a.region, operation, string(failed.class), code).Inc()
		err = failed
	}
	call.last = err
	return out, metadata, err
}
