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

// TestSelectorsOfImagesThatMatchNothing plays images that are deleted, and made again.
func TestSelectorsOfImagesThatMatchNothing(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := web(
			tagged(w.byHand("web/1.0.0", 1, 2*time.Hour, emulator.Succeeded), "web"), w.byHand("web-2/1.0.0", 2, time.Hour, emulator.Succeeded),
			tagged(w.byHand("web/1.1.0", 1, -24*time.Minute, emulator.Succeeded), "web"),
		)
		a.Images[0].Deleted = w.begin.Add(12 * time.Minute)
		byTag := func(team string) Selector {
			return Selector{Tags: map[string]string{"team": team}, Builds: 1, Text: "tag:team=" + team}
		}
		var end time.Duration
		target := w.discovering(a, Selection{ImageSelectors: append(images("web.*", 1), append(images("nothing", 1), byTag("web"), byTag("none"))...)})
		check := func(when, log string, want ...SelectorMatches) {
			t.Helper()
			end += 11 * time.Minute
			w.scrapeEvery(target, 15*time.Second, end)
			if diff := cmp.Diff(want, w.scrape(target).ImageSelectors); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
			// Whether the version itself or its list tells first that it is gone does not matter.
			got := regexp.MustCompile(`(?m)^.*lookup (?:fails|works).*\n`).ReplaceAllString(w.logs.String(), "")
			if got = regexp.MustCompile(`images_listed=[12]`).ReplaceAllString(got, "images_listed=N"); got != log {
				t.Errorf("%s, the log is\n%swant\n%s", when, got, log)
			}
			w.logs.Reset()
		}
		const level = "level=warn target=golden-images region=eu-west-1 "
		const nothing = level + `msg="selector matches no images" selector=`
		if got := target.Known().ImageSelectors; got != nil {
			t.Errorf("before the first list: %v", got)
		}
		check("at first", nothing+`"name=nothing" images_listed=N`+"\n"+nothing+`"tag:team=none" images_listed=N`+"\n",
			SelectorMatches{"name=nothing", 0}, SelectorMatches{"name=web.*", 2}, SelectorMatches{"tag:team=none", 0}, SelectorMatches{"tag:team=web", 1})
		check("one is deleted", nothing+`"tag:team=web" images_listed=N`+"\n",
			SelectorMatches{"name=nothing", 0}, SelectorMatches{"name=web.*", 1}, SelectorMatches{"tag:team=none", 0}, SelectorMatches{"tag:team=web", 0})
		check("another version is there", strings.Replace(level, "warn", "info", 1)+`msg="selector matches images again" selector="tag:team=web" images=1`+"\n",
			SelectorMatches{"name=nothing", 0}, SelectorMatches{"name=web.*", 2}, SelectorMatches{"tag:team=none", 0}, SelectorMatches{"tag:team=web", 1})
		s := target.c.Selection
		s.ImageSelectors = append(images("web", 1), images("other", 1)...)
		target.Select(s)
		check("after a reload", nothing+`"name=other" images_listed=N`+"\n", SelectorMatches{"name=other", 0}, SelectorMatches{"name=web", 1})
		w.failOperation("ListImages", unavailable)
		w.scrapeEvery(target, 15*time.Second, end+15*time.Minute)
		if got := w.scrape(target).ImageSelectors; got != nil {
			t.Errorf("the list is stale: %v", got)
		}
	})
}

// TestTagsOfWhatAPipelineMakes count for selectors, though nobody asks for it by its version.
func TestTagsOfWhatAPipelineMakes(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := web(tagged(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded)), "web"))
		target := w.discovering(a, Selection{Pipelines: all(1), ImageSelectors: []Selector{{Tags: map[string]string{"team": "web"}, Builds: 1, Text: "team"}}})
		if diff := cmp.Diff([]SelectorMatches{{"team", 1}}, w.scrape(target).ImageSelectors); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if n := w.Requests("ListImageBuildVersions"); n != 0 {
			t.Errorf("%d requests of ListImageBuildVersions", n)
		}
	})
}

