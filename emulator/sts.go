package emulator

import (
	"cmp"
	"encoding/base32"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Role is a role that every caller can assume with AssumeRole of STS. Requests that are signed with
// its credentials see its Scenario.
type Role struct {
	ARN        string
	ExternalID string // "" when callers need none
	Scenario   Scenario
}

const accessKeyPrefix = "ASIA"

// accessKey returns a key that encodes the role and when the credentials expire.
func (r *Role) accessKey(expires time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], digest(r.ARN))
	binary.BigEndian.PutUint64(b[8:], uint64(expires.Unix()))
	return accessKeyPrefix + base32.StdEncoding.EncodeToString(append(b[:5:5], b[11:]...))
}

// sessionToken is what must come with the access key.
func (r *Role) sessionToken(accessKey string) string {
	return fmt.Sprintf("emulator-session-%016x", digest(r.ARN, accessKey))
}

// roleOf returns the role whose credentials signed a request, nil for none.
func (a *API) roleOf(s signer) (*Role, error) {
	text, ok := strings.CutPrefix(s.accessKey, accessKeyPrefix)
	b, err := base32.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(b) != 10 {
		return nil, nil
	}
	expires := time.Unix(int64(binary.BigEndian.Uint64(append(make([]byte, 3), b[5:]...))), 0)
	for i := range a.Roles {
		r := &a.Roles[i]
		switch {
		case r.accessKey(expires) != s.accessKey:
			continue
		case r.sessionToken(s.accessKey) != s.token:
			return nil, &refusal{http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is invalid."}
		case !s.at.Before(expires):
			return nil, &refusal{http.StatusForbidden, "ExpiredTokenException", "The security token included in the request is expired"}
		}
		return r, nil
	}
	return nil, nil
}

type assumeRoleResponse struct {
	XMLName         xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleResponse"`
	AssumedRoleID   string   `xml:"AssumeRoleResult>AssumedRoleUser>AssumedRoleId"`
	ARN             string   `xml:"AssumeRoleResult>AssumedRoleUser>Arn"`
	AccessKeyID     string   `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
	SecretAccessKey string   `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
	SessionToken    string   `xml:"AssumeRoleResult>Credentials>SessionToken"`
	Expiration      string   `xml:"AssumeRoleResult>Credentials>Expiration"`
	RequestID       string   `xml:"ResponseMetadata>RequestId"`
}

type stsError struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

type callerIdentityResponse struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	ARN       string   `xml:"GetCallerIdentityResult>Arn"`
	UserID    string   `xml:"GetCallerIdentityResult>UserId"`
	Account   string   `xml:"GetCallerIdentityResult>Account"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

// sts answers a request to STS.
func (q *request) sts() (any, error) {
	if answer := stsOperations[q.name]; answer != nil {
		return answer(q)
	}
	return nil, &refusal{http.StatusBadRequest, "InvalidAction", "Could not find operation " + q.name + " for version 2011-06-15"}
}

// stsOperations are by the Action of a request.
var stsOperations = map[string]func(*request) (any, error){
	"AssumeRole":        (*request).assumeRole,
	"GetCallerIdentity": (*request).callerIdentity,
}

// callerIdentity answers with the session of a role, or with a user who has none.
func (q *request) callerIdentity() (any, error) {
	account := cmp.Or(q.api.AccountID, "111122223333")
	answer := callerIdentityResponse{
		ARN: "arn:aws:iam::" + account + ":user/emulator", UserID: "AIDAEMULATOR", Account: account, RequestID: q.id,
	}
	if r := q.role; r != nil {
		answer.ARN, answer.UserID, answer.Account = r.session("emulator"), r.userID("emulator"), arnPart(r.ARN, 4)
	}
	return answer, nil
}

// session returns the ARN of a session of r.
func (r *Role) session(name string) string {
	return "arn:aws:sts::" + arnPart(r.ARN, 4) + ":assumed-role/" + r.ARN[strings.LastIndex(r.ARN, "/")+1:] + "/" + name
}

// userID returns the id of a session of r.
func (r *Role) userID(session string) string {
	return fmt.Sprintf("AROA%016X:%s", digest(r.ARN), session)
}

// assumeRole answers with credentials that end an hour, or DurationSeconds, from now
// by the caller's clock, because the caller replaces them in time.
func (q *request) assumeRole() (any, error) {
	form := q.input.form
	lasts := time.Hour
	if text := form.Get("DurationSeconds"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 900 || seconds > 43200 {
			return nil, &refusal{http.StatusBadRequest, "ValidationError", "The value of durationSeconds must be from 900 to 43200."}
		}
		lasts = time.Duration(seconds) * time.Second
	}
	session := form.Get("RoleSessionName")
	if len(session) < 2 {
		return nil, &refusal{http.StatusBadRequest, "ValidationError", "The value of roleSessionName must have 2 characters or more."}
	}
	for i := range q.api.Roles {
		r := &q.api.Roles[i]
		if r.ARN != form.Get("RoleArn") || r.ExternalID != "" && r.ExternalID != form.Get("ExternalId") {
			continue
		}
		expires := q.signer.at.Add(lasts)
		key := r.accessKey(expires)
		return assumeRoleResponse{
			ARN: r.session(session), AssumedRoleID: r.userID(session), AccessKeyID: key,
			SecretAccessKey: fmt.Sprintf("emulator-secret-%016x", digest(key)),
			SessionToken:    r.sessionToken(key), Expiration: Timestamp(expires), RequestID: q.id,
		}, nil
	}
	return nil, &refusal{http.StatusForbidden, "AccessDenied", "The caller is not authorized to perform: sts:AssumeRole on resource: " + form.Get("RoleArn")}
}
