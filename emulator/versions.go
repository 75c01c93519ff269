package emulator

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"time"
)

// version is one of an image's, as its newest build is.
type version struct {
	Image
	retired bool // a lifecycle policy has done something to each of its builds
}

func (v version) id() string { return path.Dir(v.ARN) }

// listedVersion is a row of ListImages. It has neither tags nor a state.
type listedVersion struct {
	ARN         string `json:"arn"`
	Name        string `json:"name"`
	Type        string `json:"type"`
	Version     string `json:"version"`
	Platform    string `json:"platform"`
	OSVersion   string `json:"osVersion"`
	Owner       string `json:"owner"`
	DateCreated string `json:"dateCreated,omitempty"`
	BuildType   string `json:"buildType"`
	ImageSource string `json:"imageSource"`
}

// owners are whose images a list can hold, by the account in their ARNs. The emulator does
// not know accounts that share their images.
var owners = map[string]*regexp.Regexp{
	"":               regexp.MustCompile(`^[0-9]{12}$`),
	"Self":           regexp.MustCompile(`^[0-9]{12}$`),
	"Amazon":         regexp.MustCompile(`^aws$`),
	"AWSMarketplace": regexp.MustCompile(`^aws-`),
	"ThirdParty":     regexp.MustCompile(`^aws-`),
	"Shared":         regexp.MustCompile(`^shared$`), // no account
}

// noOwner refuses an owner that there is not.
func noOwner(name string) error {
	return invalid("owner", fmt.Sprintf("%q is not one of Self, Shared, Amazon, ThirdParty, AWSMarketplace", name))
}

// listImages answers with the versions of images. What byName does is not documented: here,
// it changes nothing.
func (q *request) listImages() (any, error) {
	owner := owners[q.input.Owner]
	if owner == nil {
		return nil, noOwner(q.input.Owner)
	}
	all := slices.DeleteFunc(versions(q.scenario.ImageBuilds("", q.now), q.now), func(v version) bool {
		return !q.sees(v.ARN) || !owner.MatchString(arnPart(v.ARN, 4)) || v.retired && !q.input.IncludeDeprecated
	})
	all, err := filtered(q, all, versionFields)
	if err != nil {
		return nil, err
	}
	return page(q, answer{"requestId": q.id}, "imageVersionList", all, (*version).row)
}

// versions returns the versions of which these images are builds, the newest first.
func versions(images []Image, now time.Time) (all []version) {
	place := map[string]int{}
	for _, i := range newestFirst(images) {
		status := i.Status(now)
		v := version{i, status == "DEPRECATED" || status == "DISABLED" || status == "DELETED"}
		n, known := place[v.id()]
		if !known {
			place[v.id()], n = len(all), len(all)
			all = append(all, v)
		}
		all[n].retired = all[n].retired && v.retired
	}
	return all
}

// versionFields are what the filters of ListImages look at.
var versionFields = map[string]func(*version) []string{
	"name":      func(v *version) []string { return []string{v.name()} },
	"version":   func(v *version) []string { return []string{arnVersion(v.id())} },
	"platform":  func(v *version) []string { return []string{v.platform()} },
	"type":      func(v *version) []string { return []string{v.kind()} },
	"osVersion": func(v *version) []string { return []string{v.osVersion()} },
}

func (v *version) row() listedVersion {
	arn := v.id()
	return listedVersion{
		ARN: arn, Name: v.name(), Type: v.kind(), Version: arnVersion(arn), Platform: v.platform(), OSVersion: v.osVersion(),
		Owner: arnPart(arn, 4), DateCreated: timestamp(v.Created), BuildType: v.buildType(), ImageSource: "CUSTOM",
	}
}
