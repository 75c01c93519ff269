package lookup

import (
	"maps"
	"regexp"
	"slices"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// Selector selects pipelines or images, and says how many of their builds are followed. A
// name is the one that its owner wrote; where Image Builder gives none, that in the ARN.
type Selector struct {
	Name   *regexp.Regexp    // matches the whole name; nil for every name
	Tags   map[string]string // all of them
	Builds int               // the newest so many that have ended, and all that have not; at least 1
	Text   string            // says for people what it selects; selectors with the same text select the same
}

// MatchesPipeline reports whether s selects p.
func (s *Selector) MatchesPipeline(p *imagebuilder.Pipeline) bool {
	return s.MatchesName(p.Name) && s.MatchesTags(p.Tags)
}

// MatchesName reports whether s selects what has this name, if it has the tags as well.
func (s *Selector) MatchesName(name string) bool { return s.Name == nil || s.Name.MatchString(name) }

// MatchesTags reports whether s selects what has these tags, if it has the name as well.
func (s *Selector) MatchesTags(tags map[string]string) bool {
	for key, value := range s.Tags {
		if got, ok := tags[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// pick returns those of images, the newest first, of which one of selectors with their tags
// follows the build.
func pick(images []*imagebuilder.Image, selectors ...*Selector) []*imagebuilder.Image {
	picked := make([]bool, len(images))
	for _, s := range selectors {
		ended := 0
		for i, image := range images {
			if !s.MatchesTags(image.Tags) {
				continue
			}
			if image.Status.Ended() {
				ended++
			}
			picked[i] = picked[i] || !image.Status.Ended() || ended <= s.Builds
		}
	}
	var all []*imagebuilder.Image
	for i, image := range images {
		if picked[i] {
			all = append(all, image)
		}
	}
	return all
}

// reportMatches logs each selector that matches nothing any more, and each that does again:
// before and now say how many things of a kind each matches, of so many that are listed.
func (t *Target) reportMatches(kind string, listed int, before, now map[string]int) {
	logger := log.With(t.c.Logger, "target", t.c.Name, "region", t.c.Region)
	for _, text := range slices.Sorted(maps.Keys(now)) {
		was, known := before[text]
		switch n := now[text]; {
		case n == 0 && (was > 0 || !known):
			level.Warn(logger).Log("msg", "selector matches no "+kind+"s", "selector", text, kind+"s_listed", listed)
		case n > 0 && was == 0 && known:
			level.Info(logger).Log("msg", "selector matches "+kind+"s again", "selector", text, kind+"s", n)
		}
	}
}
