package docs_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
)

// TestTheReadmesConfiguration loads what people copy first.
func TestTheReadmesConfiguration(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, "README.md"), "```yaml\n")
	text, _, _ := strings.Cut(rest, "```")
	file := filepath.Join(t.TempDir(), "config.yml")
	binarytest.WriteFile(t, file, text)
	c, err := config.Load(file)
	if err != nil || len(c.Targets) != 1 || len(c.Targets[0].Pipelines) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

// firstCurl is the first command of the README with a prompt, and what it prints.
var firstCurl = regexp.MustCompile(`(?s)\n\$ curl -s localhost:10120/metrics \| grep -E '([^']+)'\n(.*?)\n` + "```")

// TestTheReadmesFirstCurl holds that the demo's metrics are those that the README shows.
func TestTheReadmesFirstCurl(t *testing.T) {
	shown := firstCurl.FindStringSubmatch(read(t, "README.md"))
	if shown == nil {
		t.Fatal("README.md has no curl of /metrics")
	}
	out, err := binarytest.Command(t.Context(), t, "--once", "--demo").Output()
	if err != nil {
		t.Fatal(err)
	}
	grep := regexp.MustCompile(shown[1])
	printed := slices.DeleteFunc(strings.Split(string(out), "\n"), func(line string) bool { return !grep.MatchString(line) })
	if diff := cmp.Diff(strings.Split(shown[2], "\n"), printed); diff != "" {
		t.Errorf("what README.md shows of the demo (-want +got):\n%s", diff)
	}
}

// TestTheReadmeIsShort keeps it for visitors: details belong into docs/.
func TestTheReadmeIsShort(t *testing.T) {
	if n := len(strings.Fields(read(t, "README.md"))); n > 700 {
		t.Errorf("README.md has %d words, more than 700", n)
	}
}
