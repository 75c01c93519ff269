package imagebuilder

import (
	"testing"
	"time"
)

func TestTheNewerOfTwoBuilds(t *testing.T) {
	at := time.Date(2026, 9, 9, 19, 12, 23, 0, time.UTC)
	build := func(created time.Time, version string) *Image {
		return &Image{ARN: "arn:" + version, Created: created, Build: ImageBuildVersion{Version: version}}
	}
	for _, c := range []struct {
		name         string
		older, newer *Image
	}{
		{"the time decides first", build(at, "2.0.0/1"), build(at.Add(time.Second), "1.0.0/1")},
		{"a time is newer than none", build(time.Time{}, "2.0.0/1"), build(at, "1.0.0/1")},
		{"the build number is a number", build(at, "1.0.0/9"), build(at, "1.0.0/10")},
		{"the patch version is a number", build(at, "1.0.9/1"), build(at, "1.0.10/1")},
		{"the major version decides first", build(at, "1.9.9/9"), build(at, "2.0.0/1")},
		{"a build number is newer than none", build(at, "1.0.0"), build(at, "1.0.0/1")},
	} {
		if forth, back := c.newer.Compare(c.older), c.older.Compare(c.newer); forth <= 0 || back >= 0 {
			t.Errorf("%s: %d and, the other way round, %d", c.name, forth, back)
		}
	}
	for a, b := range map[string]string{"1.0.0/9": "1.0.0/10", "1.0.0": "1.0.0/1"} {
		if order := compareVersions(a, b); order >= 0 {
			t.Errorf("%s is not older than %s: %d", a, b, order)
		}
	}
}

func TestNamesAndAccountsOfPipelines(t *testing.T) {
	for arn, want := range map[string]struct{ name, account string }{
		testPipeline:            {"web", "111122223333"},
		testPipeline + "/1.0.0": {},
		testImage:               {},
		"":                      {},
	} {
		if got := pipelineName(arn); got != want.name {
			t.Errorf("%q: the name is %q, want %q", arn, got, want.name)
		}
		if got := (&Pipeline{ARN: arn}).AccountID(); got != want.account {
			t.Errorf("%q: the account is %q, want %q", arn, got, want.account)
		}
	}
}
