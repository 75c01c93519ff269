// Imagebuilder_exporter is a Prometheus exporter for the workflow executions of EC2 Image Builder.
//
// This file parses flags, loads the configuration, connects the packages, serves, and handles signals.
// A scrape does not pass through it; it starts in exporter.go. Start reading with run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	// The CA roots, for images that have none.
	_ "golang.org/x/crypto/x509roots/fallback"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/logging"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/process"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/sd"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/server"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/status"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/targets"
)

const name = "imagebuilder_exporter"

const (
	// checkTime limits how long --config.check-aws takes.
	checkTime = 2 * time.Minute
	// shutdownTime limits a shutdown, after the drain, if something hangs. Flushing the log may take
	// another second, which makes the 15 s of docs/operations.md.
	shutdownTime = 14 * time.Second
)

func main() {
	stdout := process.NewOutput(os.Stdout)
	err := run(os.Args[1:], stdout, os.Stderr)
	if failed := stdout.Close(); err == nil && failed != nil && !errors.Is(failed, os.ErrClosed) { // --once has closed it
		err = fmt.Errorf("printing: %w", failed)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, message(err))
		if _, ok := errors.AsType[unwritten](err); ok {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

// unwritten is the error of --once if its output cannot be written. What was written may be incomplete.
// The exit status is 2.
type unwritten struct{ error }

// maxMessage bounds what is printed of an error, in bytes.
const maxMessage = 8 << 10

// message returns an error as it is printed on a terminal: one line without hidden characters. A
// mistake in the configuration has two lines, which have no hidden characters either.
func message(err error) string {
	if mistake, ok := errors.AsType[*config.Error](err); ok {
		return mistake.Error()
	}
	return printable.Line(err.Error(), maxMessage)
}

// run is the program. The error is one clear message for the user. Until the server runs, a signal
// ends the program at once, even if something hangs.
func run(args []string, stdout *process.Output, stderr io.Writer) error {
	// SIGHUP must not kill a program that is still starting, and SIGPIPE, from a log that nobody
	// reads, must not kill a running one.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	signal.Ignore(syscall.SIGPIPE)

	app, f := newApp()
	app.UsageWriter(stdout.Quiet())
	var printed bool // what --help or --version say
	app.Terminate(func(int) { printed = true })
	_, err := app.Parse(args)
	switch {
	case printed:
		return nil
	case err != nil:
		return fmt.Errorf("%w; see %s --help", err, name)
	}
	if err := f.check(); err != nil {
		return err
	}
	ctx := context.Background()
	if f.healthCheck || f.configCheck || f.once {
		signal.Reset(syscall.SIGHUP) // there is nothing to reload
	}
	switch {
	case f.healthCheck:
		return server.CheckHealth(ctx, f.web)
	case f.configCheck:
		return checkConfig(ctx, f, stdout, stderr)
	case f.once && stdout.WasClosed():
		return unwritten{errors.New("printing the metrics: standard output is closed")}
	}
	logs := logging.New(f.logLevel, f.logFormat == "json", stderr)
	defer logs.Close()
	logger := logs.Logger
	level.Info(logger).Log("msg", "starting "+name, "version", version.Info(), "build", version.BuildContext())

	own := prometheus.NewRegistry()
	own.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector(name))
	e := newExporter(own, f.collectors, f.maxRequests, logger)
	e.offset = f.offset.Duration
	o := targets.Options{Collectors: e.options, Metrics: imagebuilder.NewMetrics(own), Panics: e.panics, Logger: logger}
	file, load := f.configFile, func() (*config.Config, error) { return config.Load(f.configFile) }
	if f.demo {
		url, c, end, err := startDemo(f.demoPipelines, logger)
		if err != nil {
			return err
		}
		defer end()
		o.Static, o.STSEndpointURL = &imagebuilder.StaticCredentials{AccessKeyID: "demo", SecretAccessKey: "demo"}, url
		file, load = "", func() (*config.Config, error) { return &c, nil }
	}
	set := targets.New(o)
	e.targets = set
	reloader := targets.NewReloader(set, file, load, own)
	if f.once {
		err := once(ctx, e, reloader, f.onceTimeout.Duration, stdout)
		if failed := stdout.Close(); failed != nil {
			return unwritten{fmt.Errorf("printing the metrics: %w", failed)}
		}
		return err
	}
	if err := reloader.Load(ctx); err != nil {
		return err
	}
	discovery, err := newSD(f, set, own, logger)
	if err != nil {
		return err
	}
	e.spread = discovery != nil
	page, err := status.New(status.Config{
		Snapshots: set.Known, Version: version.Version, MetricsPath: f.telemetryPath, Replica: discovery != nil, Pprof: f.pprof,
	})
	if err != nil {
		return err
	}
	s, err := server.New(server.Config{
		MetricsPath: f.telemetryPath, Metrics: promhttp.InstrumentMetricHandler(own, e),
		Probe: promhttp.InstrumentMetricHandler(own, http.HandlerFunc(e.Probe)), SD: discovery, Status: page,
		Reload: reloader.Reload, Pprof: f.pprof, Web: f.web, MaxConnections: f.maxConnections, Drain: f.drain.Duration, Logger: logger, Slog: logs.Slog,
	})
	if err != nil {
		return err
	}
	err = process.Serve(ctx, f.drain.Duration+shutdownTime, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		var reloads sync.WaitGroup
		defer reloads.Wait()
		defer cancel()
		reloads.Go(func() { reloader.OnSignal(ctx, hangups) })
		reloads.Go(func() { reloader.Watch(ctx, f.reloadInterval.Duration) })
		if err := s.Run(ctx); err != nil {
			return err
		}
		set.Close()
		return nil
	})
	if errors.Is(err, process.ErrHangs) {
		level.Warn(logger).Log("msg", "shutdown timed out; exiting although something hangs")
		return nil
	}
	return err
}

