package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/targets"
)

// emulatorProcess is set in the environment of the test binary when it is to be an
// emulator of so many executions, so that the benchmarks measure the exporter alone.
const emulatorProcess = "IMAGEBUILDER_EXPORTER_TEST_EMULATOR"

// benchStart is when the last of the benchmarks' executions started.
var benchStart = time.Date(2026, 9, 9, 0, 0, 0, 0, time.UTC)

// serveEmulator prints its address, and serves until its standard input ends.
func serveEmulator() {
	n, _ := strconv.Atoi(os.Getenv(emulatorProcess))
	latency, _ := time.ParseDuration(os.Getenv(emulatorProcess + "_LATENCY"))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	runs := emulator.Synthetic(1, n, benchStart)
	running, _ := strconv.Atoi(os.Getenv(emulatorProcess + "_RUNNING"))
	for i := n - running; i < n; i++ {
		runs[i].Steps[0].Takes = 1_000_000 * time.Hour
	}
	account := &emulator.Account{Runs: runs}
	if pipelines, _ := strconv.Atoi(os.Getenv(emulatorProcess + "_PIPELINES")); pipelines > 0 {
		account = pipelinesOf(pipelines, runs)
	}
	go func() { _ = http.Serve(listener, &emulator.API{Latency: latency, Scenario: account}) }()
	fmt.Fprintln(os.Stdout, listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// pipelinesOf returns so many pipelines that have made a build of each of the runs.
func pipelinesOf(pipelines int, runs []emulator.Run) *emulator.Account {
	account := &emulator.Account{}
	for p := range pipelines {
		arn := fmt.Sprintf("arn:aws:imagebuilder:eu-west-1:111122223333:image-pipeline/pipeline-%d", p)
		account.Pipelines = append(account.Pipelines, emulator.Pipeline{ARN: arn})
		for n := p; n < len(runs); n += pipelines {
			account.Images = append(account.Images, emulator.Image{
				ARN:         fmt.Sprintf("arn:aws:imagebuilder:eu-west-1:111122223333:image/pipeline-%d/1.0.0/%d", p, n/pipelines+1),
				PipelineARN: arn, Created: runs[n].Start, Attempts: []emulator.Attempt{{Runs: runs[n : n+1]}},
			})
		}
	}
	return account
}

// startEmulator returns the URL of an emulator in a process of its own, and the ids
// of its executions, which have all ended.
func startEmulator(b *testing.B, n int, latency time.Duration) (url string, ids []string) {
	b.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%d", emulatorProcess, n), fmt.Sprintf("%s_LATENCY=%s", emulatorProcess, latency))
	stdin, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stdin.Close(); c.Wait() })
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range emulator.Synthetic(1, n, benchStart) {
		ids = append(ids, r.ID)
	}
	return "http://" + strings.TrimSpace(address), ids
}

// newBenchExporter returns an Exporter that asks the emulator at url, and what ends it.
func newBenchExporter(b *testing.B, url string, ids []string) (*Exporter, func()) {
	b.Helper()
	return newBenchExporterOf(b, config.Target{EndpointURL: url, WorkflowExecutions: ids})
}

func newBenchExporterOf(b *testing.B, target config.Target) (*Exporter, func()) {
	b.Helper()
	c := config.Default()
	c.Lookup.RateLimit, c.Lookup.Concurrency = 0, 64
	target.Name, target.Regions = "bench", []string{"eu-west-1"}
	c.Targets = []config.Target{target}
	own := prometheus.NewRegistry()
	e := newExporter(own, everything, 4, log.NewNopLogger())
	set := targets.New(targets.Options{
		Collectors: everything, Static: &imagebuilder.StaticCredentials{AccessKeyID: "AKID", SecretAccessKey: "secret"},
		Metrics: imagebuilder.NewMetrics(own), Panics: e.panics, Logger: e.logger,
	})
	if err := set.Apply(b.Context(), &c); err != nil {
		b.Fatal(err)
	}
	e.targets = set
	return e, set.Close
}

// benchScrape scrapes e with all the time it needs, and checks that nothing is missing.
func benchScrape(b *testing.B, e *Exporter, executions int) {
	b.Helper()
	w := scrape(e, "X-Prometheus-Scrape-Timeout-Seconds", "600")
	if n := strings.Count(w.Body.String(), "\nimagebuilder_workflow_execution_steps{"); w.Code != 200 || n != executions {
		b.Fatalf("status %d, %d executions, want %d", w.Code, n, executions)
	}
}

// cost is what something took of this process.
type cost struct {
	cpu    time.Duration // user and system
	allocs uint64
}

// measure returns the cost of f, garbage collection included.
func measure(f func()) cost {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	cpu := processCPU()
	f()
	runtime.GC()
	cpu = processCPU() - cpu
	runtime.ReadMemStats(&after)
	return cost{cpu, after.Mallocs - before.Mallocs}
}

func processCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// median returns the run whose CPU time lies in the middle of rounds.
func median(rounds []cost) cost {
	slices.SortFunc(rounds, func(a, b cost) int { return int(a.cpu - b.cpu) })
	return rounds[len(rounds)/2]
}

const benchRounds = 7

// BenchmarkColdScrape compares a scrape that looks everything up with a bare loop of
// SDK calls over the same ids, and ten times as many executions with these.
func BenchmarkColdScrape(b *testing.B) {
	const small, large = 1_000, 10_000
	url, ids := startEmulator(b, large, 0)
	client := sdk.New(sdk.Options{
		Region: "eu-west-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
	})
	bare := func() {
		for _, id := range ids[:small] {
			if _, err := client.GetWorkflowExecution(b.Context(), &sdk.GetWorkflowExecutionInput{WorkflowExecutionId: aws.String(id)}); err != nil {
				b.Fatal(err)
			}
		}
	}
	cold := func(n int) func() {
		return func() {
			e, end := newBenchExporter(b, url, ids[:n])
			defer end()
			if size := ask(b, e); size < 100*n { // an id alone has 16 bytes
				b.Fatalf("%d bytes about %d executions", size, n)
			}
		}
	}
	for b.Loop() {
		var bares, colds, larges []cost
		var programs []float64
		bare()
		cold(small)()
		for range benchRounds {
			bares = append(bares, measure(bare))
			colds = append(colds, measure(cold(small)))
		}
		for range 3 {
			larges = append(larges, measure(cold(large)))
			p := startProgram(b, url, ids[:small], "")
			p.scrape(openMetrics, "gzip")
			programs = append(programs, cpuSeconds(b, p.pid))
		}
		bare, cold, large10 := median(bares), median(colds), median(larges)
		b.ReportMetric(float64(bare.cpu.Microseconds())/small, "bare-cpu-µs/exec")
		b.ReportMetric(float64(cold.cpu.Microseconds())/small, "cold-cpu-µs/exec")
		b.ReportMetric(float64(cold.allocs)/small, "cold-allocs/exec")
		b.ReportMetric(float64(bare.allocs)/small, "bare-allocs/exec")
		b.ReportMetric(cold.cpu.Seconds()/bare.cpu.Seconds(), "cold/bare")
		b.ReportMetric(slices.Sorted(slices.Values(programs))[1]/bare.cpu.Seconds(), "program/bare")
		b.ReportMetric(large10.cpu.Seconds()/cold.cpu.Seconds(), "10000/1000")
	}
}

// discard is a ResponseWriter that counts.
type discard struct {
	header http.Header
	bytes  int
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(int)     {}
func (d *discard) Write(p []byte) (int, error) {
	d.bytes += len(p)
	return len(p), nil
}

// ask has e answer a scrape as Prometheus makes it, and returns the size of the answer.
func ask(b *testing.B, e *Exporter) int {
	b.Helper()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", openMetrics)
	r.Header.Set("Accept-Encoding", "gzip")
	r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "600")
	d := &discard{header: http.Header{}}
	e.ServeHTTP(d, r)
	if d.header.Get("Content-Encoding") != "gzip" {
		b.Fatalf("the answer has the header %v", d.header)
	}
	return d.bytes
}

// program is the built program in a process of its own, whose CPU time and memory are counted
// from outside.
type program struct {
	b   *testing.B
	pid int
	url string
}

