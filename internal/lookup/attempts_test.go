package lookup

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// TestRetriedWithSuccess writes an execution as "ID TYPE WORKFLOW STATUS FROM-TO", in minutes;
// a "*" behind the status is the flag "retried".
func TestRetriedWithSuccess(t *testing.T) {
	for _, c := range []struct {
		name       string
		executions []string
		want       string
	}{
		{"one attempt", []string{"a BUILD b FAILED 0-5", "b TEST t COMPLETED 5-9"}, ""},
		{"a build is retried", []string{"a BUILD b FAILED 0-5", "b BUILD b COMPLETED 9-15"}, "a"},
		{"a build is retried, and runs", []string{"a BUILD b FAILED 0-5", "b BUILD b RUNNING 9-"}, ""},
		{"a build is retried, and fails again", []string{"a BUILD b FAILED 0-5", "b BUILD b FAILED 9-15"}, ""},
		{"the second retry succeeds", []string{"a BUILD b FAILED 0-5", "b BUILD b FAILED 9-15", "c BUILD b COMPLETED 20-25"}, "a b"},
		{"another build workflow", []string{"a BUILD b FAILED 0-5", "b BUILD c COMPLETED 9-15"}, ""},
		{"without a workflow", []string{"a BUILD - FAILED 0-5", "b BUILD - COMPLETED 9-15"}, ""},
		{"a failed one without an end", []string{"a BUILD b FAILED 0-", "b BUILD b COMPLETED 9-15"}, ""},
		{"a distribution is retried", []string{"a BUILD b COMPLETED 0-5", "b DISTRIBUTION d FAILED 5-9", "c DISTRIBUTION d COMPLETED 20-25"}, "b"},
		{"a distribution to two regions", []string{"a DISTRIBUTION d FAILED 5-9", "b DISTRIBUTION d COMPLETED 5-15"}, ""},
		{
			"a distribution to two regions is retried, one fails again",
			[]string{"a DISTRIBUTION d FAILED 5-9", "b DISTRIBUTION d COMPLETED 5-15", "c DISTRIBUTION d COMPLETED 20-25", "d DISTRIBUTION d FAILED 20-29"},
			"a b",
		},
		{"one test workflow side by side", []string{"a TEST t FAILED 5-15", "b TEST t COMPLETED 6-9"}, ""},
		{"one test workflow twice", []string{"a TEST t FAILED 5-9", "b TEST t COMPLETED 10-15"}, ""},
		{"one test workflow twice, the first is retried", []string{"a TEST t FAILED* 5-9", "b TEST t COMPLETED 10-15"}, "a"},
		{"one test workflow twice, the second is a retry", []string{"a TEST t FAILED 5-9", "b TEST t COMPLETED* 10-15"}, "a"},
		{"side by side with the flag", []string{"a TEST t FAILED* 5-15", "b TEST t COMPLETED* 6-9"}, ""},
		{"the flag on another workflow", []string{"a TEST t FAILED 5-9", "b TEST t COMPLETED 10-15", "c TEST u FAILED* 5-9"}, ""},
		{
			"a test in a retried build",
			[]string{"a BUILD b COMPLETED 0-5", "b TEST t FAILED 5-9", "c BUILD b COMPLETED 20-25", "d TEST t COMPLETED 25-29"},
			"a b",
		},
		{
			"a test in a retried build that has not come to it yet",
			[]string{"a BUILD b COMPLETED 0-5", "b TEST t FAILED 5-9", "c BUILD b COMPLETED 20-25", "d TEST t PENDING -"},
			"a",
		},
	} {
		var all []*imagebuilder.Execution
		for _, text := range c.executions {
			f := strings.Fields(text)
			from, to, _ := strings.Cut(f[4], "-")
			status, flag := strings.CutSuffix(f[3], "*")
			all = append(all, &imagebuilder.Execution{
				ID: f[0], WorkflowType: f[1], WorkflowBuildVersionARN: strings.Trim(f[2], "-"),
				Status: imagebuilder.Status(status), Retried: flag, Start: minute(t, from), End: minute(t, to),
			})
		}
		for range 2 { // the order of the list means nothing
			if got := slices.Sorted(maps.Keys(retriedWithSuccess(all))); strings.Join(got, " ") != c.want {
				t.Errorf("%s (-want +got):\n%s", c.name, cmp.Diff(strings.Fields(c.want), got))
			}
			slices.Reverse(all)
		}
	}
}

// minute returns the time of so many minutes, zero for none.
func minute(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	d, err := time.ParseDuration(text + "m")
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC).Add(d)
}