// once loads the configuration, looks everything up and prints it, within a timeout. Lookups that are
// still running end with the process.
func once(ctx context.Context, e *Exporter, r *targets.Reloader, timeout time.Duration, stdout io.Writer) error {
	begun := time.Now()
	loading, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := r.Load(loading)
	switch {
	case loading.Err() != nil:
		return fmt.Errorf("the configuration was not loaded within %s; raise --once.timeout", timeout)
	case err != nil:
		return err
	}
	return e.Once(ctx, begun, timeout, stdout)
}

// checkConfig loads the configuration file and prints a summary. With --config.check-aws it also tries
// the AWS calls that the configuration requires.
func checkConfig(ctx context.Context, f *flags, stdout, stderr io.Writer) error {
	c, err := config.Load(f.configFile)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: valid, %s\n", printable.Line(f.configFile, maxMessage), c.Summary())
	own := prometheus.NewRegistry()
	set := targets.New(targets.Options{
		Collectors: f.collectors, Metrics: imagebuilder.NewMetrics(own), Panics: newPanics(own, log.NewNopLogger()), Logger: log.NewNopLogger(),
	})
	switch err := set.Apply(ctx, c); {
	case err != nil && f.configCheckAWS:
		return err
	case err != nil:
		fmt.Fprintf(stderr, "warning: %s\n", message(err))
	case f.configCheckAWS:
		ctx, cancel := context.WithTimeout(ctx, checkTime)
		defer cancel()
		if !set.Check(ctx, stdout) {
			return errors.New("the AWS check failed; see the lines marked missing or failed")
		}
	}
	return nil
}

// flags are the values of the command line.
type flags struct {
	configFile, telemetryPath, externalURL, logLevel, logFormat string
	configCheck, configCheckAWS, once, healthCheck, demo, pprof bool
	reloadInterval, onceTimeout, offset, drain                  duration
	maxRequests, maxConnections, demoPipelines                  int
	sdPeers, sdPeerConfig                                       string
	peers                                                       sd.Peers // of sdPeers, which check reads
	collectors                                                  collector.Options
	web                                                         *web.FlagConfig
}

// duration is the value of a flag, which check reads from its text.
type duration struct {
	text string
	time.Duration
}

