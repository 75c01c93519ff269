package imagebuilder

import (
	"cmp"
	"slices"
	"time"
)

// ImageStatus is the state of an image in the API's own words. Values that the API
// reference does not have pass through unchanged.
type ImageStatus string

// The states of the API reference (ImageState, "status").
const (
	ImagePending      ImageStatus = "PENDING"
	ImageCreating     ImageStatus = "CREATING"
	ImageBuilding     ImageStatus = "BUILDING"
	ImageTesting      ImageStatus = "TESTING"
	ImageDistributing ImageStatus = "DISTRIBUTING"
	ImageIntegrating  ImageStatus = "INTEGRATING"
	ImageAvailable    ImageStatus = "AVAILABLE"
	ImageCancelled    ImageStatus = "CANCELLED"
	ImageFailed       ImageStatus = "FAILED"
	ImageDeprecated   ImageStatus = "DEPRECATED"
	ImageDeleted      ImageStatus = "DELETED"
	ImageDisabled     ImageStatus = "DISABLED"
)

// ImageStatuses returns every state of the API reference, in alphabetical order.
func ImageStatuses() []ImageStatus {
	return []ImageStatus{
		ImageAvailable, ImageBuilding, ImageCancelled, ImageCreating, ImageDeleted, ImageDeprecated,
		ImageDisabled, ImageDistributing, ImageFailed, ImageIntegrating, ImagePending, ImageTesting,
	}
}

// Ended reports whether the build of an image in this state is over. Only RetryImage
// begins it anew, from FAILED or CANCELLED. A state that is not known is not the end.
func (s ImageStatus) Ended() bool {
	switch s {
	case ImageAvailable, ImageCancelled, ImageFailed, ImageDeprecated, ImageDeleted, ImageDisabled:
		return true
	}
	return false
}

// Known reports whether the API reference has this state.
func (s ImageStatus) Known() bool { return slices.Contains(ImageStatuses(), s) }

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

// Compare returns a number above 0 when i is the newer build of the two, below 0 when it
// is the older one. Builds of one moment, or without one, are told apart by version and
// build number.
func (i *Image) Compare(other *Image) int {
	return cmp.Or(i.Created.Compare(other.Created), compareVersions(i.Build.Version, other.Build.Version), cmp.Compare(i.ARN, other.ARN))
}
