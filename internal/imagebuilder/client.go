package imagebuilder

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	sdk "github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/prometheus/common/version"
)

// ClientConfig says which account and region a Client asks, and its limits.
type ClientConfig struct {
	Target string // the label "target" of what is counted
	Region string // required

	// EndpointURL replaces the service's endpoint. Empty means the SDK's own
	// choice, which follows AWS_ENDPOINT_URL_IMAGEBUILDER and AWS_ENDPOINT_URL.
	EndpointURL string

	// Role is assumed with the credentials; the zero value means no role.
	Role Role

	// STSEndpointURL replaces the endpoint of STS, which is asked for the Role. Empty means the SDK's
	// own choice: the endpoint of the region, or AWS_ENDPOINT_URL_STS.
	STSEndpointURL string
	// Static, when not nil, are the credentials. Then nothing at all is read from
	// the environment or from files. Nil means the SDK's default chain.
	Static *StaticCredentials

	Limits

	Metrics *Metrics // required

	// HTTPClient sends the requests when it is not nil. For tests.
	HTTPClient *http.Client
}

// Limits are the rate limits of a Client. Discovery gets a quarter of the attempts.
type Limits struct {
	Concurrency int           // attempts on the wire at a time, at least 1
	RateLimit   float64       // attempts a second, 0 for no limit
	Burst       int           // attempts at once within RateLimit, at least 1
	Timeout     time.Duration // for one lookup, from its first attempt on; above 0
}

// ForDiscovery returns the share of the limits that discovery gets.
func (l Limits) ForDiscovery() Limits {
	l.Concurrency, l.RateLimit, l.Burst = max(1, l.Concurrency/4), l.RateLimit/4, max(1, l.Burst/4)
	return l
}

// StaticCredentials are the keys of an access key.
type StaticCredentials struct{ AccessKeyID, SecretAccessKey string }

// Client asks Image Builder in one region with one set of credentials. Its methods
// may be called concurrently. Every error that they return is an *Error.
type Client struct {
	sdk         *sdk.Client
	credentials *credentials
	base        *credentials                   // those that assume the role; credentials without one
	sts         func(*credentials) *sts.Client // that asks with these
	attempts    *attempts
	timeout     *atomic.Int64 // a time.Duration
	region      string
	invalid     func(reason string)
	http        *http.Client
	firstPages  bool // whether lists end after one page
}

// NewClient returns a Client. It makes no request and needs no credentials yet. It
// fails when the SDK cannot read its own configuration, or cannot combine the
// endpoint with FIPS or dual-stack.
func NewClient(ctx context.Context, c ClientConfig) (*Client, error) {
	cfg, base, err := awsConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if c.HTTPClient == nil {
		c.HTTPClient = newHTTPClient(cfg)
	}
	cfg.HTTPClient = boundedClient{c.HTTPClient}
	cfg.Retryer = func() aws.Retryer { return newRetryer() }
	client := &Client{
		credentials: base, base: base,
		sts: func(as *credentials) *sts.Client { return newSTS(cfg, c, as) },
		attempts: &attempts{
			target: c.Target, region: c.Region, metrics: c.Metrics,
			gate: newGate(c.Limits), discovery: newGate(c.ForDiscovery()),
		},
		timeout: new(atomic.Int64),
		region:  c.Region,
		http:    c.HTTPClient,
		invalid: func(reason string) { c.Metrics.invalid.WithLabelValues(c.Target, c.Region, reason).Inc() },
	}
	client.timeout.Store(int64(c.Timeout))
	if c.Role != (Role{}) {
		client.credentials = assumeRole(client.sts(base), c.Role, base, client.timeout)
	}
	client.sdk = sdk.NewFromConfig(cfg, func(o *sdk.Options) {
		o.Credentials = client.credentials
		if c.EndpointURL != "" {
			o.BaseEndpoint = &c.EndpointURL
		}
		o.APIOptions = append(o.APIOptions, client.attempts.install,
			awsmiddleware.AddUserAgentKeyValue("imagebuilder_exporter", version.Version))
	})
	if err := checkEndpoint(client.sdk.Options()); err != nil {
		return nil, err
	}
	c.Metrics.declare(c.Target, c.Region)
	return client, nil
}

// SetLimits changes the limits at once, also for attempts that wait for their turn.
// Attempts on the wire are not disturbed, and a lookup that has begun keeps its time limit.
// The sources of credentials that the SDK asks over HTTP keep the first time limit.
func (c *Client) SetLimits(l Limits) {
	c.timeout.Store(int64(l.Timeout))
	c.attempts.gate.set(l)
	c.attempts.discovery.set(l.ForDiscovery())
}

// CloseIdleConnections closes the idle connections. It is for a Client that is no longer
// used.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// FirstPages returns a Client with the same credentials and limits whose lists end after
// their first page.
func (c *Client) FirstPages() *Client {
	first := *c
	first.firstPages = true
	return &first
}

