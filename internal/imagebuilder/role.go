package imagebuilder

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Role is an IAM role that a Client assumes. The zero value is no role.
type Role struct {
	ARN         string
	ExternalID  string // secret; empty for none
	SessionName string // empty means imagebuilder_exporter
}

const (
	// roleDuration is how long the credentials of a role last. Every role allows it,
	// also one that another role assumes (API reference of AssumeRole).
	roleDuration = time.Hour
	// roleRenewal is how long before their end they are replaced.
	roleRenewal = 5 * time.Minute
)

// newSTS returns a client of STS that asks with these credentials. Its attempts are
// counted like all others, but wait for no turn: nothing else can go on before a role is
// assumed.
func newSTS(cfg aws.Config, c ClientConfig, as *credentials) *sts.Client {
	attempts := &attempts{
		target: c.Target, region: c.Region, metrics: c.Metrics,
		gate: newGate(Limits{Concurrency: math.MaxInt, Burst: 1}),
	}
	return sts.NewFromConfig(cfg, func(o *sts.Options) {
		o.Credentials = as
		if c.STSEndpointURL != "" {
			o.BaseEndpoint = &c.STSEndpointURL
		}
		o.APIOptions = append(o.APIOptions, attempts.install)
	})
}

// assumeRole returns the credentials of a role, which base assumes. They are kept for as
// long as they are valid.
func assumeRole(client *sts.Client, role Role, base *credentials, timeout *atomic.Int64) *credentials {
	provider := stscreds.NewAssumeRoleProvider(client, role.ARN, func(o *stscreds.AssumeRoleOptions) {
		o.Duration = roleDuration
		o.RoleSessionName = cmp.Or(role.SessionName, "imagebuilder_exporter")
		if role.ExternalID != "" {
			o.ExternalID = &role.ExternalID
		}
	})
	p := &roleProvider{provider: provider, base: base, role: role, timeout: timeout}
	return &credentials{current: aws.NewCredentialsCache(p, func(o *aws.CredentialsCacheOptions) {
		o.ExpiryWindow = roleRenewal
	})}
}

// roleProvider assumes a role. Its errors are failures with a roleError.
type roleProvider struct {
	provider aws.CredentialsProvider
	base     *credentials // that assume it
	role     Role
	timeout  *atomic.Int64             // a time.Duration
	end      atomic.Pointer[time.Time] // of the last credentials
}

// Retrieve implements aws.CredentialsProvider. It takes at most the timeout: the cache
// above it does not pass the caller's deadline on.
func (p *roleProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	var v aws.Credentials
	err := do(ctx, p.timeout, nil, func(ctx context.Context) (err error) {
		v, err = p.provider.Retrieve(ctx)
		return err
	})
	if err != nil {
		// Whatever STS refuses leaves the target without credentials.
		cause := failureOf(err)
		failed := &failure{class: Denied, code: cause.code, error: roleError{p.role, err}}
		if cause.class == Throttled || cause.class == Unavailable {
			failed.class = cause.class
		}
		if credentialsExpired(failed.code) {
			p.base.expire()
		}
		return aws.Credentials{}, failed
	}
	p.end.Store(&v.Expires)
	return v, nil
}

// HandleFailToRefresh implements aws.HandleFailRefreshCredentialsCacheStrategy: the
// previous credentials are used until their end, and new ones are requested every minute.
func (p *roleProvider) HandleFailToRefresh(_ context.Context, previous aws.Credentials, err error) (aws.Credentials, error) {
	end := p.end.Load()
	if end == nil || !previous.HasKeys() || !time.Now().Before(*end) {
		return previous, err
	}
	previous.Expires = time.Now().Add(min(time.Until(*end), time.Minute) + roleRenewal) // which the cache takes off again
	return previous, nil
}

// roleError is the failure to assume a role.
type roleError struct {
	role Role
	err  error
}

// Error says which role. STS may repeat the external id that it was sent.
func (e roleError) Error() string {
	text := fmt.Sprintf("assuming the role %s: %v", e.role.ARN, e.err)
	if e.role.ExternalID != "" {
		text = strings.ReplaceAll(text, e.role.ExternalID, "***")
	}
	return text
}

// Unwrap returns the cause.
func (e roleError) Unwrap() error { return e.err }
