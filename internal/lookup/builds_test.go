package lookup

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// slowly answers as f does, after so long.
func slowly(d time.Duration, f http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-time.After(d)
		f.ServeHTTP(w, r)
	})
}

// listed answers a list of executions with these, each "id status".
func listed(executions ...string) http.Handler {
	var rows []string
	for _, e := range executions {
		id, status, _ := strings.Cut(e, " ")
		row := `{"workflowExecutionId":%q,"status":%q,"startTime":"2026-09-09T19:12:23.175Z","endTime":"2026-09-09T19:19:06.158Z"}`
		if status == "RUNNING" {
			row = `{"workflowExecutionId":%q,"status":%q,"startTime":"2026-09-09T19:12:23.175Z"}`
		}
		rows = append(rows, fmt.Sprintf(row, id, status))
	}
	return emulator.Body(200, "application/json", `{"requestId":"x","workflowExecutions":[`+strings.Join(rows, ",")+`]}`)
}

// imageRow is what an answer says of build 1 of web.
func imageRow(status, reason, platform string) string {
	return fmt.Sprintf(`{"arn":%q,"platform":%q,"state":{"status":%q,"reason":%q}}`, imageARN("web", 1), platform, status, reason)
}

// imageList answers ListImagePipelineImages, and oneImage GetImage.
func imageList(row string) http.Handler {
	return emulator.Body(200, "application/json", `{"requestId":"x","imageSummaryList":[`+row+`]}`)
}

func oneImage(row string) http.Handler {
	return emulator.Body(200, "application/json", `{"requestId":"x","image":`+row+`}`)
}

// TestAListThatBeganBeforeTheEndOfItsImage is not the last one.
func TestAListThatBeganBeforeTheEndOfItsImage(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		target := w.discovering(web(), Selection{Pipelines: all(1)})
		w.failOperation("ListImagePipelineImages", imageList(imageRow("BUILDING", "", "Linux")))
		w.failOperation("ListWorkflowExecutions", listed(id(1)+" COMPLETED"))
		w.scrapeEvery(target, 10*time.Second, 4*time.Minute+50*time.Second)
		w.failOperation("ListImagePipelineImages", slowly(2*time.Second, imageList(imageRow("FAILED", "no", "Linux"))))
		w.failOperation("ListWorkflowExecutions", slowly(5*time.Second, listed(id(1)+" COMPLETED")))
		w.scrapeEvery(target, 10*time.Second, 5*time.Minute+10*time.Second)
		w.failOperation("ListWorkflowExecutions", listed(id(1)+" COMPLETED", id(2)+" FAILED"))
		w.scrapeEvery(target, 10*time.Second, 6*time.Minute)
		w.expect(target, "the last execution is found", "00000001 COMPLETED web", "00000002 FAILED web", "web/1.0.0/1 FAILED web")
		before := w.operations()
		w.scrapeEvery(target, 10*time.Second, 9*time.Minute)
		if n := w.since(before)["ListWorkflowExecutions"]; n != 0 {
			t.Errorf("%d lists after everything has ended", n)
		}
	})
}

// TestWhatIsLeftBehindIsAskedForLessAndLess counts the lists of an image that has failed
// while one of its executions stays as it is: a tenth of the time since then lies between
// two of them.
func TestWhatIsLeftBehindIsAskedForLessAndLess(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failOperation("ListWorkflowExecutions", listed(id(1)+" RUNNING"))
		w.failOperation("ListImagePipelineImages", imageList(imageRow("FAILED", "no", "Linux")))
		target := w.discovering(web(), Selection{Pipelines: all(1)})
		w.scrape(target)
		w.scrapeEvery(target, 10*time.Second, 2*time.Hour)
		want := 0
		for at := time.Duration(0); at <= 2*time.Hour; want++ {
			next := at + max(10*time.Second, min(at/10, 5*time.Minute))
			at = (next + 10*time.Second - 1).Truncate(10 * time.Second) // the next scrape
		}
		if n := w.operations()["ListWorkflowExecutions"]; n != want {
			t.Errorf("%d lists in two hours, want %d", n, want)
		}
	})
}

