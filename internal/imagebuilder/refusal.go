package imagebuilder

import (
	"errors"
	"net/http"
	"strings"
)

// refusalCodes are the beginnings, in lower case, of the error codes that refuse one
// operation or one subject to credentials that were accepted. Every other code of class
// Denied is about the credentials themselves.
var refusalCodes = []string{"accessdenied", "forbidden", "notauthorized"}

// CredentialsRefused reports whether err says that there are no credentials, or that they
// are not accepted, so that no operation can succeed. It is false for what accepted
// credentials do not allow.
func CredentialsRefused(err error) bool {
	var e *Error
	if !errors.As(err, &e) || e.Class != Denied {
		return false
	}
	if role := (roleError{}); e.Operation == Authenticate || errors.Is(err, errNoCredentials) || errors.As(err, &role) {
		return true
	}
	if e.Code == "" {
		return httpStatus(err) == http.StatusUnauthorized
	}
	for _, prefix := range refusalCodes {
		if strings.HasPrefix(strings.ToLower(e.Code), prefix) {
			return false
		}
	}
	return true
}