// startProgram starts it with these executions of the API at url, and with more of the
// configuration's key lookup.
func startProgram(b *testing.B, url string, ids []string, lookup string) *program {
	b.Helper()
	text := "lookup: {rate_limit: 0, concurrency: 64" + lookup + "}\ntargets:\n- name: bench\n  regions: [eu-west-1]\n  endpoint_url: " + url + "\n  workflow_executions:\n"
	file := filepath.Join(b.TempDir(), "config.yml")
	if err := os.WriteFile(file, []byte(text+"  - "+strings.Join(ids, "\n  - ")+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	c := binarytest.Command(b.Context(), b, "--config.file="+file, "--web.listen-address=127.0.0.1:0")
	p := binarytest.Start(b, binarytest.WithCredentials(c))
	return &program{b, p.Process.Pid, p.URL("/metrics")}
}

// The Accept headers of Prometheus 3, without and with native histograms.
const (
	openMetrics = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
	protobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6," + openMetrics
)

// scrape returns the body of one scrape.
func (p *program) scrape(accept, encoding string) []byte {
	p.b.Helper()
	r, err := http.NewRequestWithContext(p.b.Context(), http.MethodGet, p.url, nil)
	if err != nil {
		p.b.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", encoding)
	r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "600")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.b.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.b.Fatal(resp.Status, err)
	}
	return body
}

// cpu returns the CPU time of a scrape in seconds, of so many that the kernel's clock, which
// ticks every 10 ms, can tell it.
func (p *program) cpu(times int, accept, encoding string) float64 {
	p.b.Helper()
	p.scrape(accept, encoding)
	before := cpuSeconds(p.b, p.pid)
	for range times {
		p.scrape(accept, encoding)
	}
	return (cpuSeconds(p.b, p.pid) - before) / float64(times)
}

// cpuSeconds returns the CPU time of a process.
func cpuSeconds(b *testing.B, pid int) float64 {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	ticks := 0
	for _, field := range strings.Fields(rest)[11:13] { // utime and stime: proc_pid_stat(5)
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return float64(ticks) / 100
}

// encode returns the CPU time in seconds of encoding what p publishes once, into OpenMetrics
// without compression, and how many series that are.
func (p *program) encode() (seconds float64, series int) {
	p.b.Helper()
	decoder := expfmt.NewDecoder(bytes.NewReader(p.scrape(protobuf, "identity")), expfmt.NewFormat(expfmt.TypeProtoDelim))
	var families []*dto.MetricFamily
	for {
		var f dto.MetricFamily
		if err := decoder.Decode(&f); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			p.b.Fatal(err)
		}
		families, series = append(families, &f), series+len(f.GetMetric())
	}
	var rounds []cost
	for range benchRounds {
		rounds = append(rounds, measure(func() {
			encoder := expfmt.NewEncoder(io.Discard, expfmt.NewFormat(expfmt.TypeOpenMetrics))
			for _, f := range families {
				if err := encoder.Encode(f); err != nil {
					p.b.Fatal(err)
				}
			}
		}))
	}
	return median(rounds).cpu.Seconds(), series
}

// BenchmarkScrape is what the scrapes of a Prometheus cost the program, when all executions have
// ended: CPU time, against that of encoding the same families once, bytes, and memory.
func BenchmarkScrape(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			url, ids := startEmulator(b, n, 0)
			p := startProgram(b, url, ids, "")
			for b.Loop() {
				begun := cpuSeconds(b, p.pid)
				text := p.scrape(openMetrics, "identity")
				if got := bytes.Count(text, []byte("\nimagebuilder_workflow_execution_steps{")); got != n {
					b.Fatalf("%d executions, want %d", got, n)
				}
				b.ReportMetric(cpuSeconds(b, p.pid)-begun, "cold-cpu-s")
				warm := p.cpu(100, openMetrics, "gzip")
				b.ReportMetric(resident(b, p.pid), "after-100-MiB")
				b.ReportMetric(1e3*warm, "warm-cpu-ms")
				b.ReportMetric(float64(len(p.scrape(openMetrics, "gzip")))/(1<<10), "gzip-KiB")
				b.ReportMetric(float64(len(text))/(1<<10), "text-KiB")
				identity := p.cpu(50, openMetrics, "identity")
				b.ReportMetric(1e3*identity, "identity-cpu-ms")
				if n > 10_000 {
					continue
				}
				encode, series := p.encode()
				b.ReportMetric(1e3*encode, "encode-cpu-ms")
				b.ReportMetric(warm/encode, "warm/encode")
				b.ReportMetric(identity/encode, "identity/encode")
				b.ReportMetric(p.cpu(3, protobuf, "gzip")/encode, "protobuf/encode")
				b.ReportMetric(float64(series), "series")
			}
		})
	}
}

// BenchmarkLiveScrape is 10,000 executions of which some run: scrapes that find none of these due,
// and scrapes that find all of them due, against encoding the same families once.
func BenchmarkLiveScrape(b *testing.B) {
	const n = 10_000
	for _, running := range []int{100, 1_000} {
		b.Run(strconv.Itoa(running), func(b *testing.B) {
			b.Setenv(emulatorProcess+"_RUNNING", strconv.Itoa(running))
			url, ids := startEmulator(b, n, 0)
			fresh, due := startProgram(b, url, ids, ", min_interval: 1h"), startProgram(b, url, ids, ", min_interval: 1ms")
			for b.Loop() {
				encode, _ := fresh.encode()
				live := fresh.cpu(20, openMetrics, "gzip")
				b.ReportMetric(live/encode, "live/encode")
				b.ReportMetric(1e3*live, "live-cpu-ms")
				lookups := due.cpu(20, openMetrics, "gzip")
				b.ReportMetric(lookups/encode, "due/encode")
				b.ReportMetric(1e6*(lookups-live)/float64(running), "lookup-cpu-µs")
			}
		})
	}
}