// TestAListOfImagesThatFails keeps the last selection for as long as values are kept.
func TestAListOfImagesThatFails(t *testing.T) {
	for _, operation := range []string{"ListImages", "ListImageBuildVersions"} {
		test(t, func(t *testing.T) {
			w := newWorld(t)
			long := w.byHand("web/1.0.0", 2, time.Minute, emulator.Succeeded)
			long.Attempts[0].Runs[0].Steps[0].Takes = 1000 * time.Hour
			target := w.discovering(web(w.byHand("web/1.0.0", 1, time.Hour, emulator.Succeeded), long), Selection{ImageSelectors: images("web", 1)})
			known := []string{"00000001 COMPLETED", "00000002 RUNNING", "web/1.0.0/1 AVAILABLE", "web/1.0.0/2 BUILDING"}
			first := w.expect(target, "at the start", known...)
			w.failOperation(operation, refused)
			w.scrapeEvery(target, 15*time.Second, 9*time.Minute+45*time.Second)
			s := w.expect(target, "the last selection", known...)
			if !s.Up || !s.DiscoveredAt.Equal(first.DiscoveredAt) {
				t.Errorf("up %t, discovered at %s, at first at %s", s.Up, s.DiscoveredAt, first.DiscoveredAt)
			}
			w.scrapeEvery(target, 15*time.Second, 10*time.Minute+15*time.Second)
			before := w.operations()
			w.scrapeEvery(target, 15*time.Second, 20*time.Minute)
			w.expect(target, "it is too old")
			if n := w.since(before)["ListImageBuildVersions"]; operation == "ListImages" && n > 0 {
				t.Errorf("%d requests for builds of versions that may not be selected any more", n)
			}
			w.failOperation(operation, nil)
			w.scrapeEvery(target, 15*time.Second, 22*time.Minute)
			if s := w.expect(target, "it is back", known...); !s.Up || !s.DiscoveredAt.After(first.DiscoveredAt) {
				t.Errorf("up %t, discovered at %s", s.Up, s.DiscoveredAt)
			}
		})
	}
}

// TestErrorsOfImagesByName are told by what was asked about.
func TestErrorsOfImagesByName(t *testing.T) {
	for _, c := range []struct {
		name, id, operation string
		fault               http.Handler
		up                  bool
		want                []string
	}{
		{"the list of images is denied", "", "ListImages", refused, false, []string{"ListImages  denied"}},
		{"another service does not know it", "", "ListImages", emulator.Error(404, "UnknownOperationException", "no"), false, []string{"ListImages  not_found"}},
		{"another service finds it bad", "", "ListImages", emulator.Error(400, "ValidationException", "no"), false, []string{"ListImages  bad_request"}},
		{"it is throttled", "", "ListImages", emulator.Error(429, "CallRateLimitExceededException", ""), true, []string{"ListImages  throttled"}},
		{"a version is denied", account + "image/db/1.0.0", "", refused, true, []string{"ListImageBuildVersions image/db/1.0.0 denied"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t)
				if c.id != "" {
					w.fail(c.id, c.fault)
				}
				w.failOperation(c.operation, c.fault)
				target := w.discovering(web(w.byHand("web/1.0.0", 1, time.Hour, emulator.Succeeded), w.byHand("db/1.0.0", 2, time.Hour, emulator.Succeeded)), Selection{ImageSelectors: images(".*", 1)})
				w.scrapeEvery(target, 15*time.Second, 3*time.Minute)
				s := w.scrape(target)
				if diff := cmp.Diff(c.want, errorsOf(s)); diff != "" || s.Up != c.up || !s.DiscoveredAt.IsZero() {
					t.Errorf("up %t, discovered at %s (-want +got):\n%s", s.Up, s.DiscoveredAt, diff)
				}
				if n := w.Requests("ListImages"); n > 12 && !c.up { // a throttle is retried within a lookup
					t.Errorf("%d requests of ListImages in three minutes: no back-off", n)
				}
			})
		})
	}
}

// TestAPipelineThatCannotBeReadIsNotWaitedFor: what it makes is asked for by its version.
func TestAPipelineThatCannotBeReadIsNotWaitedFor(t *testing.T) {
	for _, operation := range []string{"ListImagePipelines", "ListImagePipelineImages"} {
		test(t, func(t *testing.T) {
			w := newWorld(t)
			w.failOperation(operation, emulator.Hang())
			target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded))), Selection{Pipelines: all(1), ImageSelectors: images("web", 1)})
			w.expect(target, "the list of the pipeline hangs")
			w.scrapeEvery(target, 15*time.Second, time.Minute)
			w.expect(target, "it has timed out", "00000001 COMPLETED web", "web/1.0.0/1 AVAILABLE web")
		})
	}
}

