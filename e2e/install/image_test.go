package install

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const image = "imagebuilder_exporter:1.2.3"

// TestImage builds the image as `make image` does, for two architectures, and runs it as
// a careful operator would: not root, read-only, without capabilities.
func TestImage(t *testing.T) {
	for _, program := range []string{"buildah", "podman", "runc", "/bin/busybox"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: apt-get install buildah podman runc busybox-static", err)
		}
	}
	store := newStore(t)
	store.golang(t)
	dir := clone(t)
	revision := output(t, dir, "git", "rev-parse", "HEAD")
	output(t, dir, "make", "build", "VERSION=1.2.3")
	built := read(t, dir, "imagebuilder_exporter")
	host := output(t, ".", "go", "env", "GOARCH")
	for arch, machine := range map[string]elf.Machine{"arm64": elf.EM_AARCH64, "amd64": elf.EM_X86_64} {
		// Newer ones than Debian's know BUILDPLATFORM by themselves, as Docker does.
		store.image(t, dir, "--platform", "linux/"+arch, "--build-arg", "BUILDPLATFORM=linux/"+host)
		files := store.files(t)
		if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, []string{"LICENSE", "THIRD_PARTY_LICENSES", "imagebuilder_exporter"}) {
			t.Errorf("%s: the image has %q", arch, got)
		}
		f, err := elf.NewFile(bytes.NewReader(files["imagebuilder_exporter"]))
		if err != nil {
			t.Fatal(err)
		}
		if libraries, err := f.ImportedLibraries(); f.Machine != machine || len(libraries) > 0 || err != nil {
			t.Errorf("%s: the program is for %s and needs %q, %v", arch, f.Machine, libraries, err)
		}
		if arch == host && !bytes.Equal(files["imagebuilder_exporter"], built) {
			t.Errorf("%s: the program in the image is not what make build makes", arch)
		}
		store.describes(t, arch, revision)
	}
	store.image(t, dir)
	store.runs(t, revision)
	store.refuses(t, dir)
}

// store is where images and containers of this test stand.
type store struct{ flags []string }

func newStore(t *testing.T) store {
	dir := t.TempDir()
	s := store{flags: []string{"--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run"), "--storage-driver", "vfs"}}
	// Runs before the folder is removed: what is mounted there would be in the way.
	cleanup(t, "buildah", append(slices.Clone(s.flags), "umount", "--all")...)
	return s
}

// buildah runs it on the store.
func (s store) buildah(t *testing.T, args ...string) string {
	t.Helper()
	return output(t, ".", "buildah", append(slices.Clone(s.flags), args...)...)
}

// podman returns the command line of podman for the store.
func (s store) podman(args ...string) []string {
	return append(append(slices.Clone(s.flags), "--cgroup-manager", "cgroupfs", "--runtime", "runc"), args...)
}

