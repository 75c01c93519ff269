package emulator

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/google/go-cmp/cmp"
)

// manyVersions has 30 versions of one image and a few others, of several owners. Of what is
// old, each build is deprecated, disabled or deleted; of half, one.
func manyVersions() *Account {
	a := &Account{Pipelines: []Pipeline{{ARN: testPipeline, First: start, Every: time.Hour, Keep: 1, Build: func(int, time.Time) Image {
		return Image{ARN: inEurope + "image/built/1.0.0/7"}
	}}}}
	add := func(arn string, after time.Duration, change func(*Image)) {
		i := Image{ARN: arn, Created: start.Add(after), BuildType: "USER_INITIATED", Tags: map[string]string{"team": "web"}}
		change(&i)
		a.Images = append(a.Images, i)
	}
	none := func(*Image) {}
	for n := range 30 {
		add(fmt.Sprintf("%simage/many/1.%d.0/1", inEurope, n), -time.Hour, none)
	}
	add(inEurope+"image/web/1.0.0/2", -2*time.Hour, func(i *Image) { i.Name, i.Platform = "Web Server", "Windows" })
	add(inEurope+"image/web/1.0.0/1", -9*time.Hour, func(i *Image) { i.Name = "Old Name" })
	add(inEurope+"image/web/2.0.0/1", -3*time.Hour, func(i *Image) { i.Name, i.Type = "Web Server", "DOCKER" })
	add(inEurope+"image/old/1.0.0/1", -5*time.Hour, func(i *Image) { i.Deprecated = start })
	add(inEurope+"image/old/1.0.0/2", -5*time.Hour, func(i *Image) { i.Disabled = start })
	add(inEurope+"image/old/1.0.0/3", -5*time.Hour, func(i *Image) { i.Retired = start })
	add(inEurope+"image/half/1.0.0/1", -5*time.Hour, func(i *Image) { i.Deprecated = start })
	add(inEurope+"image/half/1.0.0/2", -6*time.Hour, func(i *Image) { i.Attempts = []Attempt{{Start: i.Created, Fails: true}} })
	add(inEurope+"image/gone/1.0.0/1", -5*time.Hour, func(i *Image) { i.Deleted = start })
	add(inEurope+"image/later/1.0.0/1", time.Hour, none)
	add("arn:aws:imagebuilder:us-east-1:111122223333:image/far/1.0.0/1", -time.Hour, none)
	add("arn:aws:imagebuilder:eu-west-1:aws:image/amazon-linux/2026.1.1/1", -time.Hour, none)
	add("arn:aws:imagebuilder:eu-west-1:aws-marketplace:image/bought/1.0.0/1", -time.Hour, none)
	return a
}

// allVersions returns the rows of ListImages.
func allVersions(t *testing.T, c *imagebuilder.Client, in *imagebuilder.ListImagesInput) (all []types.ImageVersion) {
	t.Helper()
	for p := imagebuilder.NewListImagesPaginator(c, in); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out.ImageVersionList...)
	}
	return all
}

// namesAndVersions returns what is behind "image/" in the ARNs of versions.
func namesAndVersions(versions []types.ImageVersion) (names []string) {
	for _, v := range versions {
		name, version := cutARN(*v.Arn)
		names = append(names, name+"/"+version)
	}
	return names
}

