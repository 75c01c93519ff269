package imagebuilder

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// retryer is the SDK's adaptive mode: it retries with backoff, and sends less while
// the service throttles.
type retryer struct {
	*retry.AdaptiveMode
	begun func() time.Time // when the first attempt was made
}

// newRetryer returns a retryer for which every error of class Throttled is a throttle. The
// SDK's own retries neither CallRateLimitExceededException nor a plain 429, in no mode.
func newRetryer() aws.RetryerV2 {
	throttled := func(err error) aws.Ternary {
		if err != nil && failureOf(err).class == Throttled {
			return aws.TrueTernary
		}
		return aws.UnknownTernary
	}
	return retryer{begun: sync.OnceValue(time.Now), AdaptiveMode: retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
		o.FailOnNoAttemptTokens = true
		o.Throttles = append(o.Throttles, retry.IsErrorThrottleFunc(throttled))
		o.StandardOptions = append(o.StandardOptions, func(o *retry.StandardOptions) {
			o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(throttled))
		})
	})}
}

// tokenPoll is how often a waiting attempt asks for a token.
const tokenPoll = 25 * time.Millisecond

// learning is how long throttles are kept from the adaptive mode: before it has measured a
// rate, a throttle would set it to its lowest, a request every two seconds.
const learning = time.Second

// GetAttemptToken waits until the adaptive mode lets an attempt through, or ctx ends.
// The SDK's own waiting spins without a pause when the time until the next token rounds to
// zero.
func (r retryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	release, err := r.AdaptiveMode.GetAttemptToken(ctx)
	for err != nil {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(tokenPoll):
		}
		release, err = r.AdaptiveMode.GetAttemptToken(ctx)
	}
	if time.Since(r.begun()) < learning {
		return func(error) error { return release(nil) }, nil
	}
	return release, nil
}
