package imagebuilder

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestRefusedCredentialsAreReplacedOnceAMinute refuses them at these times.
func TestRefusedCredentialsAreReplacedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetched := 0
		source := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			fetched++
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, nil
		})
		c := &credentials{current: aws.NewCredentialsCache(source)}
		begin := time.Now()
		for _, refusal := range []struct {
			at      time.Duration
			fetched int // in all, after the next call
		}{
			{0, 2},
			{time.Second, 2},
			{time.Minute - time.Nanosecond, 2},
			{time.Minute, 3},
			{time.Minute + time.Second, 3},
			{2 * time.Minute, 4},
		} {
			<-time.After(time.Until(begin.Add(refusal.at)))
			for range 2 { // it has some, then they are refused
				if _, err := c.Retrieve(t.Context()); err != nil {
					t.Fatal(err)
				}
				c.expire()
			}
			if _, err := c.Retrieve(t.Context()); err != nil || fetched != refusal.fetched {
				t.Errorf("refused after %s: fetched %d times, want %d (%v)", refusal.at, fetched, refusal.fetched, err)
			}
		}
	})
}
