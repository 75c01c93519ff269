// Imagebuilder_exporter is a Prometheus exporter for the workflow executions of EC2
// Image Builder.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path"
	"regexp"
	"slices"
	"strings"
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
	sloggokit "github.com/tjhop/slog-gokit"

	// The CA roots, for images that have none.
	_ "golang.org/x/crypto/x509roots/fallback"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/config"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/lookup"
)

const name = "imagebuilder_exporter"

// drainTime bounds how long a shutdown waits for the scrapes in flight.
const drainTime = 15 * time.Second

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// flags are the values of the command line.
type flags struct {
	configFile    *string
	configCheck   *bool
	demo          *bool
	offset        *string
	collectors    collectorFlags
	logLevel      *string
	logFormat     *string
	telemetryPath *string
	web           *web.FlagConfig
}

// collectorFlags switch the families of collector.Options.
type collectorFlags struct{ status, images, pipelines, steps, waiting *bool }

func newCollectorFlags(app *kingpin.Application) collectorFlags {
	on := func(name, help string) *bool {
		return app.Flag("collector."+name, help).Default("true").Bool()
	}
	return collectorFlags{
		status:    on("status", "Publish imagebuilder_workflow_execution_status, one series for each execution and status."),
		images:    on("images", "Publish imagebuilder_image_*, the image builds that are followed."),
		pipelines: on("pipelines", "Publish imagebuilder_pipeline_*, the pipelines that are selected."),
		steps:     on("steps", "Look up and publish the steps of executions, where the configuration asks for them."),
		waiting:   on("waiting", "Look up and publish the steps that wait for an approval."),
	}
}

func (f collectorFlags) options() collector.Options {
	return collector.Options{Status: *f.status, Images: *f.images, Pipelines: *f.pipelines, Steps: *f.steps, Waiting: *f.waiting}
}

// newApp returns the command line and where its values will stand.
func newApp() (*kingpin.Application, *flags) {
	app := kingpin.New(name, "A Prometheus exporter for the workflow executions of EC2 Image Builder.")
	app.Version(version.Print(name))
	app.HelpFlag.Short('h')
	return app, &flags{
		configFile:    app.Flag("config.file", "The configuration file.").Default("config.yml").String(),
		configCheck:   app.Flag("config.check", "Check the configuration file and exit: 0 when it is valid, else 1.").Bool(),
		demo:          app.Flag("demo", "Show executions of an emulated Image Builder. Reads no configuration file, uses no AWS account.").Bool(),
		offset:        app.Flag("scrape.timeout-offset", "How long before Prometheus' scrape timeout a scrape is to be complete.").Default("0.5s").String(),
		collectors:    newCollectorFlags(app),
		logLevel:      app.Flag("log.level", "Log messages of this level and above: debug, info, warn or error.").Default("info").String(),
		logFormat:     app.Flag("log.format", "How log messages are written: logfmt or json.").Default("logfmt").String(),
		telemetryPath: app.Flag("web.telemetry-path", "The path of the metrics.").Default("/metrics").String(),
		web:           kingpinflag.AddFlags(app, ":10120"),
	}
}

// run is the program. What it returns is one clear message for the user.
func run(args []string, stdout, stderr io.Writer) error {
	app, f := newApp()
	app.UsageWriter(stdout)
	if _, err := app.Parse(args); err != nil {
		return fmt.Errorf("%w; see %s --help", err, name)
	}
	offset, err := f.check()
	if err != nil {
		return err
	}
	ctx := context.Background()
	if *f.configCheck {
		return checkConfig(ctx, *f.configFile, stdout, stderr)
	}
	logger, slogger := newLogger(*f.logLevel, *f.logFormat, stderr)
	level.Info(logger).Log("msg", "starting "+name, "version", version.Info(), "build", version.BuildContext())

	setup := load
	if *f.demo {
		setup = startDemo
	}
	s, err := setup(ctx, *f.configFile, logger)
	if err != nil {
		return err
	}
	defer s.end()
	own := prometheus.NewRegistry()
	own.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector(name))
	targets, err := s.targets(ctx, f.collectors.options(), imagebuilder.NewMetrics(own), logger)
	if err != nil {
		return err
	}
	exporter := &Exporter{
		options: f.collectors.options(),
		offset:  offset,
		own:     own,
		logger:  logger,
	}
	for _, t := range targets {
		defer t.Close()
		exporter.sources = append(exporter.sources, t)
	}
	mux, err := newMux(*f.telemetryPath, promhttp.InstrumentMetricHandler(own, exporter))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return serve(server, f.web, logger, slogger)
}

