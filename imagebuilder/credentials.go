package imagebuilder

import (
	"context"
	"fmt"
	"sync"

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
	return v, fmt.Errorf("%w: %w", errNoCredentials, err)
}

func (c *credentials) provider() aws.CredentialsProvider {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

func (c *credentials) use(p aws.CredentialsProvider) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = p
}