// Authenticate makes sure that there are credentials, from the cache or from their
// source. Call it before many requests, so that missing credentials cost one attempt to
// get them and not one for each request.
func (c *Client) Authenticate(ctx context.Context) error {
	// Their source has the time limit, too, and a better error than "deadline exceeded".
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(c.timeout.Load())+time.Second, errTimeLimit)
	defer cancel()
	if _, err := c.credentials.Retrieve(ctx); err != nil {
		return newError(Authenticate, err)
	}
	return nil
}

// GetWorkflowExecution returns the execution with this id, which must be in lower
// case. It waits for its turn as long as ctx allows, then calls started, unless that
// is nil; from there on it takes at most the client's time limit, retries included.
//
// The class of the error says why there is no answer. When ctx ends first the error wraps
// ctx.Err(), and its class is that of the last attempt, if there was one.
func (c *Client) GetWorkflowExecution(ctx context.Context, id string, started func()) (Execution, error) {
	var e Execution
	err := c.ask(ctx, GetWorkflowExecution, started, func(ctx context.Context) error {
		out, err := c.sdk.GetWorkflowExecution(ctx, &sdk.GetWorkflowExecutionInput{WorkflowExecutionId: &id})
		if err != nil {
			return err
		}
		if e, err = decodeExecution(id, out, c.invalid); err != nil {
			return invalidAnswer(err)
		}
		return nil
	})
	return e, err
}

// GetImage returns the image build version with this ARN, and the pipeline that made
// it. It waits and fails as GetWorkflowExecution does.
func (c *Client) GetImage(ctx context.Context, imageBuildVersionARN string, started func()) (Image, error) {
	var i Image
	err := c.ask(ctx, GetImage, started, func(ctx context.Context) error {
		var body bodyReader
		out, err := c.sdk.GetImage(ctx, &sdk.GetImageInput{ImageBuildVersionArn: &imageBuildVersionARN}, body.option)
		if err != nil {
			return err
		}
		if out.Image == nil {
			c.invalid(reasonEmpty)
			return invalidAnswer(errors.New("the answer has no image"))
		}
		if err := c.checkPage(false, out.Image.Arn, imageBuildVersionARN); err != nil {
			return err
		}
		var ok bool
		if i, ok = c.newImage(out.Image); !ok {
			return invalidAnswer(errors.New("the answer has no ARN of an image build version, or no state"))
		}
		i = withFailure(i, body.failures(c.invalid))
		return nil
	})
	return i, err
}

// GetWorkflowStepExecution returns when the step with this id times out: its start plus its
// "timeoutSeconds". The zero time means unknown. It waits and fails as
// GetWorkflowExecution does.
func (c *Client) GetWorkflowStepExecution(ctx context.Context, id string, started func()) (time.Time, error) {
	var timeout time.Time
	err := c.ask(ctx, GetWorkflowStepExecution, started, func(ctx context.Context) error {
		out, err := c.sdk.GetWorkflowStepExecution(ctx, &sdk.GetWorkflowStepExecutionInput{StepExecutionId: &id})
		if err != nil {
			return err
		}
		if out.StepExecutionId == nil {
			c.invalid(reasonEmpty)
			return invalidAnswer(errors.New("the answer has no stepExecutionId"))
		}
		if err := c.checkPage(false, out.StepExecutionId, id); err != nil {
			return err
		}
		timeout = c.decodeStepTimeout(out)
		return nil
	})
	return timeout, err
}

// ask makes one call, f, and returns its failure as an *Error.
func (c *Client) ask(ctx context.Context, operation Operation, started func(), f func(context.Context) error) error {
	err := do(ctx, c.timeout, started, f)
	if err == nil {
		return nil
	}
	failed := newError(operation, err)
	if credentialsExpired(failed.Code) {
		c.credentials.expire()
	}
	return failed
}

// do runs f with a context that ends a timeout after the first attempt has gone on the
// wire; then it calls started. The timeout is a time.Duration that can change. When the
// context ends while a retry waits, the SDK says "canceled" only, so the error of the last
// attempt is returned with it.
func do(ctx context.Context, timeout *atomic.Int64, started func(), f func(context.Context) error) error {
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var limit *time.Timer
	call := &call{begin: sync.OnceFunc(func() {
		if started != nil {
			started()
		}
		limit = time.AfterFunc(time.Duration(timeout.Load()), func() { cancel(errTimeLimit) })
	})}
	err := f(context.WithValue(limited, callKey{}, call))
	if limit != nil {
		limit.Stop()
	}
	if err == nil || limited.Err() == nil {
		return err
	}
	cause := context.Cause(limited)
	if call.last != nil {
		return fmt.Errorf("%w; last attempt: %w", cause, call.last)
	}
	return cause
}