// check finds what is wrong with the values of flags, and returns the offset. (It is
// not left to the flag library, whose errors do not name the flag.)
func (f *flags) check() (offset time.Duration, err error) {
	for _, choice := range []struct {
		flag, value string
		allowed     []string
	}{
		{"--log.level", *f.logLevel, []string{"debug", "info", "warn", "error"}},
		{"--log.format", *f.logFormat, []string{"logfmt", "json"}},
	} {
		if !slices.Contains(choice.allowed, choice.value) {
			return 0, fmt.Errorf("%s=%s: must be one of %s", choice.flag, choice.value, strings.Join(choice.allowed, ", "))
		}
	}
	p := *f.telemetryPath
	if !strings.HasPrefix(p, "/") || p != path.Clean(p) || strings.ContainsAny(p, "{} ") {
		return 0, fmt.Errorf("--web.telemetry-path=%s: must be a plain path that begins with a slash, such as /metrics", p)
	}
	if strings.HasPrefix(p, "/-/") {
		return 0, fmt.Errorf("--web.telemetry-path=%s: paths below /-/ are taken", p)
	}
	offset, err = time.ParseDuration(*f.offset)
	if err != nil || offset < 0 {
		return 0, fmt.Errorf("--scrape.timeout-offset=%s: must be a duration that is not below zero, such as 0.5s", *f.offset)
	}
	return offset, nil
}

// newLogger returns the logger of this program, and one for libraries that want
// slog, which writes the same lines to the same place.
func newLogger(lowest, format string, w io.Writer) (log.Logger, *slog.Logger) {
	base := log.NewLogfmtLogger(log.NewSyncWriter(w))
	if format == "json" {
		base = log.NewJSONLogger(log.NewSyncWriter(w))
	}
	base = level.NewFilter(base, level.Allow(level.ParseDefault(lowest, level.InfoValue())))
	var threshold slog.LevelVar
	_ = threshold.UnmarshalText([]byte(lowest)) // slog knows the same four names
	slogger := slog.New(sloggokit.NewGoKitHandler(base, &threshold))
	return log.With(base, "time", log.DefaultTimestampUTC, "caller", log.DefaultCaller), slogger
}

// checkConfig loads the configuration file and says so.
func checkConfig(ctx context.Context, file string, stdout, stderr io.Writer) error {
	c, err := config.Load(file)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: valid, %s\n", file, c.Summary())
	if err := resolveRegions(ctx, c); err != nil {
		fmt.Fprintf(stderr, "warning: %v\n", err)
	}
	return nil
}

// resolveRegions gives the targets that have no region the one of the SDK.
func resolveRegions(ctx context.Context, c *config.Config) error {
	var region string
	for i := range c.Targets {
		t := &c.Targets[i]
		if len(t.Regions) > 0 {
			continue
		}
		if region == "" {
			var err error
			if region, err = imagebuilder.DefaultRegion(ctx); err != nil {
				return err
			}
			if region != "" {
				if err := imagebuilder.CheckRegion(region); err != nil {
					return fmt.Errorf("the region of the AWS environment: %w", err)
				}
			}
			if region == "" {
				return fmt.Errorf("target %q has no region: there is none under regions in the configuration file, in AWS_REGION or AWS_DEFAULT_REGION, in the profile of the AWS configuration file, or in the instance metadata", t.Name)
			}
		}
		t.Regions = []string{region}
		if err := t.CheckImageRegions(); err != nil {
			return err
		}
	}
	return nil
}

// setup is where the exporter looks, and with which credentials.
type setup struct {
	config *config.Config
	static *imagebuilder.StaticCredentials // nil for the SDK's default chain
	sts    string                          // the URL of STS, empty for the SDK's choice
	end    func()                          // frees what the setup holds
}

// load is the setup for AWS.
func load(ctx context.Context, file string, _ log.Logger) (*setup, error) {
	c, err := config.Load(file)
	if err != nil {
		return nil, err
	}
	if err := resolveRegions(ctx, c); err != nil {
		return nil, err
	}
	return &setup{config: c, end: func() {}}, nil
}