// newApp returns the command line, and the flags to which it writes its values.
func newApp() (*kingpin.Application, *flags) {
	app := kingpin.New(name, "A Prometheus exporter for the workflow executions of EC2 Image Builder.")
	app.Version(version.Print(name))
	app.HelpFlag.Short('h')
	f := &flags{}
	app.Flag("config.file", "Path to the configuration file.").Default("config.yml").StringVar(&f.configFile)
	app.Flag("config.check", "Check the configuration file and exit with status 0 if it is valid, 1 otherwise.").BoolVar(&f.configCheck)
	app.Flag("config.check-aws", "With --config.check, also make one AWS call for each required permission and report which are missing.").BoolVar(&f.configCheckAWS)
	app.Flag("config.auto-reload-interval", "How often to check whether the configuration file or an accounts_file in it has changed, and reload it if so. 0s disables this.").Default("0s").StringVar(&f.reloadInterval.text)
	app.Flag("once", "Look up all targets, print the metrics and exit with status 0 if every target answered, 2 if the output cannot be written, 1 otherwise.").BoolVar(&f.once)
	app.Flag("once.timeout", "Time limit of --once.").Default("1m").StringVar(&f.onceTimeout.text)
	app.Flag("health-check", "Check the health of the exporter that runs on this machine with the same --web flags, and exit with status 0 if it is healthy, 1 otherwise.").BoolVar(&f.healthCheck)
	app.Flag("demo", "Serve executions from an emulated Image Builder. Uses no configuration file and no AWS account.").BoolVar(&f.demo)
	app.Flag("demo.pipelines", "With --demo, emulate a large company with this many pipelines in four accounts, from 50 to 1000. 0 selects the small demo.").Default("0").IntVar(&f.demoPipelines)
	app.Flag("scrape.timeout-offset", "Time to subtract from Prometheus' scrape timeout. A scrape stops waiting for lookups this long before the timeout.").Default("0.5s").StringVar(&f.offset.text)
	on := func(name string, to *bool, help string) {
		app.Flag("collector."+name, help).Default("true").BoolVar(to)
	}
	on("status", &f.collectors.Status, "Publish imagebuilder_workflow_execution_status, one series per execution and status.")
	on("images", &f.collectors.Images, "Publish imagebuilder_image_* for the followed image builds.")
	on("pipelines", &f.collectors.Pipelines, "Publish imagebuilder_pipeline_* for the selected pipelines.")
	on("steps", &f.collectors.Steps, "Look up and publish the steps of the executions that the configuration selects with steps.")
	on("waiting", &f.collectors.Waiting, "Look up and publish steps that wait for an approval.")
	app.Flag("sd.peers", "All replicas of this exporter, including this one, over which /sd spreads the targets: dns+NAME:PORT for all addresses of a DNS name, or a comma-separated list of HOST:PORT.").StringVar(&f.sdPeers)
	app.Flag("sd.peer-config", "With --sd.peers, path to a Prometheus HTTP client configuration, used to ask the other replicas whether they are ready.").StringVar(&f.sdPeerConfig)
	app.Flag("log.level", "Only log messages of this level or above. One of: debug, info, warn, error.").Default("info").StringVar(&f.logLevel)
	app.Flag("log.format", "Output format of log messages. One of: logfmt, json.").Default("logfmt").StringVar(&f.logFormat)
	app.Flag("web.external-url", "The URL at which browsers reach this exporter, such as https://example.com/imagebuilder. Links in alerts and dashboards use it.").StringVar(&f.externalURL)
	app.Flag("web.telemetry-path", "Path under which to expose metrics.").Default("/metrics").StringVar(&f.telemetryPath)
	app.Flag("web.max-requests", "Maximum number of scrapes rendered in parallel. Other scrapes wait for their turn until their timeout.").Default("4").IntVar(&f.maxRequests)
	app.Flag("web.max-connections", "Maximum number of open connections. Other connections wait until one closes.").Default("512").IntVar(&f.maxConnections)
	app.Flag("web.drain", "On SIGTERM, how long to keep serving scrapes while /-/ready answers 503, before shutting down. At most 1h; 0s disables draining.").Default("0s").StringVar(&f.drain.text)
	app.Flag("web.enable-pprof", "Serve profiles under /debug/pprof/.").BoolVar(&f.pprof)
	f.web = kingpinflag.AddFlags(app, ":10120")
	return app, f
}

