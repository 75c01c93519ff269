package install

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRelease makes all that a release has, without publishing, from two clones: the
// same bytes, checksums that are right, a signature that holds, and SBOMs that tell what is
// in the binaries. A release is signed by its workflow, this one with a key of the moment.
func TestRelease(t *testing.T) {
	keys := t.TempDir()
	t.Setenv("COSIGN_PASSWORD", "")
	t.Setenv("COSIGN_KEY", filepath.Join(keys, "cosign.key"))
	cosign, err := filepath.Abs(root + "/bin/cosign")
	if err != nil {
		t.Fatal(err)
	}
	output(t, keys, cosign, "generate-key-pair")
	first, second := releaseOf(t), releaseOf(t)

	output(t, keys, cosign, "trusted-root", "create", "--out", "nobody.json")
	verify := []string{
		"verify-blob", "--key", filepath.Join(keys, "cosign.pub"), "--bundle", first.path("sha256sums.txt.sigstore.json"),
		"--insecure-ignore-tlog", "--trusted-root", filepath.Join(keys, "nobody.json"),
	}
	output(t, ".", cosign, append(verify, first.path("sha256sums.txt"))...)
	fails(t, cosign, append(verify, first.path("metadata.json"))...)

	output(t, first.path(), "sha256sum", "--check", "--strict", "sha256sums.txt")
	want := []string{"sha256sums.txt", "sha256sums.txt.sigstore.json"}
	for _, arch := range []string{"amd64", "arm64"} {
		for _, system := range []string{"linux", "darwin"} {
			name := "imagebuilder_exporter-" + first.version + "." + system + "-" + arch
			want = append(want, name+".tar.gz", name+".cdx.json")
		}
		sorts := strings.Replace(first.version, "-", "~", 1) // below the release, for dpkg and rpm
		want = append(want, "imagebuilder-exporter_"+sorts+"_"+arch+".deb", "imagebuilder-exporter-"+sorts+"-1."+rpmArch[arch]+".rpm")
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, first.files); diff != "" {
		t.Errorf("what a release has (-want +got):\n%s", diff)
	}
	sums := string(read(t, first.path("sha256sums.txt")))
	for _, name := range want {
		if strings.HasPrefix(name, "sha256sums.txt") {
			continue
		}
		if !strings.Contains(sums, "  "+name+"\n") {
			t.Errorf("sha256sums.txt has no %s", name)
		}
		// An SBOM tells when it was made.
		if !strings.HasSuffix(name, ".cdx.json") && !bytes.Equal(read(t, first.path(name)), read(t, second.path(name))) {
			t.Errorf("%s differs between two clones", name)
		}
	}
	first.isUsable(t)
}

// TestReleaseNotes holds that the notes of a release are what CHANGELOG.md says of it and of
// no other, and that there is none without.
func TestReleaseNotes(t *testing.T) {
	dir := clone(t)
	text := "# Changelog\n\n## Unreleased\n\n* [FEATURE] next\n\n## 1.0.1 / 2026-12-02\n\n* [BUGFIX] this\n\n## 1.0.0 / 2026-12-01\n\n* [FEATURE] before\n"
	if err := os.WriteFile(filepath.Join(dir, "CHANGELOG.md"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := output(t, dir, "make", "-s", "release-notes", "VERSION=1.0.1"); got != "* [BUGFIX] this" {
		t.Errorf("the notes are %q", got)
	}
	if out := fails(t, "make", "-C", dir, "-s", "release-notes", "VERSION=1.0"); !strings.Contains(out, "CHANGELOG.md says nothing of 1.0\n") {
		t.Errorf("without an entry it says %q", out)
	}
}

// release is what stands in dist/ of a clone.
type release struct {
	clone, version string
	files          []string // those that are published, sorted
}

// releaseOf makes a release of a clean clone.
func releaseOf(t *testing.T) release {
	t.Helper()
	r := release{clone: clone(t)}
	output(t, r.clone, "make", "release", "RELEASE_FLAGS=--snapshot")
	var about struct{ Version string }
	if err := json.Unmarshal(read(t, r.path("metadata.json")), &about); err != nil {
		t.Fatal(err)
	}
	r.version = about.Version
	entries, err := os.ReadDir(r.path())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if own := []string{"artifacts.json", "config.yaml", "metadata.json"}; e.Type().IsRegular() && !slices.Contains(own, e.Name()) {
			r.files = append(r.files, e.Name())
		}
	}
	return r
}

func (r release) path(name ...string) string {
	return filepath.Join(append([]string{r.clone, "dist"}, name...)...)
}

// isUsable unpacks the archive for this machine. Its program is what `make build` makes,
// and its SBOM names all modules of which it consists.
func (r release) isUsable(t *testing.T) {
	t.Helper()
	name := "imagebuilder_exporter-" + r.version + ".linux-" + output(t, ".", "go", "env", "GOARCH")
	dir := t.TempDir()
	output(t, dir, "tar", "-xzf", r.path(name+".tar.gz"))
	program := filepath.Join(dir, name, "imagebuilder_exporter")
	wantVersion(t, program, output(t, r.clone, "git", "rev-parse", "HEAD"))
	output(t, r.clone, "make", "build", "VERSION="+r.version)
	if !bytes.Equal(read(t, program), read(t, r.clone, "imagebuilder_exporter")) {
		t.Error("the program in the archive is not what make build makes")
	}
	var sbom struct {
		BOMFormat  string
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(read(t, r.path(name+".cdx.json")), &sbom); err != nil || sbom.BOMFormat != "CycloneDX" {
		t.Errorf("the SBOM: %v, %q", err, sbom.BOMFormat)
	}
	named := map[string]string{}
	for _, c := range sbom.Components {
		named[c.Name] = c.Version
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range info.Deps {
		if named[m.Path] != m.Version {
			t.Errorf("the SBOM has %s %q, the program %s", m.Path, named[m.Path], m.Version)
		}
	}
	for _, file := range []string{"LICENSE", "THIRD_PARTY_LICENSES", "config.yml.example", "deploy/systemd/imagebuilder_exporter.service", "alerts/imagebuilder.rules.yml", "dashboards/overview.json"} {
		read(t, dir, name, file)
	}
}
