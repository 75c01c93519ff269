package imagebuilder

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestExecutionIDs(t *testing.T) {
	for s, want := range map[string]string{
		"wf-165b1cb6-3a62-4618-a021-94ddcbe32908": "wf-165b1cb6-3a62-4618-a021-94ddcbe32908",
		"wf-165B1CB6-3A62-4618-A021-94DDCBE32908": "wf-165b1cb6-3a62-4618-a021-94ddcbe32908",
		"":                                     "",
		"165b1cb6-3a62-4618-a021-94ddcbe32908": "",
		"WF-165b1cb6-3a62-4618-a021-94ddcbe32908":   "",
		"wf-165b1cb6-3a62-4618-a021-94ddcbe3290":    "",
		"wf-165b1cb6-3a62-4618-a021-94ddcbe32908\n": "",
		"wf-165b1cb6-3a62-4618-a021-94ddcbe3290g":   "",
	} {
		got, err := ParseExecutionID(s)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseExecutionID(%q) = %q, %v; want %q", s, got, err, want)
		}
	}
}

func TestRegions(t *testing.T) {
	for _, s := range []string{"eu-west-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1", "ap-southeast-7", "cn-northwest-1", "mx-central-1"} {
		if err := CheckRegion(s); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{"", "eu", "eu-west", "EU-WEST-1", "eu_west_1", "eu-west-1a", "eu-west-1 ", "global", "eu-west-1.amazonaws.com"} {
		if CheckRegion(s) == nil {
			t.Errorf("%q is taken for a region", s)
		}
	}
}

func TestImageBuildVersionARNs(t *testing.T) {
	for arn, want := range map[string]ImageBuildVersion{
		"arn:aws:imagebuilder:us-west-2:111122223333:image/my-example-recipe/1.0.0/1": {"111122223333", "my-example-recipe", "1.0.0/1"},
		"arn:aws-us-gov:imagebuilder:us-gov-west-1:111122223333:image/a/2.10.3/44":    {"111122223333", "a", "2.10.3/44"},
		"arn:aws-cn:imagebuilder:cn-north-1:aws:image/amazon-linux-2-x86/2026.9.9/1":  {"aws", "amazon-linux-2-x86", "2026.9.9/1"},
		"": {},
		"arn:aws:imagebuilder:us-west-2:111122223333:image/my-example-recipe/1.0.0":     {},
		"arn:aws:imagebuilder:us-west-2:111122223333:image/my-example-recipe//1":        {},
		"arn:aws:imagebuilder:us-west-2::image/my-example-recipe/1.0.0/1":               {},
		"arn:aws:ec2:us-west-2:111122223333:image/my-example-recipe/1.0.0/1":            {},
		"arn:aws:imagebuilder:us-west-2:111122223333:image-pipeline/a/1.0.0/1":          {},
		"arn:aws:imagebuilder:us-west-2:111122223333:image/my-example-recipe/1.0.0/1/2": {},
	} {
		if got := ParseImageBuildVersionARN(arn); got != want {
			t.Errorf("ParseImageBuildVersionARN(%q) = %+v, want %+v", arn, got, want)
		}
	}
}

func TestWorkflowTypes(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:imagebuilder:us-west-2:aws:workflow/build/build-image/1.0.3/1":              "BUILD",
		"arn:aws-cn:imagebuilder:cn-north-1:111122223333:workflow/test/mine/1.0.0/3":         "TEST",
		"arn:aws:imagebuilder:us-west-2:111122223333:workflow/distribution/copy-it/1.0.0/3":  "DISTRIBUTION",
		"arn:aws:imagebuilder:us-west-2:111122223333:workflow/something/copy-it/1.0.0/3":     "",
		"arn:aws:imagebuilder:us-west-2:111122223333:workflow/build/build-image/1.0.3":       "",
		"arn:aws:imagebuilder:us-west-2:111122223333:component/build/build-image/1.0.3/1":    "",
		"arn:aws:imagebuilder:us-west-2:111122223333:image/build/build-image/1.0.3/workflow": "",
		"": "",
	} {
		if got := workflowType(arn); got != want {
			t.Errorf("workflowType(%q) = %q, want %q", arn, got, want)
		}
	}
}

