package lookup

import (
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// imageName is an image that selectors match by its name. Builds are counted over all of its
// versions that are asked for theirs.
type imageName struct {
	list      *versionList
	selectors []*Selector     // whose names match
	versions  []chosenVersion // the newest first, as many as the largest Builds
	matched   []bool          // for each of selectors, whether the tags match as well
	read      bool            // whether all versions were looked up, or cannot be
}

// chosenVersion is one of the newest versions of an image.
type chosenVersion struct {
	source *source           // asks for the builds; nil when a pipeline tells of the newest one
	tags   map[string]string // of that
}

func newImageName(l *versionList, name string) *imageName {
	n := &imageName{list: l}
	for i := range l.target.c.ImageSelectors {
		if s := &l.target.c.ImageSelectors[i]; s.MatchesName(name) {
			n.selectors, n.matched = append(n.selectors, s), append(n.matched, len(s.Tags) == 0)
		}
	}
	return n
}

// most returns of how many versions the selectors need the builds.
func (n *imageName) most() int {
	return slices.MaxFunc(n.selectors, func(a, b *Selector) int { return a.Builds - b.Builds }).Builds
}

// ask returns what asks for the builds of a version of n.
func (n *imageName) ask(arn string, now time.Time) *source {
	t := n.list.target
	s := t.sources[arn]
	if s == nil {
		s = newVersionSource(t, arn)
		s.toldAt = n.list.before // what was built later is new
		s.listed = n.list.Fresh(now)
		s.Paused = !s.listed
		t.addSource(s)
	} else if s.name == nil || !sameSelectors(s.name.selectors, n.selectors) {
		s.AskNow() // it has kept what others need
	}
	s.name = n
	return s
}

// follow makes t follow the builds of n that its selectors select. It waits until all of its
// versions were looked up, so that no build is followed which a newer one replaces.
func (n *imageName) follow(now time.Time) {
	for _, v := range n.versions {
		if s := v.source; s != nil && !s.LookedUp && !s.Paused {
			return
		}
	}
	followed, changed := map[*imagebuilder.Image]bool{}, !n.read
	for i, s := range n.selectors {
		images, matched := n.found(s)
		for _, image := range pick(images, s) {
			followed[image] = true
		}
		changed = changed || matched != n.matched[i]
		n.matched[i] = matched
	}
	for _, v := range n.versions {
		if v.source != nil {
			v.source.tellSelected(followed, now)
		}
	}
	if !n.read {
		n.read = true
		n.list.unread--
	}
	if changed && n.list.unread == 0 {
		n.list.count()
	}
}

// found returns the builds that s may follow, the newest first, and whether one of n has its
// tags.
func (n *imageName) found(s *Selector) (images []*imagebuilder.Image, matched bool) {
	for _, v := range n.versions[:min(s.Builds, len(n.versions))] {
		if v.source == nil {
			matched = matched || s.MatchesTags(v.tags)
			continue
		}
		images = append(images, v.source.found...)
	}
	slices.SortFunc(images, func(a, b *imagebuilder.Image) int { return b.Compare(a) })
	matched = matched || len(s.Tags) == 0 || slices.ContainsFunc(images, func(i *imagebuilder.Image) bool { return s.MatchesTags(i.Tags) })
	return images, matched
}

// tellSelected makes s tell those of the builds that it has found that are followed, and those
// that it is asked for by its ARN.
func (s *source) tellSelected(followed map[*imagebuilder.Image]bool, now time.Time) {
	for _, image := range s.own() {
		followed[image] = true
	}
	s.target.tell(s, slices.DeleteFunc(slices.Clone(s.found), func(i *imagebuilder.Image) bool { return !followed[i] }), now)
}
