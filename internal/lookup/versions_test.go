package lookup

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// byHand returns build n of a version of an image, which was built so long before w began, and
// is no pipeline's. Its execution has the id of n.
func (w *world) byHand(version string, n int, ago time.Duration, ends emulator.Outcome) emulator.Image {
	i := made("", n, w.begin.Add(-ago), steps(ends))
	i.ARN, i.PipelineARN = fmt.Sprint(account, "image/", version, "/", n), ""
	return i
}

// tagged returns i with the tag team.
func tagged(i emulator.Image, team string) emulator.Image {
	i.Tags = map[string]string{"team": team}
	return i
}

// images selects images by name.
func images(name string, builds int) []Selector {
	return []Selector{{Name: regexp.MustCompile(`\A(?:` + name + `)\z`), Builds: builds, Text: "name=" + name}}
}

// buildsOf returns what a snapshot says of its images, as "name/1.0.0/1".
func buildsOf(s Snapshot) string {
	var all []string
	for _, i := range s.Images {
		all = append(all, i.Build.Name+"/"+i.Build.Version)
	}
	return strings.Join(all, " ")
}

// TestImagesByName has, for each account and selection, the builds that are followed and the
// requests that find them.
func TestImagesByName(t *testing.T) {
	const good, failed, hour = emulator.Succeeded, emulator.Failed, time.Hour
	for _, c := range []struct {
		name     string
		set      func(w *world, a *emulator.Account, s *Selection)
		builds   string
		versions int // requests of ListImageBuildVersions
	}{
		{"the newest version of each name that matches", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{w.byHand("web/1.0.0", 1, 3*hour, good), w.byHand("web/1.1.0", 1, 2*hour, failed), w.byHand("db/1.0.0", 1, hour, good), w.byHand("other/1.0.0", 1, hour, good)}
			s.ImageSelectors = images("web|db", 1)
		}, "db/1.0.0/1 web/1.1.0/1", 2},
		{"a version that is newer by its creation, and not by its number", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{w.byHand("web/2.0.0", 1, 3*hour, good), w.byHand("web/1.9.1", 1, 2*hour, good)}
			s.ImageSelectors = images("web", 1)
		}, "web/1.9.1/1", 1},
		{"versions of one moment, by their numbers", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{w.byHand("web/1.10.0", 1, hour, good), w.byHand("web/1.9.0", 1, hour, good), w.byHand("web/1.2.0", 1, hour, good)}
			s.ImageSelectors = images("web", 1)
		}, "web/1.10.0/1", 1},
		{"builds are counted over the versions of a name", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{w.byHand("web/1.0.0", 1, 9*hour, good), w.byHand("web/1.1.0", 1, 8*hour, failed), w.byHand("web/1.1.0", 2, 7*hour, good), w.byHand("web/1.0.0", 2, 6*hour, good)}
			s.ImageSelectors = images("web", 2)
		}, "web/1.0.0/2 web/1.1.0/2", 2},
		{"builds that have not ended do not count", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{w.byHand("web/1.0.0", 1, 9*hour, good), w.byHand("web/1.0.0", 2, 8*hour, good), w.byHand("web/1.0.0", 3, 7*hour, good)}
			a.Images[2].Attempts[0].Runs[0].Steps[0].Takes = 100 * hour
			s.ImageSelectors = images("web", 1)
		}, "web/1.0.0/2 web/1.0.0/3", 1},
		{"the name is the one that its owner wrote", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{w.byHand("web-server/1.0.0", 1, hour, good), w.byHand("web-client/1.0.0", 1, hour, good)}
			a.Images[0].Name, a.Images[1].Name = "Web Server", "Web Client"
			s.ImageSelectors = append(images("Web Server", 1), images("web-client", 1)...)
		}, "web-server/1.0.0/1", 1},
		{"tags of builds", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{
				tagged(w.byHand("web/1.0.0", 1, 9*hour, good), "web"), tagged(w.byHand("web/1.0.0", 2, 8*hour, good), "web"),
				tagged(w.byHand("web/1.0.0", 3, 7*hour, good), "other"), w.byHand("db/1.0.0", 1, 7*hour, good),
			}
			s.ImageSelectors = []Selector{{Tags: map[string]string{"team": "web"}, Builds: 1, Text: "tag:team=web"}}
		}, "web/1.0.0/2", 2},
		{"name and tags", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{tagged(w.byHand("web/1.0.0", 1, 9*hour, good), "web"), tagged(w.byHand("db/1.0.0", 1, 7*hour, good), "web")}
			s.ImageSelectors = images("web|none", 1)
			s.ImageSelectors[0].Tags = map[string]string{"team": "web"}
		}, "web/1.0.0/1", 1},
		{"two selectors that match one name", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{w.byHand("web/1.0.0", 1, 9*hour, good), w.byHand("web/1.1.0", 1, 8*hour, good)}
			s.ImageSelectors = append(images("web", 1), images("w.*", 2)...)
		}, "web/1.0.0/1 web/1.1.0/1", 2},
		{"a selector looks at as many versions as it has builds, whatever another one asks for", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{
				tagged(w.byHand("web/1.0.0", 1, 9*hour, good), "web"), tagged(w.byHand("web/1.1.0", 1, 8*hour, good), "db"), w.byHand("web/1.2.0", 1, 7*hour, good),
			}
			s.ImageSelectors = []Selector{
				{Tags: map[string]string{"team": "web"}, Builds: 1, Text: "tag:team=web"}, {Tags: map[string]string{"team": "db"}, Builds: 3, Text: "tag:team=db"},
			}
		}, "web/1.1.0/1", 3},
		{"one that is selected by its ARN, too", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{tagged(w.byHand("web/1.0.0", 1, 9*hour, good), "web"), w.byHand("web/1.0.0", 2, 8*hour, good)}
			s.Images = []string{account + "image/web/1.0.0"}
			s.ImageSelectors = []Selector{{Tags: map[string]string{"team": "web"}, Builds: 1, Text: "tag:team=web"}}
		}, "web/1.0.0/1 web/1.0.0/2", 2},
		{"what a followed pipeline makes is not asked for", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{made("web", 1, w.begin.Add(-9*hour), steps(good)), made("web", 2, w.begin.Add(-8*hour), steps(good)), w.byHand("db/1.0.0", 1, hour, good)}
			s.Pipelines, s.ImageSelectors = all(1), images(".*", 1)
		}, "db/1.0.0/1 web/1.0.0/2", 1},
		{"nor a version that it makes beside one that somebody makes", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{made("web", 1, w.begin.Add(-9*hour), steps(good)), w.byHand("web/1.1.0", 1, 8*hour, good)}
			s.Pipelines, s.ImageSelectors = all(1), images(".*", 2)
		}, "web/1.0.0/1 web/1.1.0/1", 1},
		{"a version that somebody has built after the pipeline", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{made("web", 1, w.begin.Add(-9*hour), steps(good)), w.byHand("web/1.0.0", 2, 8*hour, good)}
			s.Pipelines, s.ImageSelectors = all(1), images(".*", 1)
		}, "web/1.0.0/1 web/1.0.0/2", 1},
		{"what a pipeline makes that is not followed", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{made("web", 1, w.begin.Add(-9*hour), steps(good))}
			s.Pipelines, s.ImageSelectors = []Selector{named("other")}, images(".*", 1)
		}, "web/1.0.0/1", 1},
		{"what a pipeline makes whose list is denied", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{made("web", 1, w.begin.Add(-9*hour), steps(good))}
			w.failOperation("ListImagePipelineImages", refused)
			s.Pipelines, s.ImageSelectors = all(1), images(".*", 1)
		}, "web/1.0.0/1", 1},
		{"images that AWS owns", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{w.byHand("web/1.0.0", 1, hour, good)}
			a.Images[0].ARN = strings.Replace(a.Images[0].ARN, "111122223333", "aws", 1)
			s.ImageSelectors = images(".*", 1)
		}, "", 0},
		{"one that is deprecated", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = []emulator.Image{w.byHand("web/1.0.0", 1, 9*hour, good)}
			a.Images[0].Deprecated = w.begin.Add(-hour)
			s.ImageSelectors = images("web", 1)
		}, "web/1.0.0/1", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t)
				a, s := web(), Selection{}
				c.set(w, a, &s)
				target := w.discovering(a, s)
				w.scrapeEvery(target, 15*time.Second, time.Minute)
				got := w.scrape(target)
				if diff := cmp.Diff(c.builds, buildsOf(got)); diff != "" {
					t.Errorf("builds (-want +got):\n%s", diff)
				}
				// An ARN is asked for twice when its first answer comes before the list of images.
				if n := w.Requests("ListImageBuildVersions"); n > c.versions || n < c.versions-len(s.Images) {
					t.Errorf("%d requests of ListImageBuildVersions, want %d", n, c.versions)
				}
				for _, i := range got.Images {
					if n := len(w.callsFor(i.ARN)); n > 4+2 { // one of them runs
						t.Errorf("%d requests for %s", n, i.ARN)
					}
				}
			})
		})
	}
}

