package imagebuilder

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// credentials are those of a Client. An error of theirs is a failure, unless the caller
// gave up: of a role that cannot be assumed, or an errNoCredentials. Its methods may be
// called concurrently.
type credentials struct {
	// reload, when not nil, looks for credentials again. The SDK decides once where
	// they come from, so it would never see those that are added later.
	reload func(context.Context) (aws.CredentialsProvider, error)

	mu      sync.Mutex
	current aws.CredentialsProvider
	expired time.Time // when expire last dropped something
}

// Retrieve implements aws.CredentialsProvider.
func (c *credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	v, err := c.provider().Retrieve(ctx)
	if err == nil || ctx.Err() != nil {
		return v, err
	}
	if c.reload != nil {
		if later, reloadErr := c.reload(ctx); reloadErr == nil {
			if v, err := later.Retrieve(ctx); err == nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.current = later
				return v, nil
			}
		}
	}
	if has[*failure](err) { // of a role
		return v, err
	}
	return v, noCredentials(err)
}

// noCredentials is the failure to get credentials. Its class is Denied, unless the error
// code of their source says otherwise.
func noCredentials(err error) *failure {
	code := apiCode(err)
	class, _, ok := classOfCode(code)
	if !ok {
		class = Denied
	}
	return &failure{class: class, code: code, error: fmt.Errorf("%w: %w", errNoCredentials, err)}
}

func (c *credentials) provider() aws.CredentialsProvider {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// credentialsExpired reports whether an error code says that the credentials are no
// longer accepted, although they may seem to be valid.
func credentialsExpired(code string) bool {
	return strings.HasPrefix(code, "ExpiredToken") || code == "UnrecognizedClientException" || code == "InvalidClientTokenId"
}

// expireInterval is the least time between two replacements of refused credentials,
// because the new ones may be refused, too.
const expireInterval = time.Minute

// expire drops the credentials that are cached, so that the next call gets new ones.
func (c *credentials) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cache, ok := c.current.(*aws.CredentialsCache); ok && time.Since(c.expired) >= expireInterval {
		c.expired = time.Now()
		cache.Invalidate()
	}
}