// TestBuildsAreFollowedWhenAllVersionsWereRead holds that no request is made for a build that
// a newer one of another version replaces.
func TestBuildsAreFollowedWhenAllVersionsWereRead(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		oldest, newest := w.byHand("web/1.0.0", 1, 9*time.Hour, emulator.Succeeded), w.byHand("web/1.1.0", 2, time.Hour, emulator.Succeeded)
		row := fmt.Sprintf(`{"arn":%q,"state":{"status":"AVAILABLE"},"dateCreated":%q}`, newest.ARN, newest.Created.Format(time.RFC3339))
		w.fail(account+"image/web/1.1.0", slowly(2*time.Second, imageList(row+","+strings.Replace(row, "1.1.0/2", "1.1.0/3", 1))))
		target := w.discovering(web(oldest, newest), Selection{ImageSelectors: images("web", 2)})
		if got := buildsOf(w.scrape(target)); got != "web/1.1.0/2 web/1.1.0/3" {
			t.Errorf("%s is followed", got)
		}
		if n := len(w.callsFor(oldest.ARN)); n > 0 {
			t.Errorf("%d requests for a build that newer ones replace", n)
		}
	})
}

// TestSupersededWaitsForImagesByName: a newer build may be found through them.
func TestSupersededWaitsForImagesByName(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault http.Handler
		want  string
	}{
		{"they cannot be listed for now", unavailable, "1=-"},
		{"to list them is denied", refused, "1=0"},
		{"they are listed", nil, "1=1 2=0 web/2=0"},
	} {
		test(t, func(t *testing.T) {
			w := newWorld(t)
			a := web(w.byHand("web/1.0.0", 2, time.Hour, emulator.Succeeded))
			a.Runs = []emulator.Run{{ID: id(1), ImageBuildVersionARN: imageARN("web", 1), Start: w.begin.Add(-2 * time.Hour), Steps: steps(emulator.Failed)}}
			w.failOperation("ListImages", c.fault)
			target := w.discovering(a, Selection{WorkflowExecutions: []string{id(1)}, ImageSelectors: images("web", 1)})
			w.scrapeEvery(target, 15*time.Second, time.Minute)
			if diff := cmp.Diff(c.want, supersededIn(w.scrape(target))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
		})
	}
}

// TestHostileListsOfImages are read as far as they make sense.
func TestHostileListsOfImages(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		rows := []string{
			`{"arn":"arn:aws:imagebuilder:us-east-1:111122223333:image/far/1.0.0","name":"far"}`,
			`{"arn":"` + account + `image/web/1.0.0/1","name":"a build"}`,
			`{"arn":"` + account + `image/web/../1.0.0","name":"up"}`,
			`{"arn":"` + account + `image/` + strings.Repeat("x", 1<<20) + `/1.0.0","name":"long"}`,
			`{"arn":"` + account + `image/web/1.0.0","name":"` + strings.Repeat("w", 1<<20) + `"}`,
			`{"name":"nothing"}`, `{}`, `null`,
		}
		w.failOperation("ListImages", emulator.Body(200, "application/json", `{"requestId":"x","imageVersionList":[`+strings.Join(rows, ",")+`]}`))
		target := w.discovering(web(w.byHand("web/1.0.0", 1, time.Hour, emulator.Succeeded)), Selection{ImageSelectors: images("(?s).*", 1)})
		w.expect(target, "the one that can be", "00000001 COMPLETED", "web/1.0.0/1 AVAILABLE")
		if n := w.Requests("ListImageBuildVersions"); n != 1 {
			t.Errorf("%d requests of ListImageBuildVersions", n)
		}
	})
}

// TestThousandsOfVersions of one name cost one request for its builds, and so many names that
// do not match none. More rows than a list may have are an error.
func TestThousandsOfVersions(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		var versions []string
		for n := range 5000 {
			versions = append(versions, fmt.Sprintf(`{"arn":"%simage/web/1.0.%d","name":"web"},{"arn":"%simage/other-%d/1.0.0","name":"other"}`, account, n, account, n))
		}
		list := func(rows []string) http.Handler {
			return emulator.Body(200, "application/json", `{"requestId":"x","imageVersionList":[`+strings.Join(rows, ",")+`]}`)
		}
		w.failOperation("ListImages", list(versions))
		target := w.discovering(web(w.byHand("web/1.0.4999", 1, time.Hour, emulator.Succeeded)), Selection{ImageSelectors: images("web", 1)})
		w.expect(target, "the newest", "00000001 COMPLETED", "web/1.0.4999/1 AVAILABLE")
		if n := w.Requests("ListImageBuildVersions"); n != 1 {
			t.Errorf("%d requests of ListImageBuildVersions", n)
		}
		for n := range 45000 {
			versions = append(versions, fmt.Sprintf(`{"arn":"%simage/more-%d/1.0.0"}`, account, n))
		}
		w.failOperation("ListImages", list(versions))
		w.scrapeEvery(target, 15*time.Second, 6*time.Minute)
		if diff := cmp.Diff([]string{"ListImages  invalid"}, errorsOf(w.scrape(target))); diff != "" {
			t.Errorf("55,000 rows (-want +got):\n%s", diff)
		}
	})
}