// versionRows answers ListImages with versions of web, and when each was created; 0 for not
// told.
func (w *world) versionRows(versions map[string]time.Duration) http.Handler {
	var rows []string
	for version, ago := range versions {
		created := ""
		if ago != 0 {
			created = w.begin.Add(-ago).UTC().Format(time.RFC3339)
		}
		rows = append(rows, fmt.Sprintf(`{"arn":"%simage/web/%s","name":"web","dateCreated":%q}`, account, version, created))
	}
	return emulator.Body(200, "application/json", `{"requestId":"x","imageVersionList":[`+strings.Join(rows, ",")+`]}`)
}

// TestVersionsWithoutACreation are told apart by their numbers.
func TestVersionsWithoutACreation(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		var builds []emulator.Image
		for n, version := range []string{"web/1.9.0", "web/1.10.0", "web/1.2.0"} {
			builds = append(builds, w.byHand(version, 1, time.Duration(1+n)*time.Hour, emulator.Succeeded))
		}
		w.failOperation("ListImages", w.versionRows(map[string]time.Duration{"1.9.0": 1 * time.Hour, "1.10.0": 0, "1.2.0": 3 * time.Hour}))
		target := w.discovering(web(builds...), Selection{Pipelines: all(1), ImageSelectors: images("web", 1)})
		if got := buildsOf(w.scrape(target)); got != "web/1.10.0/1" {
			t.Errorf("%s is followed", got)
		}
	})
}

