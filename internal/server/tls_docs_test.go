package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/crypto/bcrypt"
)

// TestTheDocumentedWebConfiguration holds that the one of docs/operations.md can be loaded.
func TestTheDocumentedWebConfiguration(t *testing.T) {
	doc, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(doc), "```yaml\n# web.yml\n")
	text, _, _ = strings.Cut(text, "```")
	a := newAuthority(t)
	var cert, key string
	for _, line := range strings.Split(a.webConfig(""), "\n") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), ": "); name {
		case "cert_file":
			cert = value
		case "key_file":
			key = value
		}
	}
	hash, err := bcrypt.GenerateFromPassword([]byte("prometheus"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]string{
		{"server.crt", cert}, {"server.key", key}, {"clients.crt", a.file}, {"# client_", "client_"}, {"$2y$10$HASH", string(hash)},
	} {
		if !strings.Contains(text, r[0]) {
			t.Errorf("there is no %s", r[0])
		}
		text = strings.ReplaceAll(text, r[0], r[1])
	}
	file := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := web.Validate(file); err != nil {
		t.Errorf("%v:\n%s", err, text)
	}
}
