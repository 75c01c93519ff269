package targets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
)

// organization is an API with a role and a pipeline in each of these accounts.
func organization(ids ...string) *emulator.API {
	api := &emulator.API{Scenario: emulator.Runs()}
	for _, id := range ids {
		arn := "arn:aws:imagebuilder:eu-west-1:" + id + ":image-pipeline/golden"
		api.Roles = append(api.Roles, emulator.Role{
			ARN: "arn:aws:iam::" + id + ":role/reader", ExternalID: "very-external",
			Scenario: &emulator.Account{Pipelines: []emulator.Pipeline{{ARN: arn, Name: "golden"}}},
		})
	}
	return api
}

const organizationFile = `targets:
- name: golden-{account}
  regions: [eu-west-1]
  pipelines: [{name: .*}]
  role_arn: arn:aws:iam::{account}:role/reader
  external_id: very-external
  endpoint_url: http://emulator
  accounts_file: accounts.txt
`

// TestAnAccountThatIsAdded has a change of the accounts file alone: it is noticed, and only the
// new account is looked up.
func TestAnAccountThatIsAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		accounts := &file{t: t, path: filepath.Join(folder, "accounts.txt")}
		accounts.write("111122223333\n012345678901 # dev\n")
		f := newFileIn(t, folder, organization("111122223333", "012345678901", "444455556666"), organizationFile)
		want := map[string]float64{}
		expectRequests := func(what string, ids ...string) {
			t.Helper()
			for _, id := range ids {
				for _, operation := range []string{"AssumeRole", "ListImagePipelines", "ListImagePipelineImages"} {
					want["golden-"+id+" eu-west-1 "+operation] = 1
				}
				want["golden-"+id+" eu-west-1 GetWorkflowExecution"] = 0
			}
			for name, s := range f.w.scrape() {
				if !s.Up || len(s.Pipelines) != 1 {
					t.Errorf("%s: %s is %+v", what, name, s)
				}
			}
			if diff := cmp.Diff(want, f.w.requests()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		expectRequests("at first", "111122223333", "012345678901")
		tick()
		f.expect("nothing changed", 0, 0, 1, 10*time.Second)

		accounts.write("111122223333\n444455556666\n012345678901\n")
		tick()
		f.expect("another account", 1, 0, 1, 0)
		expectRequests("another account", "444455556666")
		if logs := f.w.logs.String(); strings.Count(logs, "msg=target ") != 3 || strings.Contains(logs, "target changed") {
			t.Errorf("the log is\n%s", logs)
		}

		accounts.write("111122223333\n44445555666\n")
		tick()
		f.expect("a bad account", 1, 1, 0, 10*time.Second)
		if want := accounts.path + ":2:1: this is not an AWS account id"; !strings.Contains(f.w.logs.String(), want) {
			t.Errorf("the log does not have %s:\n%s", want, f.w.logs.String())
		}
		tick()
		f.expect("the same bad account", 1, 1, 0, 20*time.Second)
		if err := os.Remove(accounts.path); err != nil {
			t.Fatal(err)
		}
		tick()
		f.expect("no accounts file", 1, 2, 0, 30*time.Second)
		tick()
		f.expect("still no accounts file", 1, 2, 0, 40*time.Second)
		expectRequests("all three are still looked up")

		accounts.write("111122223333\n444455556666\n")
		tick()
		f.expect("one account less", 2, 2, 1, 0)
		if names := f.w.scrape(); len(names) != 2 {
			t.Errorf("looked up are %v", names)
		}

		accounts.write("111122223333\n")
		if err := f.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		f.expect("a reload that somebody asks for", 3, 2, 1, 0)
		if names := f.w.scrape(); len(names) != 1 {
			t.Errorf("after a reload that somebody asks for %v are looked up", names)
		}
	})
}

// TestAnAccountsFileThatIsBackForTheLoad has an accounts file that only the load could not read:
// its checksum is what was tried, and yet it is tried again.
func TestAnAccountsFileThatIsBackForTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFile(t, goodFile)
		synctest.Wait()
		load, failed := f.load, false
		f.mu.Lock()
		f.load = func() (*config.Config, error) {
			if !failed {
				failed = true
				return nil, &config.Error{File: f.path, Line: 1, Column: 1, Sentence: "the accounts file cannot be read", Cause: os.ErrPermission}
			}
			return load()
		}
		f.mu.Unlock()
		f.write(goodFile + "\n")
		<-time.After(11 * time.Second)
		f.expect("it cannot be read", 0, 1, 0, 11*time.Second)
		<-time.After(10 * time.Second)
		f.expect("it can", 1, 1, 1, time.Second)
	})
}
