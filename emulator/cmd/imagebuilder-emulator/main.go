// Imagebuilder-emulator serves an EC2 Image Builder API that runs in memory, for tests and trials with
// the AWS CLI, boto3 or any SDK. docs/emulator.md describes how to use it. Package emulator lists the
// operations and what is checked.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

const (
	name = "imagebuilder-emulator"
	// shutdownTime bounds how long requests may go on after a signal.
	shutdownTime = 2 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, name+": "+err.Error())
		os.Exit(1)
	}
}

// run serves until ctx ends. What it returns is one sentence for the user.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	app, f := newApp()
	app.UsageWriter(stdout)
	var printed bool // what --help says
	app.Terminate(func(int) { printed = true })
	_, err := app.Parse(args)
	switch {
	case printed:
		return nil
	case err != nil:
		return fmt.Errorf("%w; see %s --help", err, name)
	}
	s, err := f.served(time.Now())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen=%s: %w", f.listen, err)
	}
	server := &http.Server{Handler: s.api, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	s.print(stdout, "http://"+listener.Addr().String())
	select {
	case err := <-ended:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if server.Shutdown(ending) != nil {
		_ = server.Close() // a request hangs
	}
	return nil
}

// flags are the values of the command line.
type flags struct {
	listen, scenario string
	demo             bool
	pipelines        int
}

func newApp() (*kingpin.Application, *flags) {
	app := kingpin.New(name, "An EC2 Image Builder API that runs in memory, for tests and trials. It uses no AWS account.")
	app.HelpFlag.Short('h')
	f := &flags{}
	app.Flag("listen", "Address to listen on. Port 0 picks a free port.").Default("127.0.0.1:10121").StringVar(&f.listen)
	app.Flag("demo", "Serve the builds of a small company with two accounts. This is the default.").BoolVar(&f.demo)
	app.Flag("pipelines", fmt.Sprintf("Serve a large company with this many pipelines in four accounts, from %d to %d.", emulator.FleetMin, emulator.FleetMax)).
		Default("0").IntVar(&f.pipelines)
	app.Flag("scenario", "Serve the scenario in this YAML file; see docs/emulator.md.").StringVar(&f.scenario)
	return app, f
}

// served is an API, and whom it answers.
type served struct {
	api     *emulator.API
	callers []caller
}

// caller is who sees an account.
type caller struct{ region, roleARN, externalID string } // roleARN "" for everybody

// served returns what the flags ask for.
func (f *flags) served(start time.Time) (served, error) {
	switch {
	case f.demo && f.pipelines != 0, f.demo && f.scenario != "", f.pipelines != 0 && f.scenario != "":
		return served{}, errors.New("--demo, --pipelines and --scenario are mutually exclusive")
	case f.pipelines != 0 && (f.pipelines < emulator.FleetMin || f.pipelines > emulator.FleetMax):
		return served{}, fmt.Errorf("--pipelines=%d: must be from %d to %d", f.pipelines, emulator.FleetMin, emulator.FleetMax)
	case f.scenario != "":
		return load(f.scenario, start)
	}
	api, targets := emulator.Demo(1, start)
	if f.pipelines != 0 {
		api, targets = emulator.Fleet(1, f.pipelines, start)
	}
	s := served{api: api}
	for _, t := range targets {
		s.callers = append(s.callers, caller{t.Region, t.RoleARN, t.ExternalID})
	}
	return s, nil
}

// print says how to reach the emulator.
func (s served) print(w io.Writer, url string) {
	region := s.callers[0].region
	var who strings.Builder
	for _, c := range s.callers {
		switch {
		case c.roleARN == "":
			fmt.Fprintf(&who, "  %s, with any credentials\n", c.region)
		case c.externalID == "":
			fmt.Fprintf(&who, "  %s, as %s\n", c.region, c.roleARN)
		default:
			fmt.Fprintf(&who, "  %s, as %s with the external id %s\n", c.region, c.roleARN, c.externalID)
		}
	}
	fmt.Fprintf(w, `Emulating Image Builder and STS at %[1]s

AWS CLI:
  export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_REGION=%[2]s AWS_DEFAULT_REGION=%[2]s
  aws imagebuilder list-image-pipelines --region %[2]s --endpoint-url %[1]s
boto3:
  boto3.client("imagebuilder", region_name="%[2]s", endpoint_url="%[1]s")
Any program with a recent AWS SDK:
  export AWS_ENDPOINT_URL_IMAGEBUILDER=%[1]s AWS_ENDPOINT_URL_STS=%[1]s

The scenario has resources in:
%[3]s
Press Ctrl-C to stop.
`, url, region, who.String())
}
