package emulator

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// signer is what a request's signature says about its caller.
type signer struct {
	accessKey string
	token     string // the session token, "" for credentials that last
	region    string
	at        time.Time // by the caller's clock
}

var (
	authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/, ]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$`)
	amzDate       = regexp.MustCompile(`^(\d{8})T\d{6}Z$`)
)

// checkSignature returns who signed r, or the service's refusal when r does not bear
// a signature, version 4, for the service that it goes to. It checks form, service,
// date and the headers that must be signed; the signature itself cannot be checked,
// for an emulator knows no secret keys.
func checkSignature(r *http.Request) (signer, error) {
	forbidden := func(code, message string) (signer, error) {
		return signer{}, &refusal{http.StatusForbidden, code, message}
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return forbidden("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	parts := authorization.FindStringSubmatch(header)
	date := amzDate.FindStringSubmatch(r.Header.Get("X-Amz-Date"))
	if parts == nil || date == nil {
		return forbidden("IncompleteSignatureException", "The request signature does not conform to AWS standards.")
	}
	service := "imagebuilder"
	if isSTS(r) {
		service = "sts"
	}
	at, err := time.Parse("20060102T150405Z", date[0])
	switch {
	case parts[2] != date[1] || err != nil:
		return forbidden("InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
	case parts[4] != service:
		return forbidden("InvalidSignatureException", "Credential should be scoped to correct service: '"+service+"'.")
	}
	signed := ";" + parts[5] + ";"
	if !strings.Contains(signed, ";host;") || !strings.Contains(signed, ";x-amz-date;") {
		return forbidden("IncompleteSignatureException", "'Host' and 'X-Amz-Date' must be signed.")
	}
	return signer{accessKey: parts[1], token: r.Header.Get("X-Amz-Security-Token"), region: parts[3], at: at}, nil
}

// isSTS reports whether r goes to STS: its protocol knows one path only.
func isSTS(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Path == "/" }
