package imagebuilder

import (
	"cmp"
	"time"
)

// Image is one image build version as the API described it at one moment. A string
// that the API did not give is empty, a time is zero.
type Image struct {
	ARN       string            // never empty
	Build     ImageBuildVersion // what ARN says; never empty
	Status    ImageStatus       // never empty
	Reason    string            // of the status, for people
	Platform  string            // Linux, Windows, macOS
	Type      string            // AMI, DOCKER
	BuildType string            // SCHEDULED, USER_INITIATED, IMPORT, ...
	Created   time.Time
	Outputs   []Output // each once, in the API's order

	// The pipeline that made it; empty where the API does not tell, as in lists.
	SourcePipelineARN, SourcePipelineName string
}

// Output is one thing that a build has made: an AMI or a container image.
type Output struct {
	Region string
	ID     string // ami-… or the URI of a container image
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
