package check

import (
	"errors"
	"net"
	"regexp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// denial matches the error codes with which AWS accepts the credentials and denies the call.
var denial = regexp.MustCompile(`(?i)^AccessDenied`)

// reasons are the sentences for error codes of STS that say what to do.
var reasons = []struct {
	codes    *regexp.Regexp
	sentence string
}{
	{denial, "STS denied the call; a policy of the identity, the organization or the VPC endpoint does not allow it"},
	{regexp.MustCompile(`(?i)^ExpiredToken`), "the credentials have expired; renew them"},
	{regexp.MustCompile(`(?i)^(InvalidClientTokenId|UnrecognizedClient)`), "AWS does not accept the access key; it is wrong, deleted, or not valid in this region"},
	{regexp.MustCompile(`(?i)^(SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|RequestExpired)`), "the signature is not valid; check the secret key and the clock of this machine"},
	{regexp.MustCompile(`(?i)^RegionDisabled`), "STS is not activated in this region; activate it for the account, or use another region"},
	{regexp.MustCompile(`(?i)^OptInRequired`), "the account is not subscribed to the service, or the region is not enabled for it"},
}

// reason returns a sentence that says why there are no credentials, or why STS, with which they are
// checked, gave no usable answer. It quotes nothing but AWS' error code.
func reason(err error) string {
	code := codeOf(err)
	for _, r := range reasons {
		if r.codes.MatchString(code) {
			return r.sentence
		}
	}
	if imagebuilder.NoCredentials(err) {
		return "no usable credentials were found; set them in the environment, a profile or a role of this machine"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && !dns.IsTimeout {
		return "the host name of STS cannot be resolved; check the region, DNS and AWS_ENDPOINT_URL_STS"
	}
	switch class := imagebuilder.ClassOf(err); {
	case class == imagebuilder.Throttled:
		return "STS throttled the request; try again"
	case class == imagebuilder.Unavailable && code != "":
		return "STS failed with " + code + "; try again"
	case class == imagebuilder.Unavailable:
		return "STS cannot be reached; check the network, proxies and the VPC endpoint of STS"
	case code != "":
		return "STS rejected the request with " + code
	}
	return "the answer did not come from STS; check AWS_ENDPOINT_URL_STS and proxies"
}

// deniedCall reports whether err says that AWS accepted the credentials and denied the call.
func deniedCall(err error) bool { return denial.MatchString(codeOf(err)) }

// codeOf returns the error code of AWS, empty for none.
func codeOf(err error) string {
	if e, ok := errors.AsType[*imagebuilder.Error](err); ok {
		return e.Code
	}
	return ""
}
