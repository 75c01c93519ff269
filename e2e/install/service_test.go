package install

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/deploy/demo-stack/stack"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// service is the exporter of a machine, which an emulated Image Builder answers.
type service struct {
	machine
	address string // host:port, where it listens
}

// installed holds that the package starts nothing, and returns the service, configured in
// the environment, to which credentials belong: the config.yml is still that of the package.
func installed(t *testing.T, m machine, credentials string) service {
	t.Helper()
	m.is(t, "systemctl is-active "+unit, "inactive")
	m.is(t, "systemctl is-enabled "+unit, "disabled")
	m.is(t, "getent passwd imagebuilder_exporter | cut -d: -f5-", "Prometheus exporter for EC2 Image Builder:/nonexistent:/usr/sbin/nologin")
	m.is(t, "stat --format='%A %U %G' /etc/imagebuilder_exporter /etc/imagebuilder_exporter/config.yml /etc/imagebuilder_exporter/environment",
		"drwxr-x--- root imagebuilder_exporter\n-rw-r----- root imagebuilder_exporter\n-rw------- root root")
	api := httptest.NewServer(&emulator.API{Scenario: &emulator.Account{
		Pipelines: []emulator.Pipeline{{ARN: "arn:aws:imagebuilder:eu-west-1:111122223333:image-pipeline/linux", Name: "Linux"}},
	}})
	t.Cleanup(api.Close)
	address, err := stack.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, folder+"/environment", fmt.Sprintf(`ARGS="--web.listen-address=%s --log.level=debug"
AWS_REGION=eu-west-1
AWS_ENDPOINT_URL_IMAGEBUILDER=%s
%s`, address, api.URL, credentials))
	return service{machine: m, address: address}
}

// metrics returns what it publishes, "" when it cannot be reached.
func (s service) metrics(t *testing.T) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return "\n" + string(body)
}

// publishes waits for lines of the metrics.
func (s service) publishes(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		s.until(t, "it publishes "+line, func() bool { return strings.Contains(s.metrics(t), "\n"+line) })
	}
}

// starts enables and starts it, once its target has a name: before, the check says what is
// missing.
func (s service) starts(t *testing.T) {
	t.Helper()
	const check = name + " --config.check --config.file=" + folder + "/config.yml"
	if out, err := s.try(check); err == nil || !strings.Contains(out, "a target requires a non-empty name") {
		t.Errorf("the check of the configuration as it comes: %v, %s", err, out)
	}
	s.run(t, `sed -i 's/name: ""/name: packaged/' `+folder+"/config.yml")
	s.run(t, "systemctl enable --now "+unit)
	s.publishes(t, `imagebuilder_up{region="eu-west-1",target="packaged"} 1`, `imagebuilder_pipeline_info{`)
	s.is(t, "systemctl is-active "+unit, "active")
}

var processMetric = regexp.MustCompile(`(?m)^process_\w+`)

// isConfined holds that the sandbox is there, and takes no metric away.
func (s service) isConfined(t *testing.T) {
	t.Helper()
	s.is(t, `
		cd /proc/$(systemctl show --property=MainPID --value imagebuilder_exporter)
		grep -E '^(Uid|Gid|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' status | tr '\t' ' ' |
			sed "/^Uid/s/ $(id -u imagebuilder_exporter)\b/ user/g; /^Gid/s/ $(id -g imagebuilder_exporter)\b/ group/g"`,
		`Uid: user user user user
Gid: group group group group
CapInh: 0000000000000000
CapPrm: 0000000000000000
CapEff: 0000000000000000
CapBnd: 0000000000000000
CapAmb: 0000000000000000
NoNewPrivs: 1
Seccomp: 2`)
	in := "nsenter --mount --target=$(systemctl show --property=MainPID --value imagebuilder_exporter) -- "
	for _, path := range []string{"/etc", "/var", "/usr", "/sys/fs/cgroup"} {
		if out, err := s.try(in + "touch " + path + "/x"); err == nil || !strings.Contains(out, "Read-only file system") {
			t.Errorf("%s can be written in the sandbox: %s", path, out)
		}
	}
	s.is(t, in+"ls /home /root 2>&1 || :", "/home:\n\n/root:")
	want := []string{
		"process_cpu_seconds_total", "process_max_fds", "process_network_receive_bytes_total", "process_network_transmit_bytes_total", "process_open_fds",
		"process_resident_memory_bytes", "process_start_time_seconds", "process_virtual_memory_bytes", "process_virtual_memory_max_bytes",
	}
	if got := processMetric.FindAllString(s.metrics(t), -1); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("it publishes %q, want %q", got, want)
	}
}

// reloads changes its configuration for the better and the worse. At the end it has a
// second target.
func (s service) reloads(t *testing.T) {
	t.Helper()
	const edited = "targets:\n  - {name: packaged, pipelines: [{name: .*}]}\n  - {name: second, pipelines: [{name: Linux}]}"
	pid := s.run(t, "systemctl show --property=MainPID --value "+unit)
	s.write(t, folder+"/config.yml", edited)
	s.run(t, "systemctl reload "+unit)
	s.publishes(t, `imagebuilder_up{region="eu-west-1",target="second"} 1`, "imagebuilder_exporter_config_last_reload_successful 1")
	s.write(t, folder+"/config.yml", "targets: []")
	s.run(t, "systemctl reload "+unit)
	s.publishes(t, "imagebuilder_exporter_config_last_reload_successful 0", `imagebuilder_up{region="eu-west-1",target="second"} 1`)
	s.until(t, "the journal says why", func() bool {
		out, _ := s.try("journalctl --sync; journalctl --unit=" + unit)
		return strings.Contains(out, "starting imagebuilder_exporter") && strings.Contains(out, "config.yml:1:10: targets is missing or empty")
	})
	s.write(t, folder+"/config.yml", edited)
	s.run(t, "systemctl reload "+unit)
	s.publishes(t, "imagebuilder_exporter_config_last_reload_successful 1")
	s.is(t, "systemctl show --property=MainPID --value "+unit, pid)
}

// isUpgraded holds that the next version runs with the old configuration.
func (s service) isUpgraded(t *testing.T) {
	t.Helper()
	s.until(t, "it runs as 1.0.0", func() bool {
		return strings.Contains(s.metrics(t), `imagebuilder_exporter_build_info{`) && strings.Contains(s.metrics(t), `version="1.0.0"} 1`)
	})
	s.publishes(t, `imagebuilder_up{region="eu-west-1",target="second"} 1`)
	s.is(t, "systemctl is-enabled "+unit, "enabled")
	s.is(t, "systemctl show --property=NeedDaemonReload --property=NRestarts --value "+unit, "0\nno")
	s.is(t, "stat --format='%A %U %G' /etc/imagebuilder_exporter/config.yml /etc/imagebuilder_exporter/environment", "-rw-r----- root imagebuilder_exporter\n-rw------- root root")
}

// isGone holds that it was stopped in good order, and that systemd knows nothing of it.
func (s service) isGone(t *testing.T) {
	t.Helper()
	if s.metrics(t) != "" {
		t.Error("it still answers")
	}
	s.is(t, "journalctl --sync; journalctl --unit="+unit+" --output=cat | grep -v 'CPU time' | tail -n 2", unit+": Deactivated successfully.\nStopped imagebuilder_exporter.service - Prometheus exporter for EC2 Image Builder.")
	s.is(t, "systemctl list-units --no-legend '*imagebuilder*'; systemctl list-unit-files --no-legend '*imagebuilder*'; find /etc/systemd -name '*imagebuilder*'", "")
}
