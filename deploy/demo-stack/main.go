// Command demo-stack runs the exporter's demo with a Prometheus that has the alerts and an Alertmanager,
// and prints their URLs. `make demo-stack` builds the exporter and starts this command.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/deploy/demo-stack/stack"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "demo-stack:", err)
		os.Exit(1)
	}
}

func run() error {
	root := flag.String("root", ".", "the root of the repository, where make build has built the exporter")
	prometheus := flag.String("prometheus", "", "the Prometheus binary; defaults to prometheus on PATH, then to bin/prometheus in the repository")
	alertmanager := flag.String("alertmanager", "", "the Alertmanager binary; defaults to prometheus-alertmanager or alertmanager on PATH")
	fast := flag.Bool("fast", false, "shorten the waiting time of alerts: seconds in place of the minutes and hours in the rules")
	pipelines := flag.Int("pipelines", 0, "number of pipelines in the demo, from 50 to 1000; 0 selects the small demo")
	flag.Parse()

	dir, err := os.MkdirTemp("", "demo-stack-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	folder, err := filepath.Abs(*root)
	if err != nil {
		return err
	}
	addresses, err := freeAddresses("127.0.0.1:10120", "127.0.0.1:9090", "127.0.0.1:9093")
	if err != nil {
		return err
	}
	o := stack.Options{
		Dir: dir, Root: folder, Interval: 5 * time.Second, Fast: *fast,
		Exporter:        exec.Command(filepath.Join(folder, "imagebuilder_exporter"), "--demo", fmt.Sprintf("--demo.pipelines=%d", *pipelines), "--web.external-url=http://"+addresses[0]),
		ExporterAddress: addresses[0], PrometheusAddress: addresses[1], AlertmanagerAddress: addresses[2],
	}
	if o.Prometheus, err = stack.Find(*prometheus, "prometheus", filepath.Join(folder, "bin/prometheus")); err != nil {
		return fmt.Errorf("%w; run apt-get install prometheus, or make bin/prometheus", err)
	}
	if o.Alertmanager, err = stack.Find(*alertmanager, "prometheus-alertmanager", "alertmanager"); err != nil {
		return fmt.Errorf("%w; run apt-get install prometheus-alertmanager", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := stack.Start(ctx, o)
	if ctx.Err() != nil { // interrupted while it started
		return nil
	}
	if err != nil {
		return err
	}
	defer s.Stop()
	fmt.Fprintf(os.Stdout, `The exporter runs in demo mode and makes no AWS calls.

  exporter       %[1]s/executions  %[1]s/metrics
  Prometheus     %[2]s/alerts      %[2]s/graph      %[2]s/targets
  Alertmanager   %[3]s/

One build has already failed: WorkflowFailed fires after two minutes.
Press Ctrl-C to stop everything.
`, s.Exporter.URL, s.Prometheus.URL, s.Alertmanager.URL)
	select {
	case <-ctx.Done():
		return nil
	case <-s.Exporter.Done():
		return fmt.Errorf("the exporter exited:\n%s", s.Exporter.Log())
	case <-s.Prometheus.Done():
		return fmt.Errorf("the Prometheus exited:\n%s", s.Prometheus.Log())
	case <-s.Alertmanager.Done():
		return fmt.Errorf("the Alertmanager exited:\n%s", s.Alertmanager.Log())
	}
}

// freeAddresses returns these addresses. In place of one that is taken, as where Prometheus runs as a
// service, it returns another.
func freeAddresses(preferred ...string) ([]string, error) {
	var all []string
	for _, address := range preferred {
		listener, err := net.Listen("tcp", address)
		if err == nil {
			err = listener.Close()
		} else {
			address, err = stack.FreeAddress()
		}
		if err != nil {
			return nil, err
		}
		all = append(all, address)
	}
	return all, nil
}
