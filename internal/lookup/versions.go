package lookup

import (
	"context"
	"path"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// versionList asks which versions of images there are, for the selectors of images. The list
// has neither tags nor builds: the newest versions of each name are asked for theirs, but for
// those whose newest build a followed pipeline has made.
type versionList struct {
	question
	all      []imagebuilder.ImageVersion // as the API has listed them last
	since    time.Time                   // what pipelines have made up to then has to be known, see chooseVersions
	readAt   time.Time                   // when all was read, zero for never
	before   time.Time                   // when the list before was read, zero for never
	outdated bool                        // whether names do not follow from what is known
	names    []*imageName                // that a selector matches, nil until versions were chosen
	listing  int                         // how many names are listed
	unread   int                         // how many of names were not read
	matches  map[string]int              // how many names each selector matches, by its text
}

// Ask implements schedule.Question.
func (l *versionList) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	all, err := l.target.c.Client.ListImages(ctx, started)
	return func(now time.Time) { l.take(all, now) }, err
}

// Failed implements schedule.Question: what is refused is not waited for.
func (l *versionList) Failed(time.Time) { l.target.derived.outdated = true }

func (l *versionList) take(all []imagebuilder.ImageVersion, now time.Time) {
	l.target.derived.outdated = true
	l.all, l.outdated = all, true
	l.measure(len(all), now)
	l.before, l.readAt = l.readAt, now
	l.since = time.Time{}
	for i := range all {
		if all[i].Created.IsZero() {
			l.since = l.Begun
		}
		l.since = later(l.since, all[i].Created)
	}
	if l.since.After(l.Begun) {
		l.since = l.Begun
	}
	l.target.updateFreshness(now) // and choose
}

// outdateVersions makes chooseVersions choose again.
func (t *Target) outdateVersions() {
	if t.images != nil {
		t.images.outdated = true
	}
}

// chooseVersions makes t ask for the builds of the versions that the selectors of images
// need. It waits until the pipelines that are followed have told what they have made, so that
// nobody asks for that.
func (t *Target) chooseVersions(now time.Time) {
	if l := t.images; l != nil && l.outdated && !l.readAt.IsZero() && t.pipelinesReadSince(l.since) {
		l.choose(now)
	}
}

// pipelinesReadSince reports whether each list of pipelines and of their builds was read then
// or later, or cannot be read.
func (t *Target) pipelinesReadSince(at time.Time) bool {
	if t.pipelines != nil && !t.pipelines.readSince(at) {
		return false
	}
	for _, s := range t.sources {
		if s.ofPipeline() && (!s.readSince(at) || s.versions == nil && !s.Failing && !s.Paused) {
			return false
		}
	}
	return true
}

func (q *question) readSince(at time.Time) bool {
	return q.Failing || q.Paused || q.HasAnswer && !q.ReadAt.Before(at)
}

// choose chooses the versions whose builds are asked for.
func (l *versionList) choose(now time.Time) {
	l.outdated, l.names, l.unread = false, []*imageName{}, 0
	made, byName := l.target.madeVersions(), byName(l.all)
	l.listing = len(byName)
	chosen := map[string]bool{}
	for _, versions := range byName {
		imagebuilder.NewestFirst(versions)
		n := newImageName(l, versions[0].Name) // as the newest one has it
		if len(n.selectors) == 0 {
			continue
		}
		for _, v := range versions[:min(n.most(), len(versions))] {
			if m, ok := made[v.ARN]; ok && !v.Created.IsZero() && !m.created.Before(v.Created) {
				n.versions = append(n.versions, chosenVersion{tags: m.tags})
				continue
			}
			chosen[v.ARN] = true
			n.versions = append(n.versions, chosenVersion{source: n.ask(v.ARN, now)})
		}
		l.names, l.unread = append(l.names, n), l.unread+1
	}
	for arn, s := range l.target.sources {
		if s.name != nil && !chosen[arn] {
			l.target.dropVersion(s, now)
		}
	}
	for _, n := range l.names {
		n.follow(now)
	}
	l.count()
}

// byName returns versions by what the ARNs of one image have in common.
func byName(all []imagebuilder.ImageVersion) map[string][]imagebuilder.ImageVersion {
	names := map[string][]imagebuilder.ImageVersion{}
	for _, v := range all {
		name := path.Dir(v.ARN)
		names[name] = append(names[name], v)
	}
	return names
}

// dropVersion ends that selectors of images ask for the builds of s. A version that is
// selected by its ARN, too, stays.
func (t *Target) dropVersion(s *source, now time.Time) {
	s.name = nil
	if s.builds == 0 {
		t.removeSource(s, now)
		return
	}
	s.tellFound(now)
}

// madeVersion is the newest build of a version that a pipeline has made.
type madeVersion struct {
	created time.Time
	tags    map[string]string
}

// madeVersions returns the versions that pipelines have made, by ARN, as far as that is fresh.
func (t *Target) madeVersions() map[string]madeVersion {
	all := map[string]madeVersion{}
	for _, s := range t.sources {
		if !s.fresh {
			continue
		}
		for arn, v := range s.versions {
			if v.created.After(all[arn].created) {
				all[arn] = v
			}
		}
	}
	return all
}

// keepVersions takes in which versions a pipeline has made, of which images are all builds,
// the newest first.
func (s *source) keepVersions(images []imagebuilder.Image) {
	s.versions = map[string]madeVersion{}
	for i := range images {
		arn := path.Dir(images[i].ARN)
		if _, newer := s.versions[arn]; !newer {
			s.versions[arn] = madeVersion{images[i].Created, images[i].Tags}
		}
	}
}

// count takes in how many names each selector matches. With tags that is known when all names
// were read; until then what was known stays.
func (l *versionList) count() {
	before := l.matches
	l.matches = map[string]int{}
	for _, s := range l.target.c.ImageSelectors {
		if n, known := before[s.Text]; l.unread == 0 || len(s.Tags) == 0 {
			l.matches[s.Text] = 0
		} else if known {
			l.matches[s.Text] = n
		}
	}
	for _, n := range l.names {
		texts := map[string]bool{}
		for i, s := range n.selectors {
			if n.matched[i] && !texts[s.Text] && (l.unread == 0 || len(s.Tags) == 0) {
				texts[s.Text] = true
				l.matches[s.Text]++
			}
		}
	}
	l.target.reportMatches("image", l.listing, before, l.matches)
}

// selectImageNames makes t ask which images there are, if some are to be selected by name or
// tags.
func (t *Target) selectImageNames(now time.Time) {
	switch some := len(t.c.ImageSelectors) > 0; {
	case some && t.images == nil:
		t.images = &versionList{question: newQuestion(t, imagebuilder.ListImages, "")}
		t.schedule.Add(&t.images.Entry, t.images)
		for _, s := range t.sources {
			if s.ofPipeline() {
				s.AskNow() // for source.versions
			}
		}
	case some && t.images.names != nil:
		t.outdateVersions() // and Select chooses
	case !some && t.images != nil:
		for _, s := range t.sources {
			s.versions = nil
			if s.name != nil {
				t.dropVersion(s, now)
			}
		}
		t.schedule.Remove(&t.images.Entry)
		t.images = nil
	}
}

// sameSelectors reports whether a and b follow the same.
func sameSelectors(a, b []*Selector) bool {
	return slices.EqualFunc(a, b, func(a, b *Selector) bool { return a.Text == b.Text && a.Builds == b.Builds })
}
