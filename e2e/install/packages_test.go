package install

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	name   = "imagebuilder_exporter"
	unit   = name + ".service"
	folder = "/etc/" + name

	root = "../.." // of the repository
)

// rpmArch is how rpm names an architecture that Go names otherwise.
var rpmArch = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}

// TestPackages installs, runs, upgrades and removes what `make packages` has made.
func TestPackages(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("this boots a Debian: run it as root")
	}
	d := debian{root: t.TempDir(), dist: t.TempDir(), next: t.TempDir()}
	collect(t, filepath.Join(root, "dist"), d.dist)
	output(t, ".", "tar", "-C", d.root, "-xf", filepath.Join(root, "bin/debian.tar"))
	makeNext(t, d.next)
	for what, test := range map[string]func(*testing.T, debian){
		"what is in them": contents, "deb": debs, "rpm": rpms, "archive": archive, "without systemd": withoutSystemd, "unit": units,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			test(t, d)
		})
	}
}

// collect copies what is for this machine, also under names without a version.
func collect(t *testing.T, from, to string) {
	t.Helper()
	arch, ok := rpmArch[runtime.GOARCH]
	if !ok {
		t.Fatalf("there are no packages for %s", runtime.GOARCH)
	}
	for pattern, as := range map[string]string{
		"*_" + runtime.GOARCH + ".deb": "deb", "*." + arch + ".rpm": "rpm", "*.linux-" + runtime.GOARCH + ".tar.gz": "tar.gz",
	} {
		files, err := filepath.Glob(filepath.Join(from, pattern))
		if err != nil || len(files) != 1 {
			t.Fatalf("%s has %q (%v), want one %s: run make packages", from, files, err, pattern)
		}
		text := read(t, files[0])
		for _, file := range []string{filepath.Base(files[0]), name + "." + as} {
			if err := os.WriteFile(filepath.Join(to, file), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// makeNext makes the packages of release 1.0.0, which has another config.yml, from a copy
// of the repository.
func makeNext(t *testing.T, to string) {
	t.Helper()
	dir := clone(t)
	tool, err := filepath.Abs(filepath.Join(root, "bin/goreleaser"))
	if err != nil {
		t.Fatal(err)
	}
	output(t, dir, "sh", "-euxc", `
		git remote set-url origin https://github.com/imagebuilder-exporter/imagebuilder_exporter
		echo '# The next version.' >>deploy/systemd/config.yml
		sed -i 's/goos: .*/goos: [linux]/; s/goarch: .*/goarch: ['"$2"']/' .goreleaser.yml
		git -c user.name=test -c user.email=test@example.com commit --quiet --all --message='the next version'
		git tag v1.0.0
		"$1" release --skip=publish,announce,sign,sbom`, "sh", tool, runtime.GOARCH)
	collect(t, filepath.Join(dir, "dist"), to)
}

// documented returns the commands of docs/install.md in the block that begins so, for this
// machine. They are run where dist/ has the packages.
func documented(t *testing.T, begin string) string {
	t.Helper()
	_, block, ok := strings.Cut("\n"+string(read(t, root, "docs/install.md")), "\n```\n"+begin)
	block, _, closed := strings.Cut(begin+block, "\n```\n")
	if !ok || !closed {
		t.Fatalf("docs/install.md has no block that begins with %s", begin)
	}
	return strings.NewReplacer("amd64", runtime.GOARCH, "x86_64", rpmArch[runtime.GOARCH]).Replace(block)
}

// contents holds what dpkg-deb and rpm say about the packages.
func contents(t *testing.T, d debian) {
	want := []string{
		"drwxr-x--- root/imagebuilder_exporter /etc/imagebuilder_exporter",
		"-rw-r----- root/imagebuilder_exporter /etc/imagebuilder_exporter/config.yml",
		"-rw------- root/root /etc/imagebuilder_exporter/environment",
		"-rwxr-xr-x root/root /usr/bin/imagebuilder_exporter",
		"-rw-r--r-- root/root /usr/lib/systemd/system/imagebuilder_exporter.service",
		"drwxr-xr-x root/root /usr/share/doc/imagebuilder-exporter",
		"-rw-r--r-- root/root /usr/share/doc/imagebuilder-exporter/CHANGELOG.md",
		"-rw-r--r-- root/root /usr/share/doc/imagebuilder-exporter/THIRD_PARTY_LICENSES",
		"-rw-r--r-- root/root /usr/share/doc/imagebuilder-exporter/config.yml.example",
		"-rw-r--r-- root/root /usr/share/doc/imagebuilder-exporter/copyright",
		"drwxr-xr-x root/root /usr/share/imagebuilder_exporter",
		"drwxr-xr-x root/root /usr/share/imagebuilder_exporter/alerts",
		"-rw-r--r-- root/root /usr/share/imagebuilder_exporter/alerts/alertmanager.yml",
		"-rw-r--r-- root/root /usr/share/imagebuilder_exporter/alerts/imagebuilder.rules.yml",
		"drwxr-xr-x root/root /usr/share/imagebuilder_exporter/dashboards",
		"-rw-r--r-- root/root /usr/share/imagebuilder_exporter/dashboards/durations.json",
		"-rw-r--r-- root/root /usr/share/imagebuilder_exporter/dashboards/execution.json",
		"-rw-r--r-- root/root /usr/share/imagebuilder_exporter/dashboards/exporter.json",
		"-rw-r--r-- root/root /usr/share/imagebuilder_exporter/dashboards/overview.json",
	}
	kept := folder + "/config.yml\n" + folder + "/environment"
	m := d.boot(t)
	for listing, got := range map[string]string{
		// Without the folders that belong to others, which tar must have.
		"dpkg-deb": m.run(t, `dpkg-deb --contents /dist/imagebuilder_exporter.deb | awk '{sub("^[.]", "", $6); sub("/$", "", $6); print $1, $2, $6}' |
			grep -vE ' (|/etc|/usr|/usr/bin|/usr/lib|/usr/lib/systemd|/usr/lib/systemd/system|/usr/share|/usr/share/doc)$'`),
		"rpm": m.run(t, `rpm --query --package --queryformat '[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\n]' /dist/imagebuilder_exporter.rpm`),
	} {
		if diff := cmp.Diff(want, strings.Split(got, "\n")); diff != "" {
			t.Errorf("%s lists (-want +got):\n%s", listing, diff)
		}
	}
	m.is(t, "dpkg-deb --info /dist/imagebuilder_exporter.deb conffiles", kept)
	m.is(t, `rpm --query --package --queryformat '[%{FILEFLAGS:fflags} %{FILENAMES}\n]' /dist/imagebuilder_exporter.rpm | sed -n 's/^cn //p'`, kept)
	m.is(t, "dpkg-deb --field /next/imagebuilder_exporter.deb Package Version Architecture", fmt.Sprintf("Package: imagebuilder-exporter\nVersion: 1.0.0\nArchitecture: %s", runtime.GOARCH))
	// GoReleaser from 2.14 on gives every package a variant of amd64, which means a newer processor.
	m.is(t, "dpkg-deb --field /dist/imagebuilder_exporter.deb Architecture-Variant", "")
	// What is made between releases is older than the next one.
	m.run(t, `dpkg --compare-versions "$(dpkg-deb --field /dist/imagebuilder_exporter.deb Version)" lt 1.0.0`)
	m.run(t, `dpkg --compare-versions "$(dpkg-deb --field /dist/imagebuilder_exporter.deb Version)" lt 0.0.1`)
}