// check validates the values of the flags and parses the durations. The flag library does not do it
// because its errors do not name the flag.
func (f *flags) check() error {
	for _, choice := range []struct {
		flag, value string
		allowed     []string
	}{
		{"--log.level", f.logLevel, []string{"debug", "info", "warn", "error"}},
		{"--log.format", f.logFormat, []string{"logfmt", "json"}},
	} {
		if !slices.Contains(choice.allowed, choice.value) {
			return fmt.Errorf("%s=%s: must be one of %s", choice.flag, choice.value, strings.Join(choice.allowed, ", "))
		}
	}
	for _, d := range []struct {
		flag    string
		value   *duration
		least   time.Duration
		most    time.Duration
		zero    bool // whether it may be 0
		allowed string
	}{
		{"--scrape.timeout-offset", &f.offset, 0, math.MaxInt64, true, "a non-negative duration, such as 0.5s"},
		{"--config.auto-reload-interval", &f.reloadInterval, time.Second, math.MaxInt64, true, "0s, or a duration of at least 1s, such as 30s"},
		{"--web.drain", &f.drain, 0, time.Hour, true, "a duration from 0s to 1h, such as 45s"},
		{"--once.timeout", &f.onceTimeout, time.Millisecond, math.MaxInt64, false, "a duration greater than zero, such as 1m"},
	} {
		v, err := time.ParseDuration(d.value.text)
		if err != nil || v < d.least && (v != 0 || !d.zero) || v > d.most {
			return fmt.Errorf("%s=%s: must be %s", d.flag, d.value.text, d.allowed)
		}
		d.value.Duration = v
	}
	var err error
	if f.collectors.ExternalURL, err = parseExternalURL(f.externalURL); err != nil {
		return fmt.Errorf("--web.external-url%w", err)
	}
	if err := server.CheckPath(f.telemetryPath); err != nil {
		return fmt.Errorf("--web.telemetry-path=%s: %w", f.telemetryPath, err)
	}
	if f.sdPeers != "" {
		if f.peers, err = sd.ParsePeers(f.sdPeers); err != nil {
			return fmt.Errorf("--sd.peers: %w", err)
		}
	}
	switch {
	case f.maxRequests < 1:
		return fmt.Errorf("--web.max-requests=%d: must be at least 1", f.maxRequests)
	case f.maxConnections < 1:
		return fmt.Errorf("--web.max-connections=%d: must be at least 1", f.maxConnections)
	case f.sdPeerConfig != "" && f.sdPeers == "":
		return errors.New("--sd.peer-config requires --sd.peers")
	case f.configCheckAWS && !f.configCheck:
		return errors.New("--config.check-aws requires --config.check")
	case f.demoPipelines != 0 && !f.demo:
		return errors.New("--demo.pipelines requires --demo")
	case f.demoPipelines != 0 && (f.demoPipelines < emulator.FleetMin || f.demoPipelines > emulator.FleetMax):
		return fmt.Errorf("--demo.pipelines=%d: must be from %d to %d, or 0 for the small demo", f.demoPipelines, emulator.FleetMin, emulator.FleetMax)
	case f.demo && f.configCheck:
		return errors.New("--config.check cannot be combined with --demo, which reads no configuration file")
	}
	return nil
}

// parseExternalURL returns a URL to which the path of a page can be added, empty for an empty one.
// The error goes on after the name of the flag, and hides a password.
func parseExternalURL(s string) (string, error) {
	const allowed = "must be a URL such as https://example.com/imagebuilder, without a user, a query or a fragment"
	u, err := url.Parse(s)
	if err != nil {
		return "", errors.New(" " + allowed)
	}
	if s != "" && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(s, "?# ")) {
		return "", fmt.Errorf("=%s: %s", u.Redacted(), allowed)
	}
	return strings.TrimRight(s, "/"), nil
}

