package lookup

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// source asks which builds there are of a pipeline or of an image version, or about one
// build.
type source struct {
	question
	builds int        // how many that have ended are followed; 0 when only selectors of images ask
	name   *imageName // whose version it asks about; nil when no selector of images asks
	listed bool       // whether it is known that its pipeline, or its version, is selected; else true
	fresh  bool       // whether what it says is fresh, and listed

	addedAt   time.Time              // when it was selected
	pipeline  *imagebuilder.Pipeline // whose builds it asks for, as it was listed last; nil for not yet, or none
	runListed time.Time              // when the list told of another run than before, zero for never

	found       []*imagebuilder.Image  // those that may be followed, the newest first
	images      []*imagebuilder.Image  // those to follow, the newest first
	toldAt      time.Time              // when that was read, zero for never
	versions    map[string]madeVersion // that a pipeline has made, by ARN, where images are selected
	made        []string               // the ARNs of all builds, where Target.made needs them
	newestGood  time.Time              // creation of the newest one that was ever good, zero for none
	lastSuccess time.Time              // creation of the newest good one, zero for none
	failedInRow *int                   // the newest ones that have ended and failed; nil for no build at all
}

func newPipelineSource(t *Target, arn string) *source {
	return &source{question: newQuestion(t, imagebuilder.ListImagePipelineImages, arn), listed: true}
}

// newImageSource returns what asks for the builds that an ARN of Selection.Images stands
// for.
func newImageSource(t *Target, arn string) *source {
	s := newVersionSource(t, arn)
	parsed, err := imagebuilder.ParseImageARN(arn)
	if err != nil {
		panic(err) // Selection says that it can be parsed
	}
	if parsed.Build {
		s.question = newQuestion(t, imagebuilder.GetImage, arn)
	}
	s.builds = 1
	return s
}

// newVersionSource returns what asks for the builds of an image version.
func newVersionSource(t *Target, arn string) *source {
	return &source{question: newQuestion(t, imagebuilder.ListImageBuildVersions, arn), listed: true}
}

// ofPipeline reports whether s asks for the builds of a pipeline.
func (s *source) ofPipeline() bool { return s.operation == imagebuilder.ListImagePipelineImages }

// ofOneBuild reports whether s asks about one build.
func (s *source) ofOneBuild() bool { return s.operation == imagebuilder.GetImage }

// pipelineARN returns the ARN of the pipeline whose builds s asks for, empty for none.
func (s *source) pipelineARN() string {
	if s.ofPipeline() {
		return s.Subject.ID
	}
	return ""
}

// Ask implements schedule.Question.
func (s *source) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	images, err := s.list(ctx, s.target.c.Client, started)
	return func(now time.Time) { s.take(images, now) }, err
}

func (s *source) list(ctx context.Context, c Client, started func()) ([]imagebuilder.Image, error) {
	switch {
	case s.ofPipeline():
		return c.ListImagePipelineImages(ctx, s.Subject.ID, started)
	case s.ofOneBuild():
		image, err := c.GetImage(ctx, s.Subject.ID, started)
		return []imagebuilder.Image{image}, err
	}
	return c.ListImageBuildVersions(ctx, s.Subject.ID, started)
}

func (s *source) take(images []imagebuilder.Image, now time.Time) {
	slices.SortFunc(images, func(a, b imagebuilder.Image) int { return b.Compare(&a) })
	s.measure(len(images), now)
	s.lastSuccess, s.newestGood, s.failedInRow = time.Time{}, time.Time{}, failedInRow(images)
	all := make([]*imagebuilder.Image, len(images))
	for i := range images {
		image := &images[i]
		all[i] = image
		if image.Status.Good() && image.Created.After(s.lastSuccess) {
			s.lastSuccess = image.Created
		}
		if image.WasGood() && image.Created.After(s.newestGood) {
			s.newestGood = image.Created
		}
	}
	s.target.derived.outdated = true
	s.forgetMade()
	if len(s.target.configured) > 0 && s.ofPipeline() {
		s.keepMade(images)
	}
	if s.target.images != nil && s.ofPipeline() {
		s.keepVersions(images)
	}
	s.keep(pick(all, s.selectors()...))
	s.tellFound(now)
	s.target.chooseVersions(now)
}

// selectors returns what decides which builds of s may be followed.
func (s *source) selectors() []*Selector {
	var all []*Selector
	if s.builds > 0 {
		all = append(all, &Selector{Builds: s.builds})
	}
	if s.name != nil {
		all = append(all, s.name.selectors...)
	}
	return all
}

// own returns the builds that s follows whatever selectors of images say.
func (s *source) own() []*imagebuilder.Image {
	if s.builds == 0 {
		return nil
	}
	return pick(s.found, &Selector{Builds: s.builds})
}

// tellFound makes those of the builds that s has found what it tells that are to be followed.
func (s *source) tellFound(now time.Time) {
	if s.name != nil {
		s.name.follow(now)
		return
	}
	s.target.tell(s, s.own(), now)
}

// keep makes found what s has found. What is the same as before keeps its pointer, and of the rest
// copies are kept, so that the whole list is not.
func (s *source) keep(found []*imagebuilder.Image) {
	before := make(map[string]*imagebuilder.Image, len(s.found))
	for _, image := range s.found {
		before[image.ARN] = image
	}
	for i, image := range found {
		if same := before[image.ARN]; same != nil && reflect.DeepEqual(same, image) {
			found[i] = same
		} else {
			found[i] = new(*image)
		}
	}
	s.found = found
}

// failedInRow counts the newest of images, the newest first, that have ended and failed.
// Those that were cancelled are passed over. It returns nil when there is no image.
func failedInRow(images []imagebuilder.Image) *int {
	if len(images) == 0 {
		return nil
	}
	n := new(int)
	for i := range images {
		switch status := images[i].Status; {
		case status.Failed():
			*n++
		case status.Ended() && status != imagebuilder.ImageCancelled:
			return n
		}
	}
	return n
}

// Failed implements schedule.Question: another source may be better now, and what is not
// found says nothing.
func (s *source) Failed(now time.Time) {
	if !s.HasAnswer {
		s.found = nil
	}
	if !s.HasAnswer || s.name != nil {
		s.tellFound(now)
	}
	s.target.followAll(s.images, now)
	s.target.derived.outdated = true
	s.target.chooseVersions(now)
}

// madeBuild is what is known of a build that need not be followed.
type madeBuild struct {
	pipelineARN string
	created     time.Time
}

// keepMade puts all builds of s into Target.made.
func (s *source) keepMade(images []imagebuilder.Image) {
	for i := range images {
		s.made = append(s.made, images[i].ARN)
		s.target.made[images[i].ARN] = madeBuild{pipelineARN: s.Subject.ID, created: images[i].Created}
	}
}

// forgetMade takes the builds of s out of Target.made.
func (s *source) forgetMade() {
	for _, arn := range s.made {
		delete(s.target.made, arn)
	}
	s.made = nil
}
