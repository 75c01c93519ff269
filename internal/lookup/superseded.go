package lookup

import (
	"maps"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// Fact is a boolean that can be unknown.
type Fact struct{ Known, True bool }

// successes tell which builds are superseded: those of which a newer one is a good image.
// Newer are other builds of the same pipeline or, where the pipeline of neither is known,
// of the same image version. They follow from what is followed now, and from nothing that
// a restart would lose.
type successes struct {
	byPipeline map[string]time.Time                      // creation of the newest good build, by the pipeline's ARN
	byVersion  map[string]imagebuilder.ImageBuildVersion // the newest good build of those without a known pipeline
	complete   bool                                      // whether everything that the selection is read with was read, or is refused
}

// deriveSuperseded decides which builds and which executions are superseded. Only a
// snapshot tells, so it is once for each, and not for each batch of answers. The caller
// holds t.mu.
func (t *Target) deriveSuperseded() {
	if !t.derived.supersededOutdated {
		return
	}
	t.derived.supersededOutdated, t.derived.settled.outdated = false, true
	good := t.successes()
	for _, b := range t.builds {
		b.superseded = t.supersededBuild(b, good)
	}
	retried := t.retriedConfigured()
	for _, f := range t.derived.executions {
		f.superseded = Fact{}
		switch {
		case f.value == nil:
		case f.retried || retried[f.id]:
			f.superseded = Fact{Known: true, True: true}
		case f.build != nil:
			f.superseded = f.build.superseded
		default:
			f.superseded = t.supersededConfigured(f.value, good)
		}
	}
}

func (t *Target) successes() *successes {
	good := &successes{byPipeline: map[string]time.Time{}, byVersion: map[string]imagebuilder.ImageBuildVersion{}, complete: true}
	for q := range t.discoveries {
		good.complete = good.complete && q.readOrRefused()
	}
	for _, s := range t.sources {
		if s.ofPipeline() {
			good.byPipeline[s.pipelineARN()] = s.newestGood
		}
	}
	for _, b := range t.builds {
		version := b.image.Build.ImageVersion()
		switch {
		case !b.image.WasGood():
		case b.pipelineARN != "":
			good.byPipeline[b.pipelineARN] = later(good.byPipeline[b.pipelineARN], b.image.Created)
		case b.image.Build.Newer(good.byVersion[version]):
			good.byVersion[version] = b.image.Build
		}
	}
	return good
}

// readOrRefused reports whether q was answered, or is refused, so that waiting for an answer
// makes no sense.
func (q *question) readOrRefused() bool {
	switch q.class() {
	case imagebuilder.Denied, imagebuilder.NotFound, imagebuilder.BadRequest:
		return true
	}
	return q.HasAnswer
}

// supersededBuild returns whether a newer build than b is good. That is not known before the
// builds of its pipeline are, nor before it is known which pipeline that is.
func (t *Target) supersededBuild(b *build, good *successes) Fact {
	if b.pipelineARN == "" {
		known := good.complete && b.pipelineReadOrRefused()
		return Fact{known, known && good.byVersion[b.image.Build.ImageVersion()].Newer(b.image.Build)}
	}
	known := t.pipelines == nil || t.pipelines.readOrRefused()
	if s := t.sources[b.pipelineARN]; s != nil {
		known = s.readOrRefused()
	}
	return Fact{known, known && good.newerThan(b.pipelineARN, b.image.Created)}
}

// newerThan reports whether a pipeline has a good build that was created later.
func (good *successes) newerThan(pipelineARN string, created time.Time) bool {
	return !created.IsZero() && good.byPipeline[pipelineARN].After(created)
}

// supersededConfigured does the same for the build of an execution that was selected by its
// id.
func (t *Target) supersededConfigured(v *imagebuilder.Execution, good *successes) Fact {
	if b := t.builds[v.ImageBuildVersionARN]; b != nil {
		return b.superseded
	}
	if made, ok := t.made[v.ImageBuildVersionARN]; ok {
		return Fact{true, good.newerThan(made.pipelineARN, made.created)}
	}
	return Fact{good.complete, good.complete && good.byVersion[v.Image.ImageVersion()].Newer(v.Image)}
}

// retriedConfigured returns which executions of the images that configured executions belong
// to were retried with success.
func (t *Target) retriedConfigured() map[string]bool {
	byImage := map[string]map[string]*imagebuilder.Execution{}
	for _, c := range t.configured {
		v := c.execution.value
		if v == nil || v.ImageBuildVersionARN == "" {
			continue
		}
		if byImage[v.ImageBuildVersionARN] == nil {
			byImage[v.ImageBuildVersionARN] = map[string]*imagebuilder.Execution{}
		}
		byImage[v.ImageBuildVersionARN][v.ID] = v
	}
	retried := map[string]bool{}
	for arn, executions := range byImage {
		if b := t.builds[arn]; b != nil {
			for _, x := range b.executions { // which have the flag "retried"
				executions[x.value.ID] = x.value
			}
		}
		maps.Copy(retried, retriedWithSuccess(slices.Collect(maps.Values(executions))))
	}
	return retried
}