// TestReasonsOfAnEarlierFailure has a list and GetImage that tell reasons of their own, by
// turns: after a retry that the list has told, what GetImage tells is no other retry.
func TestReasonsOfAnEarlierFailure(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failOperation("ListWorkflowExecutions", listed(id(1)+" FAILED"))
		down := emulator.Error(500, "ServiceException", "")
		say := func(list, get http.Handler) {
			w.failOperation("ListImagePipelineImages", list)
			w.failOperation("GetImage", get)
			w.scrapeEvery(w.last, 10*time.Second, w.now()+11*time.Minute)
		}
		target := w.discovering(web(), Selection{Pipelines: all(1), Images: []string{imageARN("web", 1)}})
		w.last = target
		say(imageList(imageRow("FAILED", "list: first", "Linux")), oneImage(imageRow("FAILED", "get: first", "Linux")))
		say(down, oneImage(imageRow("FAILED", "get: first", "Linux")))
		before := w.operations()
		say(imageList(imageRow("FAILED", "list: second", "Linux")), down)
		if n := w.since(before)["ListWorkflowExecutions"]; n == 0 {
			t.Error("the retry was not seen")
		}
		before = w.operations()
		say(down, oneImage(imageRow("FAILED", "get: second", "Linux")))
		if n := w.since(before)["ListWorkflowExecutions"]; n != 0 {
			t.Errorf("%d lists for a retry that there was not", n)
		}
	})
}

// TestAListGoesBeforeGetImage although that was read later.
func TestAListGoesBeforeGetImage(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failOperation("ListWorkflowExecutions", listed())
		w.failOperation("ListImagePipelineImages", imageList(imageRow("AVAILABLE", "", "Linux")))
		w.failOperation("GetImage", emulator.Error(500, "ServiceException", ""))
		target := w.discovering(web(), Selection{Pipelines: all(1), Images: []string{imageARN("web", 1)}})
		w.scrape(target)
		w.failOperation("GetImage", oneImage(imageRow("AVAILABLE", "", "Windows")))
		w.scrapeEvery(target, 10*time.Second, 2*time.Minute)
		s := w.scrape(target)
		if get := target.sources[imageARN("web", 1)]; !get.HasAnswer || s.Images[0].Platform != "Linux" {
			t.Errorf("GetImage is known: %t, the platform is %s", get.HasAnswer, s.Images[0].Platform)
		}
		w.failOperation("ListImagePipelineImages", emulator.Error(500, "ServiceException", ""))
		w.scrapeEvery(target, 10*time.Second, 7*time.Minute)
		if got := w.scrape(target).Images[0].Platform; got != "Windows" {
			t.Errorf("while the list fails, the platform is %s", got)
		}
	})
}

// TestStepsThatWereNotFoundBeforeTheEnd are asked for again when the execution has ended.
func TestStepsThatWereNotFoundBeforeTheEnd(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failOperation("ListWorkflowExecutions", listed(id(1)+" RUNNING"))
		w.failOperation("ListImagePipelineImages", imageList(imageRow("BUILDING", "", "Linux")))
		w.failOperation("ListWorkflowStepExecutions", emulator.Error(404, "ResourceNotFoundException", ""))
		target := w.discovering(web(), Selection{Pipelines: all(1), Steps: StepsActive})
		w.scrape(target)
		w.scrapeEvery(target, 10*time.Second, time.Hour)
		w.failOperation("ListWorkflowExecutions", listed(id(1)+" FAILED"))
		w.scrapeEvery(target, 10*time.Second, time.Hour+6*time.Minute)
		w.failOperation("ListWorkflowStepExecutions", emulator.Body(200, "application/json",
			`{"requestId":"x","steps":[{"stepExecutionId":"step-1","name":"Build","status":"FAILED"}]}`))
		w.scrapeEvery(target, 10*time.Second, 2*time.Hour)
		var names []string
		for _, e := range w.scrape(target).Executions {
			for _, s := range e.Steps {
				names = append(names, s.Name)
			}
		}
		if diff := cmp.Diff([]string{"Build"}, names); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
	})
}