// startDemo starts an emulator on a loopback port, with the given number of pipelines or, for 0, the
// small demo. It returns its URL, the configuration to look it up, and a function that stops it.
func startDemo(pipelines int, logger log.Logger) (url string, c config.Config, end func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", c, nil, fmt.Errorf("starting the demo: %w", err)
	}
	url = "http://" + listener.Addr().String()
	c = config.Default()
	emulated, targets := emulator.Demo(1, time.Now())
	if pipelines > 0 {
		emulated, targets = emulator.Fleet(1, pipelines, time.Now())
	}
	for _, t := range targets {
		target := demoTarget(t)
		target.EndpointURL, target.MaxExecutions = url, max(target.MaxExecutions, 4*pipelines)
		c.Targets = append(c.Targets, target)
	}
	c.Lookup.DiscoveryInterval = 15 * time.Second // nobody wants to wait for a demo
	api := &http.Server{Handler: emulated, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = api.Serve(listener) }() // ends with api.Close
	level.Warn(logger).Log("msg", "this is a demo: nothing here is AWS, all executions are made up", "emulator", url)
	return url, c, func() { _ = api.Close() }, nil
}

// demoTarget returns the configuration of a target of the demo.
func demoTarget(t emulator.DemoTarget) config.Target {
	target := config.DefaultTarget()
	target.Name, target.Regions = t.Name, []string{t.Region}
	target.RoleARN, target.ExternalID, target.TagLabels = t.RoleARN, t.ExternalID, t.OwnerTags
	for _, name := range t.Pipelines {
		target.Pipelines = append(target.Pipelines, demoSelector(name))
	}
	if t.AllPipelines {
		target.Pipelines = []config.Selector{{Name: ".*", Builds: demoBuilds}}
	}
	for _, arn := range t.Images {
		target.Images = append(target.Images, config.Image{ARN: arn})
	}
	for _, name := range t.ImageNames {
		target.Images = append(target.Images, config.Image{Selector: new(demoSelector(name))})
	}
	return target
}

// demoBuilds is how many builds of each pipeline or image of the demo are kept.
const demoBuilds = 3

// demoSelector selects a pipeline or an image of the demo.
func demoSelector(name string) config.Selector {
	return config.Selector{Name: regexp.QuoteMeta(name), Builds: demoBuilds}
}

// newSD returns the handler of /sd for the targets of a set, nil without --sd.peers. It registers its
// metrics with reg.
func newSD(f *flags, set *targets.Set, reg prometheus.Registerer, logger log.Logger) (http.Handler, error) {
	if f.sdPeers == "" {
		return nil, nil
	}
	security, err := server.ReadSecurity(f.web)
	if err != nil {
		return nil, err
	}
	if f.sdPeerConfig == "" && security.Credentials {
		return nil, errors.New("--sd.peers requires --sd.peer-config when --web.config.file asks clients for a password or a certificate: replicas ask each other whether they are ready")
	}
	if f.sdPeerConfig == "" && security.TLS && f.peers.ByDNS() {
		return nil, errors.New("--sd.peers=dns+NAME:PORT requires --sd.peer-config when --web.config.file enables TLS: replicas ask each other by IP address, so the file must set the server_name of their certificates")
	}
	client, err := sd.NewClient(f.sdPeerConfig)
	if err != nil {
		return nil, fmt.Errorf("--sd.peer-config=%s: %w", f.sdPeerConfig, err)
	}
	h := sd.New(sd.Config{
		Peers: f.peers, Keys: func() []sd.Key { return keys(set) },
		ProbePath: server.PathProbe, ReadyPath: server.PathReady, ReadyText: server.TextReady, TLS: security.TLS, Client: client, Logger: logger,
	})
	reg.MustRegister(h)
	return h, nil
}

// keys returns the targets and regions of a set.
func keys(set *targets.Set) []sd.Key {
	var all []sd.Key
	for target, region := range set.Names() {
		all = append(all, sd.Key{Target: target, Region: region})
	}
	return all
}