// TestNothingIsAskedWithoutSelectorsOfImages counts the requests of ListImages.
func TestNothingIsAskedWithoutSelectorsOfImages(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		target := w.discovering(web(w.byHand("web/1.0.0", 1, time.Hour, emulator.Succeeded)), Selection{Pipelines: all(1), Images: []string{account + "image/web/1.0.0"}})
		w.scrapeEvery(target, 15*time.Second, time.Hour)
		if n := w.Requests("ListImages"); n != 0 {
			t.Errorf("%d requests of ListImages", n)
		}
	})
}

// TestWhatImagesByNameCost counts the requests of an hour in which nothing is built: 60 names
// with three versions each, and a pipeline with as many.
func TestWhatImagesByNameCost(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := web()
		for n := range 60 {
			for v := range 3 {
				a.Images = append(a.Images, w.byHand(fmt.Sprintf("name-%d/1.%d.0", n, v), 1+100*v+n, time.Duration(3-v)*time.Hour, emulator.Succeeded))
			}
			i := made("web", 1, w.begin.Add(-time.Duration(61-n)*time.Hour), steps(emulator.Succeeded))
			i.ARN = fmt.Sprintf("%simage/web/1.0.%d/1", account, n)
			a.Images = append(a.Images, i)
		}
		target := w.discovering(a, Selection{Pipelines: all(1), ImageSelectors: images(".*", 2), Steps: StepsActive, Waiting: true})
		w.scrapeEvery(target, 15*time.Second, 10*time.Minute-time.Second)
		if s := w.scrape(target); len(s.Images) != 121 {
			t.Fatalf("%d images are known", len(s.Images))
		}
		before := w.operations()
		w.scrapeEvery(target, 15*time.Second, 70*time.Minute-time.Second)
		want := map[string]int{"ListImagePipelines": 12, "ListImagePipelineImages": 12 * 3, "ListImages": 12 * 10, "ListImageBuildVersions": 12 * 120}
		if diff := cmp.Diff(want, w.since(before)); diff != "" {
			t.Errorf("requests in an hour (-want +got):\n%s", diff)
		}
	})
}