// startDemo is the setup for an emulator that it starts on a loopback port.
func startDemo(_ context.Context, _ string, logger log.Logger) (*setup, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the demo: %w", err)
	}
	url := "http://" + listener.Addr().String()
	c := config.Default()
	emulated, targets := emulator.Demo(1, time.Now())
	for _, t := range targets {
		target := config.DefaultTarget()
		target.Name, target.Regions, target.EndpointURL = t.Name, []string{t.Region}, url
		target.RoleARN, target.ExternalID, target.Images = t.RoleARN, t.ExternalID, t.Images
		for _, name := range t.Pipelines {
			target.Pipelines = append(target.Pipelines, config.PipelineSelector{Name: regexp.QuoteMeta(name), Builds: 3})
		}
		c.Targets = append(c.Targets, target)
	}
	c.Lookup.DiscoveryInterval = 15 * time.Second // nobody wants to wait for a demo
	api := &http.Server{Handler: emulated, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = api.Serve(listener) }() // ends with api.Close
	level.Warn(logger).Log("msg", "this is a demo: nothing here is AWS, all executions are made up", "emulator", url)
	return &setup{
		config: &c,
		static: &imagebuilder.StaticCredentials{AccessKeyID: "demo", SecretAccessKey: "demo"},
		sts:    url,
		end:    func() { _ = api.Close() },
	}, nil
}

// targets returns a Target for each target and region. What the options switch off is
// not asked for either.
func (s *setup) targets(ctx context.Context, o collector.Options, metrics *imagebuilder.Metrics, logger log.Logger) ([]*lookup.Target, error) {
	var targets []*lookup.Target
	limits := s.config.Lookup
	for i := range s.config.Targets {
		t := &s.config.Targets[i]
		for _, region := range t.Regions {
			client, err := imagebuilder.NewClient(ctx, imagebuilder.ClientConfig{
				Target: t.Name, Region: region, EndpointURL: t.EndpointURL, Static: s.static,
				Role:           imagebuilder.Role{ARN: t.RoleARN, ExternalID: t.ExternalID, SessionName: t.SessionName},
				STSEndpointURL: s.sts,
				Limits:         imagebuilder.Limits{Concurrency: limits.Concurrency, RateLimit: limits.RateLimit, Burst: limits.Burst, Timeout: limits.Timeout},
				Metrics:        metrics,
			})
			if err != nil {
				return nil, fmt.Errorf("target %q: %w", t.Name, err)
			}
			c := selection(t, region, o)
			c.MinInterval, c.DiscoveryInterval, c.MaxStaleness = limits.MinInterval, limits.DiscoveryInterval, limits.MaxStaleness
			c.Client, c.Logger = client, logger
			targets = append(targets, lookup.New(c))
			level.Info(logger).Log("msg", "target", "target", t.Name, "region", region, "role_arn", t.RoleARN,
				"workflow_executions", len(c.WorkflowExecutions), "pipelines", len(c.Pipelines), "images", len(c.Images), "steps", c.Steps)
		}
	}
	return targets, nil
}

// selection returns what is looked up of a target in one of its regions.
func selection(t *config.Target, region string, o collector.Options) lookup.Config {
	c := lookup.Config{
		Name: t.Name, Region: region,
		WorkflowExecutions: t.WorkflowExecutions, Images: t.ImagesIn(region), Steps: lookup.Steps(t.Steps), MaxExecutions: t.MaxExecutions,
	}
	for _, s := range t.Pipelines {
		c.Pipelines = append(c.Pipelines, lookup.Selector{Name: s.Regexp(), Tags: s.Tags, Builds: s.Builds})
	}
	if !o.Steps {
		c.Steps = lookup.StepsNone
	}
	// A target of ids alone needs no other permission, unless it asks for steps.
	c.Waiting = o.Waiting && (len(t.Pipelines) > 0 || len(t.Images) > 0 || t.Steps != string(lookup.StepsNone))
	return c
}

// newMux returns the pages of the exporter.
func newMux(telemetryPath string, metrics http.Handler) (*http.ServeMux, error) {
	mux := http.NewServeMux()
	mux.Handle(telemetryPath, metrics)
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Healthy") })
	if telemetryPath == "/" {
		return mux, nil
	}
	landing, err := web.NewLandingPage(web.LandingConfig{
		Name:        name,
		Description: "Prometheus exporter for the workflow executions of EC2 Image Builder",
		Version:     version.Info(),
		Links:       []web.LandingLinks{{Address: telemetryPath, Text: "Metrics"}, {Address: "/-/healthy", Text: "Healthy"}},
		Profiling:   "false",
	})
	if err != nil {
		return nil, fmt.Errorf("making the landing page: %w", err)
	}
	mux.Handle("/", landing)
	return mux, nil
}

// serve serves until the program is told to stop, and then lets the scrapes in flight
// end. A second signal ends the program at once, as one does before it serves.
func serve(server *http.Server, f *web.FlagConfig, logger log.Logger, slogger *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- web.ListenAndServe(server, f, slogger) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	stop()
	level.Info(logger).Log("msg", "shutting down", "bound", drainTime)
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := server.Shutdown(drain); errors.Is(err, context.DeadlineExceeded) {
		level.Warn(logger).Log("msg", "scrapes were cut off")
		_ = server.Close()
	}
	return nil
}