// BenchmarkAllocations holds that a scrape allocates the same whatever has settled.
func BenchmarkAllocations(b *testing.B) {
	const small, large = 1_000, 10_000
	url, ids := startEmulator(b, large, 0)
	for b.Loop() {
		var counts []float64
		for _, n := range []int{small, large} {
			e, end := newBenchExporter(b, url, ids[:n])
			ask(b, e)
			counts = append(counts, testing.AllocsPerRun(20, func() { ask(b, e) }))
			end()
		}
		b.ReportMetric(counts[0], "1000-allocs")
		b.ReportMetric(counts[1], "10000-allocs")
	}
}

// total sums all series of a counter.
func total(b *testing.B, g prometheus.Gatherer, name string) float64 {
	b.Helper()
	families, err := g.Gather()
	if err != nil {
		b.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// BenchmarkDiscovery is 200 pipelines of 25 builds each, of which 5 are followed with
// all their steps: what the first scrape costs, and a later one.
func BenchmarkDiscovery(b *testing.B) {
	const pipelines, builds, followed = 200, 25, 5
	b.Setenv(emulatorProcess+"_PIPELINES", strconv.Itoa(pipelines))
	url, _ := startEmulator(b, pipelines*builds, 0)
	for b.Loop() {
		e, end := newBenchExporterOf(b, config.Target{
			EndpointURL: url, Steps: config.StepsAll, MaxExecutions: pipelines * followed,
			Pipelines: []config.Selector{{Name: ".*", Builds: followed}},
		})
		cold := measure(func() { benchScrape(b, e, pipelines*followed) })
		calls := total(b, e.own, "imagebuilder_exporter_api_requests_total")
		var warms []cost
		var series int
		for range benchRounds {
			warms = append(warms, measure(func() {
				w := scrape(e, "X-Prometheus-Scrape-Timeout-Seconds", "600")
				series = strings.Count(w.Body.String(), "\nimagebuilder_")
			}))
		}
		warm := median(warms)
		b.ReportMetric(float64(series), "series")
		b.ReportMetric(calls, "calls")
		b.ReportMetric(total(b, e.own, "imagebuilder_exporter_api_requests_total")-calls, "warm-calls")
		b.ReportMetric(float64(cold.cpu.Microseconds())/calls, "cold-cpu-µs/call")
		b.ReportMetric(warm.cpu.Seconds()/cold.cpu.Seconds(), "warm/cold")
		b.ReportMetric(float64(warm.allocs)/float64(series), "warm-allocs/series")
		end()
	}
}

// BenchmarkDiscoveryGrows discovers 400 pipelines, and four times as many: what each costs
// must not grow with their number.
func BenchmarkDiscoveryGrows(b *testing.B) {
	const small, large = 400, 1600
	discover := func(pipelines int) func() {
		b.Setenv(emulatorProcess+"_PIPELINES", strconv.Itoa(pipelines))
		url, _ := startEmulator(b, pipelines, 0)
		return func() {
			e, end := newBenchExporterOf(b, config.Target{
				EndpointURL: url, Steps: config.StepsNone, MaxExecutions: pipelines,
				Pipelines: []config.Selector{{Name: ".*", Builds: 1}},
			})
			defer end()
			scrape := e.targets.Acquire()
			defer scrape.Release()
			s := scrape.Sources[0].Lookup(b.Context()) // rendered by none
			if n := s.Selected(); n != pipelines {
				b.Fatalf("%d executions of %d pipelines", n, pipelines)
			}
		}
	}
	few, many := discover(small), discover(large)
	const times = large / small // as much work in each measurement
	fewOften := func() {
		for range times {
			few()
		}
	}
	for b.Loop() {
		var smalls, larges []cost
		few()
		many()
		for range 5 {
			smalls = append(smalls, measure(fewOften))
			larges = append(larges, measure(many))
		}
		small, large := median(smalls), median(larges)
		b.ReportMetric(times*float64(large.allocs)/float64(small.allocs), "allocs-ratio")
		b.ReportMetric(small.cpu.Seconds()/times, "400-cpu-s")
		b.ReportMetric(large.cpu.Seconds(), "1600-cpu-s")
		b.ReportMetric(times*large.cpu.Seconds()/small.cpu.Seconds(), "1600/400")
	}
}

// BenchmarkFirstScrape is one scrape with the limits of a real Prometheus, of an API
// that takes 50 ms for an answer: how many of 1,000 executions it has.
func BenchmarkFirstScrape(b *testing.B) {
	const n = 1_000
	url, ids := startEmulator(b, n, 50*time.Millisecond)
	for b.Loop() {
		e, end := newBenchExporter(b, url, ids)
		e.offset = 500 * time.Millisecond
		begin := time.Now()
		w := scrape(e, "X-Prometheus-Scrape-Timeout-Seconds", "10")
		b.ReportMetric(time.Since(begin).Seconds(), "s/scrape")
		b.ReportMetric(float64(strings.Count(w.Body.String(), "\nimagebuilder_workflow_execution_steps{")), "executions")
		end()
	}
}

// resident returns the resident memory of a process in MiB.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}