// TestNewBuildsOfAPipelineAreNotAskedFor plays a pipeline that builds a new version every
// twenty minutes, beside a selector that matches its images.
func TestNewBuildsOfAPipelineAreNotAskedFor(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := web()
		for n := range 20 {
			i := made("web", 1+n, w.begin.Add(time.Duration(n*20-7)*time.Minute), steps(emulator.Succeeded))
			i.ARN = fmt.Sprintf("%simage/web/1.0.%d/1", account, n)
			a.Images = append(a.Images, i)
		}
		target := w.discovering(a, Selection{Pipelines: all(1), ImageSelectors: images("web", 1)})
		w.scrapeEvery(target, 15*time.Second, 5*time.Hour)
		if n := w.Requests("ListImageBuildVersions"); n != 0 {
			t.Errorf("%d requests of ListImageBuildVersions", n)
		}
		if got := buildsOf(w.scrape(target)); got != "web/1.0.15/1" {
			t.Errorf("%s is followed", got)
		}
	})
}

// TestTheLifeOfAnImageByName plays a new version, a failure, and a version that goes.
func TestTheLifeOfAnImageByName(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		first, second := w.byHand("web/1.0.0", 1, time.Hour, emulator.Succeeded), w.byHand("web/1.1.0", 2, -10*time.Minute, emulator.Failed)
		second.Deleted = w.begin.Add(40 * time.Minute)
		target := w.discovering(web(first, second), Selection{ImageSelectors: images("web", 1)})
		w.expect(target, "the first", "00000001 COMPLETED", "web/1.0.0/1 AVAILABLE")
		w.scrapeEvery(target, 15*time.Second, 20*time.Minute)
		w.expect(target, "the second has failed", "00000002 FAILED", "web/1.1.0/2 FAILED")
		if n := strings.Count(w.logs.String(), `msg="image build failed"`); n != 1 {
			t.Errorf("the failure is logged %d times:\n%s", n, &w.logs)
		}
		w.scrapeEvery(target, 15*time.Second, 50*time.Minute)
		w.expect(target, "the second is gone", "00000001 COMPLETED", "web/1.0.0/1 AVAILABLE")
		if len(target.sources) != 1 {
			t.Errorf("%d sources are left", len(target.sources))
		}
	})
}

