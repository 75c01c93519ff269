package imagebuilder

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	sdk "github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/smithy-go/logging"
)

// awsConfig returns the SDK's configuration, which is what the environment says, and the
// credentials.
func awsConfig(ctx context.Context, c ClientConfig) (aws.Config, *credentials, error) {
	if c.Static != nil {
		static := awscredentials.NewStaticCredentialsProvider(c.Static.AccessKeyID, c.Static.SecretAccessKey, "")
		return aws.Config{Region: c.Region}, &credentials{current: static}, nil
	}
	load := func(ctx context.Context) (aws.Config, error) {
		return loadConfig(ctx, c.Timeout, config.WithRegion(c.Region))
	}
	cfg, err := load(ctx)
	return cfg, &credentials{
		current: cfg.Credentials,
		reload: func(ctx context.Context) (aws.CredentialsProvider, error) {
			later, err := load(ctx)
			return later.Credentials, err
		},
	}, err
}

// redirectError is the failure of a request for credentials that is redirected.
type redirectError struct{}

// Error says why.
func (redirectError) Error() string { return "a credential endpoint may not redirect" }

// RetryableError makes the SDK not retry.
func (redirectError) RetryableError() bool { return false }

// loadConfig reads what the environment says. Each request for credentials, or for a
// region, has the time limit: the SDK's credentials cache does not pass the caller's
// deadline on.
func loadConfig(ctx context.Context, timeout time.Duration, options ...func(*config.LoadOptions) error) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTimeout(timeout).WithTransportOptions(refuseRedirects)
	return config.LoadDefaultConfig(ctx, append(options,
		config.WithLogger(logging.Nop{}),
		config.WithHTTPClient(client),
		// Container credentials have a client of their own.
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = client }))...)
}

// refuseRedirects makes the requests of t fail that a redirect leads to: they would carry
// the token of a credential endpoint to another host. The SDK's client follows some
// redirects, and must be the SDK's client for the user's CA bundle. Proxy is asked about
// every request, except over HTTP/2 connections that are open.
func refuseRedirects(t *http.Transport) {
	proxy := t.Proxy
	t.Proxy = func(r *http.Request) (*url.URL, error) {
		if r.Response != nil {
			return nil, redirectError{}
		}
		return proxy(r)
	}
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.TLSClientConfig.NextProtos = nil // or the SDK's copying of transports has added HTTP/2
}

// newHTTPClient returns the client that sends requests, with the transport of cfg, which
// has the user's CA bundle. The number of idle connections has no limit of its own: that
// of attempts at a time, which can change, bounds it. Like the SDK's own client it follows
// no redirects.
func newHTTPClient(cfg aws.Config) *http.Client {
	base, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		base = awshttp.NewBuildableClient()
	}
	t := base.GetTransport()
	t.Protocols = nil // with HTTP/2
	t.MaxIdleConns = 0
	t.MaxIdleConnsPerHost = math.MaxInt
	t.MaxResponseHeaderBytes = maxHeaderBytes
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// checkEndpoint returns an error for options with which the SDK would refuse every call.
func checkEndpoint(o sdk.Options) error {
	fips := o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled
	dual := o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled
	if o.BaseEndpoint != nil && (fips || dual) {
		return errors.New("a custom endpoint (endpoint_url, AWS_ENDPOINT_URL_IMAGEBUILDER or AWS_ENDPOINT_URL) cannot be combined with AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT; set the URL of the FIPS or dual-stack endpoint, or remove the custom endpoint")
	}
	return nil
}

// metadataTimeout bounds the request for instance metadata, which nobody answers outside
// of EC2.
const metadataTimeout = 5 * time.Second

// DefaultRegion returns the region that the SDK finds in the environment, in the
// AWS configuration file, or in the instance metadata, and the empty string when
// there is none. It fails when the configuration file cannot be read.
func DefaultRegion(ctx context.Context) (string, error) {
	cfg, err := loadConfig(ctx, metadataTimeout)
	if err != nil {
		return "", fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if cfg.Region != "" {
		return cfg.Region, nil
	}
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	// Not on EC2, or without metadata, this fails: then there is no region.
	cfg, _ = loadConfig(ctx, metadataTimeout, config.WithEC2IMDSRegion(func(o *config.UseEC2IMDSRegion) { o.Client = imds.NewFromConfig(cfg) }))
	return cfg.Region, nil
}
