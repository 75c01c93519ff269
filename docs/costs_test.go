package docs_test

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// TestWhatItCosts plays two hours of each set-up in configuration.md and counts
// the requests.
func TestWhatItCosts(t *testing.T) {
	t.Parallel()
	rows := costRow.FindAllStringSubmatch(read(t, "docs/configuration.md"), -1)
	if len(rows) < 6 {
		t.Fatalf("%d set-ups are documented", len(rows))
	}
	for _, row := range rows {
		t.Run(row[0], func(t *testing.T) {
			interval, err := time.ParseDuration(row[5])
			if err != nil {
				t.Fatal(err)
			}
			n := func(i int) int {
				v, _ := strconv.Atoi(strings.ReplaceAll(row[i], ",", "")) // digits, by the pattern
				return v
			}
			synctest.Test(t, func(t *testing.T) {
				first, further := requests(t, n(1), n(2), n(3), n(4), interval)
				if first != n(6) || further != n(7) {
					t.Errorf("%d requests in the first hour and %d in the second; documented are %d, %d", first, further, n(6), n(7))
				}
			})
		})
	}
}

// costRow is: running, ended and forgotten executions, Prometheus servers, their
// interval, requests in the first hour and in each further one.
var costRow = regexp.MustCompile(`(?m)^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\w+) \| ([\d,]+) \| ([\d,]+) \|$`)

// requests returns how many requests a set-up makes in its first two hours.
func requests(t *testing.T, running, ended, forgotten, servers int, interval time.Duration) (first, second int) {
	t.Helper()
	var runs []emulator.Run
	var ids []string
	for i := range running + ended + forgotten {
		takes := 1000 * time.Hour
		if i >= running {
			takes = time.Minute
		}
		if i < running+ended {
			runs = append(runs, emulator.Run{ID: lookuptest.ID(i), Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Takes: takes}}})
		}
		ids = append(ids, lookuptest.ID(i))
	}
	api := &emulator.API{Scenario: emulator.Runs(runs...)}
	target := lookuptest.New(t, lookuptest.Config{Name: "ids", API: api, Selection: lookup.Selection{WorkflowExecutions: ids}})
	begin := time.Now()
	hour := func(n int) int {
		before := api.Requests("GetWorkflowExecution")
		var all sync.WaitGroup
		for i := range servers {
			all.Go(func() {
				at := begin.Add(time.Duration(n)*time.Hour + time.Duration(i)*interval/time.Duration(servers))
				for ; at.Before(begin.Add(time.Duration(n+1) * time.Hour)); at = at.Add(interval) {
					<-time.After(time.Until(at))
					ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
					target.Lookup(ctx)
					cancel()
				}
			})
		}
		all.Wait()
		return api.Requests("GetWorkflowExecution") - before
	}
	return hour(0), hour(1)
}

// TestWhatDiscoveryCosts does the same for the set-ups with pipelines.
func TestWhatDiscoveryCosts(t *testing.T) {
	t.Parallel()
	rows := discoveryRow.FindAllStringSubmatch(read(t, "docs/configuration.md"), -1)
	if len(rows) < 4 {
		t.Fatalf("%d set-ups are documented", len(rows))
	}
	for _, row := range rows {
		var n [5]int // as in the pattern
		for i := range n {
			n[i], _ = strconv.Atoi(strings.ReplaceAll(row[i+1], ",", "")) // digits, by the pattern
		}
		synctest.Test(t, func(t *testing.T) {
			api := &emulator.API{Scenario: pipelines(n[0], n[1], n[2])}
			target := lookuptest.New(t, lookuptest.Config{Name: "pipelines", API: api, Selection: lookup.Selection{
				Pipelines: []lookup.Selector{{Name: regexp.MustCompile(`.`), Builds: 1}}, Steps: lookup.StepsActive, Waiting: true,
			}})
			begin, sum := time.Now(), 0
			hour := func(number int) int {
				for at := time.Duration(number) * time.Hour; at < time.Duration(number+1)*time.Hour; at += 15 * time.Second {
					<-time.After(time.Until(begin.Add(at)))
					ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
					target.Lookup(ctx)
					cancel()
				}
				before := sum
				sum = 0
				for _, operation := range imagebuilder.Operations() {
					sum += api.Requests(string(operation))
				}
				return sum - before
			}
			if first, further := hour(0), hour(1); first != n[3] || further != n[4] {
				t.Errorf("%s: %d requests in the first hour and %d in the second", row[0], first, further)
			}
		})
	}
}

