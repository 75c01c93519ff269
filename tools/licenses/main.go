// Licenses writes one text with the licences and notices that go-licenses saved in folders. Each licence
// appears once, below the packages that it applies to.
//
// Usage: licenses FOLDER…
package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(1)
	}
}

func run(folders []string) error {
	packages := map[string]map[string]bool{} // by text
	for _, folder := range folders {
		files := os.DirFS(folder)
		err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			raw, err := fs.ReadFile(files, name)
			text := strings.Trim(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n")
			if packages[text] == nil {
				packages[text] = map[string]bool{}
			}
			packages[text][path.Dir(name)] = true
			return err
		})
		if err != nil {
			return err
		}
	}
	if len(packages) == 0 {
		return fmt.Errorf("there are no licences in %q", folders)
	}
	sections := make([]string, 0, len(packages))
	for text, names := range packages {
		sections = append(sections, strings.Join(slices.Sorted(maps.Keys(names)), "\n")+"\n\n"+text+"\n")
	}
	slices.Sort(sections)
	var out bytes.Buffer
	out.WriteString("The binaries of imagebuilder_exporter contain the packages named here. Written by `make licenses`.\n")
	for _, s := range sections {
		fmt.Fprintf(&out, "\n%s\n\n%s", strings.Repeat("=", 80), s)
	}
	_, err := os.Stdout.Write(out.Bytes())
	return err
}
