package imagebuilder

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
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
		return config.LoadDefaultConfig(ctx,
			config.WithRegion(c.Region),
			config.WithLogger(logging.Nop{}),
			// Bounds the requests for credentials: the SDK's credentials cache does not
			// pass the caller's deadline on.
			config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(c.Timeout)))
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
		return errors.New("an endpoint of its own (endpoint_url, AWS_ENDPOINT_URL_IMAGEBUILDER or AWS_ENDPOINT_URL) cannot be combined with AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT; name the wanted endpoint itself, or leave it to the SDK")
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
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	if err != nil {
		return "", fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if cfg.Region != "" {
		return cfg.Region, nil
	}
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	// Not on EC2, or without metadata, this fails: then there is no region.
	cfg, _ = config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}), config.WithEC2IMDSRegion())
	return cfg.Region, nil
}