// TestWhatThousandsOfPipelinesCost plays pipelines that have not built, and counts for twenty minutes.
func TestWhatThousandsOfPipelinesCost(t *testing.T) {
	t.Parallel()
	rows := thousandsRow.FindAllStringSubmatch(read(t, "docs/configuration.md"), -1)
	if len(rows) < 2 {
		t.Fatalf("%d numbers of pipelines are documented", len(rows))
	}
	for _, row := range rows {
		number, _ := strconv.Atoi(strings.ReplaceAll(row[1], ",", "")) // digits, by the pattern
		most, _ := strconv.Atoi(strings.ReplaceAll(row[3], ",", ""))
		synctest.Test(t, func(t *testing.T) {
			api := &emulator.API{Scenario: pipelines(number, 0, 0)}
			target := lookuptest.New(t, lookuptest.Config{Name: "pipelines", API: api, Selection: lookup.Selection{
				Pipelines: []lookup.Selector{{Name: regexp.MustCompile(`.`), Builds: 1}},
			}})
			begin, before := time.Now(), 0
			var s lookup.Snapshot
			for at := time.Duration(0); at < 40*time.Minute; at += 30 * time.Second {
				<-time.After(time.Until(begin.Add(at)))
				if at == 20*time.Minute {
					before = discoveryRequests(api)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
				s = target.Lookup(ctx)
				cancel()
			}
			if interval, err := time.ParseDuration(row[2]); err != nil || s.DiscoveryInterval.Truncate(time.Second) != interval {
				t.Errorf("%s: the interval is %s", row[0], s.DiscoveryInterval)
			}
			n := 3 * (discoveryRequests(api) - before)
			t.Logf("%d pipelines: %d requests in an hour, interval %s", number, n, s.DiscoveryInterval)
			if n > most || n < most*8/10 {
				t.Errorf("%s: %d requests in an hour", row[0], n)
			}
		})
	}
}

// discoveryRequests returns how many requests of pipelines and their builds there were.
func discoveryRequests(api *emulator.API) int {
	return api.Requests("ListImagePipelines") + api.Requests("ListImagePipelineImages")
}

// thousandsRow is: pipelines, interval of discovery, requests in an hour.
var thousandsRow = regexp.MustCompile(`(?m)^\| ([\d,]+) \| (\w+) \| ([\d,]+) \|$`)

// pipelines returns so many pipelines with builds of an hour ago. The first build of so many
// of them runs on.
func pipelines(number, builds, running int) *emulator.Account {
	account := &emulator.Account{}
	for p := range number {
		pipeline := fmt.Sprintf("arn:aws:imagebuilder:eu-west-1:111122223333:image-pipeline/p-%d", p)
		account.Pipelines = append(account.Pipelines, emulator.Pipeline{ARN: pipeline})
		for b := range builds {
			run := emulator.Run{ID: lookuptest.ID(1000*p + b), Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Takes: time.Minute}}}
			if b == 0 && p < running {
				run.Steps[0].Takes = 1000 * time.Hour
			}
			account.Images = append(account.Images, emulator.Image{
				ARN:         fmt.Sprintf("arn:aws:imagebuilder:eu-west-1:111122223333:image/p-%d/1.0.0/%d", p, b+1),
				PipelineARN: pipeline, Created: run.Start, Attempts: []emulator.Attempt{{Runs: []emulator.Run{run}}},
			})
		}
	}
	return account
}

// discoveryRow is: pipelines, builds of each, builds that run, requests in the first
// hour and in each further one.
var discoveryRow = regexp.MustCompile(`(?m)^\| (\d+) \| (\d+) \| (\d+) \| ([\d,]+) \| ([\d,]+) \|$`)
