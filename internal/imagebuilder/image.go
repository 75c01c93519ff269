package imagebuilder

import (
	"cmp"
	"path"
	"slices"
	"time"
)

// Image is one image build version as the API described it at one moment. A string
// that the API did not give is empty, a time is zero.
type Image struct {
	ARN        string            // never empty
	Build      ImageBuildVersion // what ARN says; never empty
	Status     ImageStatus       // never empty
	Reason     string            // of the status, for people
	Platform   string            // Linux, Windows, macOS
	Type       string            // AMI, DOCKER
	BuildType  string            // SCHEDULED, USER_INITIATED, IMPORT, ...
	Created    time.Time
	Outputs    []Output  // each once, in the API's order
	Deprecates time.Time // when it is to become DEPRECATED, or became it
	LogGroup   string    // of its logs in CloudWatch
	Tags       map[string]string

	// Failure says why it failed. It is nil if it has not failed, or if the API does not say why.
	Failure *Failure

	// The pipeline that made it; empty if the API does not return it, as in lists.
	SourcePipelineARN, SourcePipelineName string
}

// Output is one thing that a build has made: an AMI or a container image.
type Output struct {
	Region    string
	ID        string // ami-… or the URI of a container image
	AccountID string // whose it is; empty for a container image
	State     string // of an AMI, in the API's own words
	Reason    string // of the state, for people
}

// ImageVersion is a version of an image: what all of its builds have in common.
type ImageVersion struct {
	ARN     string    // never empty
	Name    string    // as its owner wrote it, with upper case and spaces; never empty
	Created time.Time // zero when not given
}

// NewestFirst sorts versions of one image by their creation, the newest first, and those of
// one moment by their numbers. When a creation is missing, the numbers alone count.
func NewestFirst(versions []ImageVersion) {
	dated := !slices.ContainsFunc(versions, func(v ImageVersion) bool { return v.Created.IsZero() })
	slices.SortFunc(versions, func(a, b ImageVersion) int {
		byDate := 0
		if dated {
			byDate = b.Created.Compare(a.Created)
		}
		return cmp.Or(byDate, compareVersions(path.Base(b.ARN), path.Base(a.ARN)), cmp.Compare(a.ARN, b.ARN))
	})
}

// WasGood reports whether i has become AVAILABLE at some time. Of an image that was DELETED
// since, its outputs tell.
func (i *Image) WasGood() bool {
	return i.Status.Good() || i.Status == imageDeleted && len(i.Outputs) > 0
}

// Compare returns a number above 0 when i is the newer build of the two, below 0 when it
// is the older one. Builds of one moment, or without one, are told apart by version and
// build number.
func (i *Image) Compare(other *Image) int {
	return cmp.Or(i.Created.Compare(other.Created), compareVersions(i.Build.Version, other.Build.Version), cmp.Compare(i.ARN, other.ARN))
}