func TestTheVersionsOfImages(t *testing.T) {
	client := newSDK(t, &API{Scenario: manyVersions(), Now: func() time.Time { return start }}, "eu-west-1")
	filter := func(name string, values ...string) []types.Filter {
		return []types.Filter{{Name: &name, Values: values}}
	}
	notMany := filter("name", "Web Server", "old", "half", "gone", "later", "far", "built", "amazon-linux", "bought", "Old Name")
	for _, c := range []struct {
		name string
		in   imagebuilder.ListImagesInput
		want []string
	}{
		{"by default those of the account", imagebuilder.ListImagesInput{Filters: notMany}, []string{"built/1.0.0", "web/1.0.0", "web/2.0.0", "half/1.0.0"}},
		{"its own", imagebuilder.ListImagesInput{Filters: notMany, Owner: "Self"}, []string{"built/1.0.0", "web/1.0.0", "web/2.0.0", "half/1.0.0"}},
		{
			"with what is deprecated",
			imagebuilder.ListImagesInput{Filters: notMany, Owner: "Self", IncludeDeprecated: aws.Bool(true)},
			[]string{"built/1.0.0", "web/1.0.0", "web/2.0.0", "half/1.0.0", "old/1.0.0"},
		},
		{"Amazon's", imagebuilder.ListImagesInput{Owner: "Amazon"}, []string{"amazon-linux/2026.1.1"}},
		{"those of the marketplace", imagebuilder.ListImagesInput{Owner: "AWSMarketplace"}, []string{"bought/1.0.0"}},
		{"what others share", imagebuilder.ListImagesInput{Owner: "Shared"}, nil},
		{"of a name", imagebuilder.ListImagesInput{Filters: filter("name", "Web Server")}, []string{"web/1.0.0", "web/2.0.0"}},
		{"of the name of an older build", imagebuilder.ListImagesInput{Filters: filter("name", "Old Name")}, nil},
		{"of a version", imagebuilder.ListImagesInput{Filters: filter("version", "2.0.0", "1.7.0")}, []string{"many/1.7.0", "web/2.0.0"}},
		{"of a platform", imagebuilder.ListImagesInput{Filters: filter("platform", "Windows")}, []string{"web/1.0.0"}},
		{"of a system", imagebuilder.ListImagesInput{Filters: filter("osVersion", "Microsoft Windows Server 2022")}, []string{"web/1.0.0"}},
		{"of a type", imagebuilder.ListImagesInput{Filters: filter("type", "DOCKER"), ByName: true}, []string{"web/2.0.0"}},
	} {
		if diff := cmp.Diff(c.want, namesAndVersions(allVersions(t, client, &c.in))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	for name, in := range map[string]imagebuilder.ListImagesInput{
		"an owner that nobody knows":  {Owner: "Nobody"},
		"a filter that nobody knows":  {Filters: filter("color", "blue")},
		"a filter of nothing":         {Filters: filter("name")},
		"a page of more than it may":  {MaxResults: aws.Int32(26)},
		"a page of another selection": {NextToken: firstPage(t, client).NextToken, Owner: "Self", IncludeDeprecated: aws.Bool(true)},
	} {
		_, err := client.ListImages(t.Context(), &in)
		if got := code(err); got != "InvalidParameterValueException" && got != "InvalidPaginationTokenException" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func firstPage(t *testing.T, c *imagebuilder.Client) *imagebuilder.ListImagesOutput {
	t.Helper()
	out, err := c.ListImages(t.Context(), &imagebuilder.ListImagesInput{Owner: "Self"})
	if err != nil || out.NextToken == nil {
		t.Fatalf("the first page: %+v, %v", out, err)
	}
	return out
}

func TestAVersionIsAsItsNewestBuild(t *testing.T) {
	client := newSDK(t, &API{Scenario: manyVersions(), Now: func() time.Time { return start }}, "eu-west-1")
	all := allVersions(t, client, &imagebuilder.ListImagesInput{Filters: []types.Filter{{Name: aws.String("platform"), Values: []string{"Windows"}}}})
	want := []types.ImageVersion{{
		Arn: aws.String(inEurope + "image/web/1.0.0"), Name: aws.String("Web Server"), Version: aws.String("1.0.0"), Type: "AMI",
		Platform: "Windows", OsVersion: aws.String("Microsoft Windows Server 2022"), Owner: aws.String("111122223333"),
		DateCreated: aws.String(Timestamp(start.Add(-2 * time.Hour))), BuildType: "USER_INITIATED", ImageSource: "CUSTOM",
	}}
	if diff := cmp.Diff(want, all, sdkTypes...); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryVersionIsListedOnce(t *testing.T) {
	for _, api := range []*API{{}, {PageSize: 7}, {Unruly: 1}, {Unruly: 2, PageSize: 3}} {
		api.Scenario, api.Now = manyVersions(), func() time.Time { return start }
		got := namesAndVersions(allVersions(t, newSDK(t, api, "eu-west-1"), &imagebuilder.ListImagesInput{}))
		ordered := slices.Sorted(slices.Values(got))
		if len(got) != 34 || len(slices.Compact(ordered)) != 34 {
			t.Errorf("pages of %d, unruly %d: %d versions, want 34: %v", api.PageSize, api.Unruly, len(got), got)
		}
	}
}

func TestARoleListsTheVersionsOfItsAccount(t *testing.T) {
	api := twoAccounts()
	api.Roles[0].Scenario = &Account{Images: []Image{{ARN: "arn:aws:imagebuilder:eu-west-1:444455556666:image/theirs/1.0.0/1"}}}
	theirs := assumed(t, api, "eu-west-1", api.Roles[0].ARN, "secret")
	if diff := cmp.Diff([]string{"theirs/1.0.0"}, namesAndVersions(allVersions(t, theirs, &imagebuilder.ListImagesInput{Owner: "Self"}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if own := allVersions(t, newSDK(t, api, "eu-west-1"), &imagebuilder.ListImagesInput{}); len(own) > 0 {
		t.Errorf("the caller's own account has %v", namesAndVersions(own))
	}
}