// golang makes a stand-in for the image that the Dockerfile builds in, from the Go of this
// machine, for no registry is asked.
func (s store) golang(t *testing.T) {
	t.Helper()
	container := s.buildah(t, "from", "scratch")
	base := s.buildah(t, "mount", container)
	for _, dir := range []string{"bin", "tmp", "usr/local", "etc/ssl/certs"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	output(t, ".", "cp", "/bin/busybox", filepath.Join(base, "bin/sh")) // the static one
	output(t, ".", "cp", "-r", output(t, ".", "go", "env", "GOROOT"), filepath.Join(base, "usr/local/go"))
	output(t, ".", "cp", "-L", "/etc/ssl/certs/ca-certificates.crt", filepath.Join(base, "etc/ssl/certs"))
	s.buildah(t, "config", "--env", "PATH=/usr/local/go/bin:/bin", "--env", "GOTOOLCHAIN=local", container)
	s.buildah(t, "umount", container)
	dockerfile := read(t, root, "Dockerfile")
	_, from, _ := strings.Cut(string(dockerfile), "FROM --platform=$BUILDPLATFORM ")
	name, _, _ := strings.Cut(from, " ")
	s.buildah(t, "commit", "--rm", container, name)
}

// image builds the image from a checkout.
func (s store) image(t *testing.T, dir string, flags ...string) {
	t.Helper()
	flags = append([]string{"--isolation", "chroot", "--format", "docker", "--pull-never"}, flags...)
	output(t, dir, "make", "image", "VERSION=1.2.3", "DOCKER=buildah "+strings.Join(s.flags, " "), "IMAGE_FLAGS="+strings.Join(flags, " "))
}

// files returns what the image has, by name.
func (s store) files(t *testing.T) map[string][]byte {
	t.Helper()
	container := s.buildah(t, "from", "--pull-never", image)
	base := s.buildah(t, "mount", container)
	defer s.buildah(t, "rm", container)
	files := map[string][]byte{}
	err := filepath.WalkDir(base, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files[strings.TrimPrefix(path, base+"/")] = read(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// describes holds what the image says of itself.
func (s store) describes(t *testing.T, arch, revision string) {
	t.Helper()
	var got struct {
		Docker struct {
			Architecture string
			Config       struct {
				User         string
				ExposedPorts map[string]struct{}
				Entrypoint   []string
				Cmd          []string
				Healthcheck  struct{ Test []string }
				Labels       map[string]string
			} `json:"config"`
		}
	}
	if err := json.Unmarshal([]byte(s.buildah(t, "inspect", "--type", "image", image)), &got); err != nil {
		t.Fatal(err)
	}
	c := got.Docker.Config
	for what, pair := range map[string][2]string{
		"architecture": {got.Docker.Architecture, arch},
		"user":         {c.User, "65534:65534"},
		"ports":        {fmt.Sprint(c.ExposedPorts), "map[10120/tcp:{}]"},
		"entry point":  {fmt.Sprint(c.Entrypoint), "[/imagebuilder_exporter]"},
		"command":      {fmt.Sprint(c.Cmd), "[--config.file=/etc/imagebuilder_exporter/config.yml]"},
		"health check": {fmt.Sprint(c.Healthcheck.Test), "[CMD /imagebuilder_exporter --health-check]"},
		"version":      {c.Labels["org.opencontainers.image.version"], "1.2.3"},
		"revision":     {c.Labels["org.opencontainers.image.revision"], revision},
		"licences":     {c.Labels["org.opencontainers.image.licenses"], "Apache-2.0"},
	} {
		if diff := cmp.Diff(pair[1], pair[0]); diff != "" {
			t.Errorf("%s: %s of the image (-want +got):\n%s", arch, what, diff)
		}
	}
}

// careful are the flags with which the image runs. The limits are below those of podman,
// which not every machine may raise.
var careful = []string{
	"--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--network", "host",
	"--read-only", "--read-only-tmpfs=false", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
}

// runs starts the demo in a container, asks for its health and its metrics, and stops it.
func (s store) runs(t *testing.T, revision string) {
	t.Helper()
	name := fmt.Sprintf("imagebuilder_exporter-%d", os.Getpid())
	cleanup(t, "podman", s.podman("rm", "--force", name)...)
	output(t, ".", "podman", s.podman(append(append([]string{"run", "--detach", "--name", name}, careful...), image, "--demo")...)...)
	healthy := s.podman("healthcheck", "run", name)
	for deadline := time.After(time.Minute); exec.CommandContext(t.Context(), "podman", healthy...).Run() != nil; {
		select {
		case <-deadline:
			t.Fatalf("it is not healthy\n%s", output(t, ".", "podman", s.podman("logs", name)...))
		case <-time.After(100 * time.Millisecond):
		}
	}
	metrics := service{address: "127.0.0.1:10120"}.metrics(t)
	for _, want := range []string{`imagebuilder_up{region="eu-west-1",target="golden-images"} 1`, `revision="` + revision + `"`, `version="1.2.3"`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in\n%s", want, metrics)
		}
	}
	if got := output(t, ".", "podman", s.podman("top", name, "user", "capeff")...); !strings.HasPrefix(strings.Join(strings.Fields(got), " "), "USER EFFECTIVE CAPS 65534 none") {
		t.Errorf("it runs as\n%s", got)
	}
	fails(t, "podman", s.podman("exec", name, "/bin/sh", "-c", "true")...)
	if out := fails(t, "podman", s.podman("exec", name, "/imagebuilder_exporter", "--health-check", "--web.listen-address=:1")...); !strings.Contains(out, "checking health at :1: ") {
		t.Errorf("a health check where nobody listens says\n%s", out)
	}
	output(t, ".", "podman", s.podman("stop", "--time", "20", name)...)
	if got := output(t, ".", "podman", s.podman("inspect", "--format", "{{.State.ExitCode}}", name)...); got != "0" {
		t.Errorf("stopped, it ended with %s", got)
	}
}

// refuses starts the image without a configuration, and with one that is mounted.
func (s store) refuses(t *testing.T, dir string) {
	t.Helper()
	run := append([]string{"run", "--rm"}, careful...)
	if out := fails(t, "podman", s.podman(append(slices.Clone(run), image)...)...); !strings.Contains(out, "/etc/imagebuilder_exporter/config.yml: no such file") {
		t.Errorf("without a configuration it says\n%s", out)
	}
	mounted := append(slices.Clone(run), "--volume", filepath.Join(dir, "config.yml.example")+":/etc/imagebuilder_exporter/config.yml:ro",
		image, "--config.check", "--config.file=/etc/imagebuilder_exporter/config.yml")
	if got := output(t, ".", "podman", s.podman(mounted...)...); !strings.Contains(got, "config.yml: valid, 2 targets") {
		t.Errorf("with a configuration it says\n%s", got)
	}
}
