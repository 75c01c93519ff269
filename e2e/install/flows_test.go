package install

import (
	"strings"
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/deploy/demo-stack/stack"
)

// debs goes from the first installation to the purge, with apt-get.
func debs(t *testing.T, d debian) {
	m := d.boot(t)
	before := m.run(t, files)
	if out := m.run(t, documented(t, "apt-get install ")); !strings.Contains(out, "systemctl enable --now imagebuilder_exporter") {
		t.Errorf("dpkg does not say what to do next:\n%s", out)
	}
	s := installed(t, m, "AWS_ACCESS_KEY_ID=AKID\nAWS_SECRET_ACCESS_KEY=secret")
	s.starts(t)
	s.isConfined(t)
	s.checksPermissions(t)
	s.reloads(t)
	if out := m.run(t, "apt-get install -y -o Dpkg::Options::=--force-confold /next/imagebuilder_exporter.deb </dev/null"); strings.Contains(out, "systemctl enable") {
		t.Errorf("dpkg says what was to do at first:\n%s", out)
	}
	s.isUpgraded(t)
	s.is(t, "cd /etc/imagebuilder_exporter; ls; tail -n 1 config.yml.dpkg-dist", "config.yml\nconfig.yml.dpkg-dist\nenvironment\n# The next version.")
	s.run(t, "apt-get remove -y imagebuilder-exporter")
	s.isGone(t)
	s.is(t, "cd /etc/imagebuilder_exporter; ls; grep --count second config.yml", "config.yml\nconfig.yml.dpkg-dist\nenvironment\n1")
	s.run(t, "apt-get purge -y imagebuilder-exporter")
	s.is(t, "getent passwd imagebuilder_exporter; getent group imagebuilder_exporter", "")
	if after := m.run(t, files); after != before {
		t.Errorf("before there was\n%s\nafter\n%s", before, after)
	}
}

// files lists all files but the journal, what apt notes, and what tools keep of the files
// they replace.
const files = `find / -xdev ! -path '/var/log/journal*' ! -path '/var/*/apt*' ! -path '/etc/*-' ! -path '/var/tmp/*' | sort`

// checksPermissions runs the check as the service would.
func (s service) checksPermissions(t *testing.T) {
	t.Helper()
	check, _, _ := strings.Cut(documented(t, "systemd-run "), "\n")
	out := s.run(t, check)
	if !strings.Contains(out, "valid, 1 target") || !strings.Contains(out, "imagebuilder:ListImagePipelines") {
		t.Errorf("the check prints %s", out)
	}
}

// rpms does with rpm what debs does. (Debian's rpm knows nothing of Debian's packages.)
func rpms(t *testing.T, d debian) {
	const rpm = "rpm --force-debian --nodeps "
	m := d.boot(t)
	if out := m.run(t, strings.Replace(documented(t, "rpm -i "), "rpm ", rpm, 1)); !strings.Contains(out, "systemctl enable --now imagebuilder_exporter") {
		t.Errorf("rpm does not say what to do next:\n%s", out)
	}
	// A program that the sandbox must let run.
	m.run(t, `cd /etc/imagebuilder_exporter
		echo '{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "secret"}' >keys
		printf '[default]\ncredential_process = /bin/cat /etc/imagebuilder_exporter/keys\n' >aws
		chmod 0640 keys aws; chgrp imagebuilder_exporter keys aws`)
	s := installed(t, m, "AWS_CONFIG_FILE="+folder+"/aws")
	s.starts(t)
	s.isConfined(t)
	s.reloads(t)
	if out := m.run(t, rpm+"-U /next/imagebuilder_exporter.rpm"); !strings.Contains(out, "config.yml.rpmnew") || strings.Contains(out, "systemctl enable") {
		t.Errorf("rpm says\n%s", out)
	}
	s.isUpgraded(t)
	s.run(t, "rpm --verify --nodeps imagebuilder-exporter | grep -v ' c /etc/imagebuilder_exporter/' | grep . && exit 1 || :")
	s.run(t, "rm "+folder+"/aws "+folder+"/keys; "+rpm+"-e imagebuilder-exporter")
	s.isGone(t)
	s.is(t, "cd /etc/imagebuilder_exporter; ls; grep --count second config.yml.rpmsave; getent group imagebuilder_exporter | cut -d: -f1",
		"config.yml.rpmnew\nconfig.yml.rpmsave\nenvironment.rpmsave\n1\nimagebuilder_exporter")
	s.is(t, "find / -xdev -name '*imagebuilder*' ! -path '/var/tmp/*'", folder)
	s.run(t, rpm+"-i /dist/imagebuilder_exporter.rpm && "+rpm+"-e imagebuilder-exporter")
}