// TestAReloadOfImageSelectors changes what is selected, and keeps what stays.
func TestAReloadOfImageSelectors(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		version := account + "image/web/1.0.0"
		a := web(w.byHand("web/1.0.0", 1, 3*time.Hour, emulator.Succeeded), w.byHand("web/1.0.0", 2, 2*time.Hour, emulator.Succeeded), w.byHand("db/1.0.0", 3, time.Hour, emulator.Succeeded))
		target := w.discovering(a, Selection{ImageSelectors: images("web|db", 2)})
		w.scrape(target)
		reload := func(what, want string, change func(s *Selection), operations map[string]int) {
			t.Helper()
			s := target.c.Selection
			change(&s)
			before := w.operations()
			target.Select(s)
			w.at(w.now() + 15*time.Second)
			if got := buildsOf(w.scrape(target)); got != want {
				t.Errorf("%s: %s is followed, want %s", what, got, want)
			}
			if diff := cmp.Diff(operations, w.since(before)); diff != "" {
				t.Errorf("%s: requests (-want +got):\n%s", what, diff)
			}
		}
		reload("nothing changes", "db/1.0.0/3 web/1.0.0/1 web/1.0.0/2", func(s *Selection) { s.ImageSelectors = images("web|db", 2) }, map[string]int{})
		reload("a name goes", "web/1.0.0/1 web/1.0.0/2", func(s *Selection) { s.ImageSelectors = images("web", 2) }, map[string]int{"ListImageBuildVersions": 1})
		reload("fewer builds", "web/1.0.0/2", func(s *Selection) { s.ImageSelectors = images("web", 1) }, map[string]int{"ListImageBuildVersions": 1})
		reload("its ARN as well", "web/1.0.0/2", func(s *Selection) { s.Images = []string{version} }, map[string]int{"ListImageBuildVersions": 1})
		reload("no selector any more", "web/1.0.0/2", func(s *Selection) { s.ImageSelectors = nil }, map[string]int{})
		reload("a selector again", "web/1.0.0/1 web/1.0.0/2", func(s *Selection) { s.ImageSelectors = images("web", 2) },
			map[string]int{"ListImages": 1, "ListImageBuildVersions": 1, "ListWorkflowExecutions": 1, "GetImage": 1})
		reload("no ARN any more", "web/1.0.0/1 web/1.0.0/2", func(s *Selection) { s.Images = nil }, map[string]int{})
		reload("nothing at all", "", func(s *Selection) { s.ImageSelectors = nil }, map[string]int{})
		if left := sizes(target); left.Entries != 0 || len(target.sources) != 0 || len(target.builds) != 0 {
			t.Errorf("left over: %+v", left)
		}
	})
}

// TestAPipelineIsFollowedLater holds that its versions are no longer asked for.
func TestAPipelineIsFollowedLater(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded))), Selection{ImageSelectors: images("web", 1)})
		w.expect(target, "by its name", "00000001 COMPLETED web", "web/1.0.0/1 AVAILABLE web")
		s := target.c.Selection
		s.Pipelines = all(1)
		target.Select(s)
		w.scrapeEvery(target, 15*time.Second, 10*time.Minute)
		before := w.operations()
		w.scrapeEvery(target, 15*time.Second, 30*time.Minute)
		if n := w.since(before)["ListImageBuildVersions"]; n != 0 {
			t.Errorf("%d requests of ListImageBuildVersions", n)
		}
		w.expect(target, "by its pipeline", "00000001 COMPLETED web", "web/1.0.0/1 AVAILABLE web")
		w.fail(pipelineARN("web"), refused)
		w.scrapeEvery(target, 15*time.Second, 45*time.Minute)
		w.expect(target, "by its name again, for the list of the pipeline is denied", "00000001 COMPLETED web", "web/1.0.0/1 AVAILABLE web")
	})
}

// TestSelectorsOfImagesBesidePipelines come with a reload: what the pipelines have made is not
// asked for.
func TestSelectorsOfImagesBesidePipelines(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded)), w.byHand("db/1.0.0", 2, time.Hour, emulator.Succeeded)), Selection{Pipelines: all(1)})
		w.scrapeEvery(target, 15*time.Second, time.Minute)
		s := target.c.Selection
		s.ImageSelectors = images(".*", 1)
		target.Select(s)
		w.at(w.now() + 15*time.Second)
		if got := buildsOf(w.scrape(target)); got != "db/1.0.0/2 web/1.0.0/1" {
			t.Errorf("%s is followed", got)
		}
		if n := w.Requests("ListImageBuildVersions"); n != 1 {
			t.Errorf("%d requests of ListImageBuildVersions, want that for db", n)
		}
	})
}

// TestAVersionOfTheFuture is asked for all the same: no pipeline is waited for until then.
func TestAVersionOfTheFuture(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failOperation("ListImages", w.versionRows(map[string]time.Duration{"1.0.0": -1000 * time.Hour}))
		target := w.discovering(web(w.byHand("web/1.0.0", 1, time.Hour, emulator.Succeeded)), Selection{Pipelines: all(1), ImageSelectors: images("web", 1)})
		if got := buildsOf(w.scrape(target)); got != "web/1.0.0/1" {
			t.Errorf("%q is followed", got)
		}
	})
}
