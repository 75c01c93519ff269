package imagebuilder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// credentials are those of a Client. A failure to get them is an errNoCredentials,
// unless the caller gave up. Its methods may be called concurrently.
type credentials struct {
	// reload, when not nil, looks for credentials anew. The SDK decides once where
	// they come from, so it would never see those that come later.
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
				c.use(later)
				return v, nil
			}
		}
	}
	if role := (roleError{}); errors.As(err, &role) {
		return v, err
	}
	return v, fmt.Errorf("%w: %w", errNoCredentials, err)
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

// expireInterval is the least time between two replacements of credentials that are
// refused: new ones may be refused, too.
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

func (c *credentials) use(p aws.CredentialsProvider) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = p
}