// archive installs by hand, and looks at the demo.
func archive(t *testing.T, d debian) {
	address, err := stack.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	s := service{machine: d.boot(t), address: address}
	s.run(t, documented(t, "tar -xzf "))
	installed(t, s.machine, "")
	s.write(t, folder+"/environment", `ARGS="--demo --web.listen-address=`+address+`"`)
	s.run(t, "systemctl enable --now "+unit)
	s.publishes(t, `imagebuilder_up{region="us-east-1",target="containers"} 1`)
	s.isConfined(t)
	s.run(t, documented(t, "systemctl disable --now "))
	s.isGone(t)
}

// withoutSystemd installs and removes where only files can be changed, as in the making
// of an image.
func withoutSystemd(t *testing.T, d debian) {
	d.script(t, `
		dpkg --install /dist/imagebuilder_exporter.deb
		systemctl enable imagebuilder_exporter
		test -L /etc/systemd/system/multi-user.target.wants/imagebuilder_exporter.service
		dpkg --install /next/imagebuilder_exporter.deb
		tail -n 1 /etc/imagebuilder_exporter/config.yml | grep next # nobody had changed it
		imagebuilder_exporter --version | grep 'version 1.0.0'
		touch /etc/imagebuilder_exporter/web.yml
		dpkg --remove imagebuilder-exporter
		test ! -L /etc/systemd/system/multi-user.target.wants/imagebuilder_exporter.service
		dpkg --purge imagebuilder-exporter
		test "$(ls /etc/imagebuilder_exporter)" = web.yml
		getent passwd imagebuilder_exporter
		dpkg --install /dist/imagebuilder_exporter.deb
		rm /etc/imagebuilder_exporter/web.yml
		dpkg --purge imagebuilder-exporter
		test ! -e /etc/imagebuilder_exporter
		test -z "$(getent passwd imagebuilder_exporter)"
		dpkg --install /dist/imagebuilder_exporter.deb
		rm -r /etc/imagebuilder_exporter
		dpkg --purge imagebuilder-exporter
		test -z "$(getent passwd imagebuilder_exporter)"`)
	d.script(t, `
		rpm --force-debian --nodeps -i /dist/imagebuilder_exporter.rpm
		rpm --force-debian --nodeps -U /next/imagebuilder_exporter.rpm
		tail -n 1 /etc/imagebuilder_exporter/config.yml | grep next
		rpm --force-debian --nodeps -e imagebuilder-exporter
		test ! -e /etc/imagebuilder_exporter`)
}

// units holds what systemd thinks of the unit, and what it does with a mistake.
func units(t *testing.T, d debian) {
	m := d.boot(t)
	m.run(t, "dpkg --install /dist/imagebuilder_exporter.deb")
	m.is(t, "systemd-analyze verify imagebuilder_exporter.service", "")
	const security = "systemd-analyze security --offline=true --threshold=20 "
	m.run(t, security+"/usr/lib/systemd/system/imagebuilder_exporter.service")
	if out, err := m.try("grep -vE '^(CapabilityBoundingSet|SystemCall|Protect)' /usr/lib/systemd/system/imagebuilder_exporter.service >/root/weak.service; " + security + "/root/weak.service"); err == nil {
		t.Errorf("a weak unit passes:\n%s", out)
	}
	m.run(t, "mkdir /run/systemd/system/imagebuilder_exporter.service.d")
	m.write(t, "/run/systemd/system/imagebuilder_exporter.service.d/fast.conf", "[Service]\nRestartSec=10ms")
	m.write(t, folder+"/config.yml", "targets: []")
	m.run(t, "systemctl daemon-reload; systemctl start imagebuilder_exporter")
	m.until(t, "it rests", func() bool {
		out, _ := m.try("systemctl is-active imagebuilder_exporter")
		return out == "failed"
	})
	m.is(t, "journalctl --sync; journalctl --unit=imagebuilder_exporter --output=cat | grep --count config.yml", "5")
	m.run(t, "dpkg --purge imagebuilder-exporter")
	m.is(t, "systemctl --failed --no-legend", "")
}
