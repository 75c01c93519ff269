package imagebuilder

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// sourceNames are the words for where the SDK finds credentials.
var sourceNames = map[aws.CredentialSource]string{
	aws.CredentialSourceCode:                 "static",
	aws.CredentialSourceEnvVars:              "environment",
	aws.CredentialSourceEnvVarsSTSWebIDToken: "web identity",
	aws.CredentialSourceSTSAssumeRole:        "assumed role",
	aws.CredentialSourceSTSAssumeRoleWebID:   "web identity",
	aws.CredentialSourceProfile:              "profile",
	aws.CredentialSourceProfileSourceProfile: "source profile",
	aws.CredentialSourceProfileNamedProvider: "profile",
	aws.CredentialSourceProfileSTSWebIDToken: "web identity",
	aws.CredentialSourceProfileSSO:           "sso",
	aws.CredentialSourceSSO:                  "sso",
	aws.CredentialSourceProfileSSOLegacy:     "sso",
	aws.CredentialSourceSSOLegacy:            "sso",
	aws.CredentialSourceProfileProcess:       "process",
	aws.CredentialSourceProcess:              "process",
	aws.CredentialSourceHTTP:                 "container",
	aws.CredentialSourceIMDS:                 "instance metadata",
	aws.CredentialSourceProfileLogin:         "login",
}

// CredentialsSource returns the name of the source of the credentials; with a Role, of the
// credentials that assume it. It does not get credentials. Several sources, such as a chain of
// profiles, are joined with commas.
func (c *Client) CredentialsSource() string {
	var names []string
	if provider, ok := c.base.provider().(aws.CredentialProviderSource); ok {
		for _, s := range provider.ProviderSources() {
			names = append(names, sourceNames[s])
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	return cmp.Or(strings.Join(slices.Compact(names), ", "), "unknown")
}

// Identity returns the ARN of the caller as AWS sees it: a user, or the session of a role.
// It needs no permission (API reference of GetCallerIdentity).
func (c *Client) Identity(ctx context.Context) (arn string, err error) {
	return c.identity(ctx, c.credentials)
}

// BaseIdentity is Identity for the credentials that assume the Role.
func (c *Client) BaseIdentity(ctx context.Context) (arn string, err error) {
	return c.identity(ctx, c.base)
}

func (c *Client) identity(ctx context.Context, as *credentials) (arn string, err error) {
	err = c.ask(ctx, getCallerIdentity, nil, func(ctx context.Context) error {
		out, err := c.sts(as).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return err
		}
		if arn = aws.ToString(out.Arn); arn == "" {
			return invalidAnswer(errors.New("the answer has no ARN"))
		}
		return nil
	})
	return arn, err
}
