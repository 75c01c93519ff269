package lookup

import (
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/schedule"
)

// What is followed is decided here, in this order:
//
//	Selection ─▶ configured executions                    (Select)
//	          ─▶ list of pipelines ─▶ a source for each   (selectSources)
//	          ─▶ a source for each image                  (selectImages)
//	          ─▶ list of images ─▶ a source for each of their newest versions
//	             that pipelines do not tell of            (chooseVersions)
//	sources   ─▶ builds, each told by one source or more  (tell, follow)
//	builds    ─▶ executions ─▶ steps                      (builds.go, steps.go)

// Select replaces what t looks up, and how often. What is known of that which stays in the
// selection is kept. What leaves it is forgotten, and no scrape waits for it any longer.
// What is new is asked for at the next scrape.
func (t *Target) Select(s Selection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.c.Selection = s
	t.schedule.SetPace(schedule.Pace{
		Foreground: s.MinInterval, Background: s.DiscoveryInterval, Retry: s.MinInterval, MaxStaleness: s.MaxStaleness,
	})
	t.selectExecutions()
	t.selectImages(now)
	t.selectPipelines(now)
	t.selectImageNames(now)
	t.selectWaiting()
	t.paceDiscovery(now)
	t.updateFreshness(now)
	t.selectSteps(now)
	t.derived.outdated = true
	t.derive(now)
}

// selectExecutions makes t ask for the executions that are selected by their ids.
func (t *Target) selectExecutions() {
	before := t.configured
	t.configured = make(map[string]*configured, len(t.c.WorkflowExecutions))
	for _, id := range t.c.WorkflowExecutions {
		x := before[id]
		if x == nil {
			x = newConfigured(t, id)
			t.schedule.Add(&x.Entry, x)
		}
		t.configured[id] = x
	}
	for id, x := range before {
		if t.configured[id] == nil {
			t.schedule.Remove(&x.Entry)
			t.dismissSteps(id)
		}
	}
	if some := len(t.configured) > 0; some != (len(before) > 0) {
		for _, s := range t.sources {
			s.forgetMade()
			if some && s.ofPipeline() {
				s.AskNow() // for t.made
			}
		}
	}
}

// selectImages makes t ask for the images that are selected by their ARNs.
func (t *Target) selectImages(now time.Time) {
	selected := make(map[string]bool, len(t.c.Images))
	for _, arn := range t.c.Images {
		selected[arn] = true
		if s := t.sources[arn]; s != nil {
			if s.builds == 0 {
				s.builds = 1
				s.AskNow()
			}
			continue
		}
		if b := t.builds[arn]; b != nil {
			b.dismissDetails() // the same question
		}
		t.addSource(newImageSource(t, arn))
	}
	for arn, s := range t.sources {
		if s.ofPipeline() || selected[arn] || s.builds == 0 {
			continue
		}
		if s.builds = 0; s.name == nil {
			t.removeSource(s, now)
		} else {
			s.name.follow(now)
		}
	}
}

// selectPipelines makes t ask which pipelines there are, if some are to be selected.
func (t *Target) selectPipelines(now time.Time) {
	some := len(t.c.Pipelines) > 0
	switch {
	case some && t.pipelines == nil:
		t.pipelines = &pipelineList{question: newQuestion(t, imagebuilder.ListImagePipelines, "")}
		t.schedule.Add(&t.pipelines.Entry, t.pipelines)
	case t.pipelines != nil:
		t.pipelines.choose(t.c.Pipelines)
		t.selectSources(now)
	}
	if !some && t.pipelines != nil {
		t.schedule.Remove(&t.pipelines.Entry)
		t.pipelines = nil
	}
}

// selectSources makes t ask for the builds of the pipelines that are selected, and of no
// others.
func (t *Target) selectSources(now time.Time) {
	for arn, s := range t.sources {
		if s.ofPipeline() && t.pipelines.builds[arn] == 0 {
			t.removeSource(s, now)
		}
	}
	for arn, builds := range t.pipelines.builds {
		s := t.sources[arn]
		if s == nil {
			s = newPipelineSource(t, arn)
			t.addSource(s)
		}
		if s.builds != builds {
			s.builds = builds
			s.AskNow()
		}
	}
}

func (t *Target) addSource(s *source) {
	t.sources[s.Subject.ID], s.addedAt = s, time.Now()
	t.schedule.Add(&s.Entry, s)
}

func (t *Target) removeSource(s *source, now time.Time) {
	t.tell(s, nil, now)
	s.forgetMade()
	if s.ofPipeline() {
		t.outdateVersions() // those that it has told of
	}
	delete(t.sources, s.Subject.ID)
	t.schedule.Remove(&s.Entry)
	if b := t.builds[s.Subject.ID]; b != nil { // which pipeline made it is told by s no more
		t.follow(b, now)
	}
}

// updateFreshness takes in which sources have become stale or fresh. The builds of a
// pipeline are fresh only while it is known that the pipeline is selected, and those of a
// version only while it is known that a selector of images selects it.
func (t *Target) updateFreshness(now time.Time) {
	pipelines, images := t.pipelines != nil && t.pipelines.Fresh(now), t.images != nil && t.images.Fresh(now)
	for _, s := range t.sources {
		if s.listed = pipelines; !s.ofPipeline() {
			s.listed = images || s.builds > 0
		}
		s.Paused = !s.listed
		if fresh := s.listed && s.Fresh(now); fresh != s.fresh {
			s.fresh = fresh
			if s.ofPipeline() {
				t.outdateVersions()
			}
			t.followAll(s.images, now)
		}
	}
	t.chooseVersions(now)
}

// tell makes images what s says, and follows the builds that this concerns.
func (t *Target) tell(s *source, images []*imagebuilder.Image, now time.Time) {
	lastTold, before := s.toldAt, s.images
	s.images, s.toldAt, s.fresh = images, s.ReadAt, s.listed && s.Fresh(now)
	told := make(map[string]bool, len(images))
	for _, image := range images {
		told[image.ARN] = true
		b := t.builds[image.ARN]
		if b == nil {
			b = newBuild(t, image, now)
			b.failedUnreported = image.Status.Failed() && !lastTold.IsZero() && image.Created.After(lastTold)
			t.builds[image.ARN] = b
			t.schedule.Add(&b.Entry, b)
		}
		b.told[s] = image
	}
	before = slices.DeleteFunc(before, func(image *imagebuilder.Image) bool { return told[image.ARN] })
	for _, image := range before {
		delete(t.builds[image.ARN].told, s)
	}
	t.followAll(before, now)
	t.followAll(images, now)
}

// followAll makes t follow the builds of images as their sources say.
func (t *Target) followAll(images []*imagebuilder.Image, now time.Time) {
	for _, image := range images {
		t.follow(t.builds[image.ARN], now)
	}
}

// follow makes t follow b as its sources say, or no longer when there are none.
func (t *Target) follow(b *build, now time.Time) {
	t.derived.outdated = true
	if len(b.told) == 0 {
		t.dismissBuild(b)
		return
	}
	b.setSelected()
	b.update(now)
	b.followPipeline()
	b.followDetails()
	b.reportFailure()
}

// discoveries yields the questions that the selection is read with.
func (t *Target) discoveries(yield func(*question) bool) {
	if t.pipelines != nil && !yield(&t.pipelines.question) {
		return
	}
	if t.images != nil && !yield(&t.images.question) {
		return
	}
	for _, s := range t.sources {
		if !yield(&s.question) {
			return
		}
	}
}