func TestDurations(t *testing.T) {
	now := time.Date(2026, 9, 9, 20, 0, 0, 0, time.UTC)
	hour := now.Add(-time.Hour)
	for _, c := range []struct {
		name  string
		e     Execution
		want  time.Duration
		known bool
	}{
		{"ended", Execution{Status: "COMPLETED", Start: hour, End: hour.Add(time.Minute)}, time.Minute, true},
		{"running", Execution{Status: StatusRunning, Start: hour}, time.Hour, true},
		{"status of the future", Execution{Status: "PAUSED", Start: hour}, time.Hour, true},
		{"not started", Execution{Status: "PENDING"}, 0, false},
		{"end without a start", Execution{Status: "COMPLETED", End: hour}, 0, false},
		{"final without an end", Execution{Status: "FAILED", Start: hour}, 0, false},
		{"starts in the future, as with a wrong clock", Execution{Status: StatusRunning, Start: now.Add(time.Hour)}, 0, true},
	} {
		if got, known := c.e.Duration(now); got != c.want || known != c.known {
			t.Errorf("%s: got %s, %t; want %s, %t", c.name, got, known, c.want, c.known)
		}
	}
}

// isRFC3339 reports whether s, which Go has read as t, is what RFC 3339 allows: Go also reads
// an hour of one digit, a comma before the fraction, and zones of 24 hours or 60 minutes.
func isRFC3339(s string, t time.Time) bool {
	_, offset := t.Zone()
	return len(s) > 19 && t.Format("2006-01-02T15:04:05") == s[:19] && !strings.Contains(s, ",") &&
		offset > -24*60*60 && offset < 24*60*60 && !strings.HasSuffix(s, ":60")
}

// FuzzDecodeTime holds that a time stamp is counted as unreadable, or read so that
// it means what is written.
func FuzzDecodeTime(f *testing.F) {
	for _, s := range []string{"2026-09-09T19:12:23.175Z", "2026-09-09T19:12:23+02:00", "", "0", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2000-01-01T0:00:00Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		counted := 0
		got := decodeTime(&s, func(string) { counted++ })
		want, err := time.Parse(time.RFC3339Nano, s)
		if err == nil && !isRFC3339(s, want) {
			want, err = time.Time{}, errors.New("only Go reads that")
		}
		if err == nil && (want.Year() < 1970 || want.Year() > 2200) {
			want, err = time.Time{}, errors.New("not in this time")
		}
		if !got.Equal(want) || (err != nil && s != "") != (counted == 1) {
			t.Errorf("decodeTime(%q) = %s, counted %d times; want %s (%v)", s, got, counted, want, err)
		}
	})
}

// FuzzARNs holds that what is read of an ARN stands in it, and that a part is never
// taken for the whole.
func FuzzARNs(f *testing.F) {
	f.Add("arn:aws:imagebuilder:us-west-2:111122223333:image/my-example-recipe/1.0.0/1")
	f.Add("arn:aws:imagebuilder:us-west-2:aws:workflow/build/build-image/1.0.3/1")
	f.Add("arn:::::")
	f.Fuzz(func(t *testing.T, arn string) {
		workflowType(arn)
		v := ParseImageBuildVersionARN(arn)
		if v == (ImageBuildVersion{}) {
			return
		}
		suffix := ":" + v.AccountID + ":image/" + v.Name + "/" + v.Version
		if v.AccountID == "" || v.Name == "" || len(arn) <= len(suffix) || arn[len(arn)-len(suffix):] != suffix {
			t.Errorf("%q was read as %+v", arn, v)
		}
	})
}
