package config

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// withSecret is a target with external_id and mistakes around it.
const withSecret = `targets:
  - name: golden-images
    regions: [BAD]
    role_arn: arn:aws:iam::444455556666:role/reader
    external_id: verysecret
    session_name: prometheus
    pipelines:
      - name: golden
`

func TestNoErrorRepeatsAnExternalID(t *testing.T) {
	const before, after = "targets:\n  - name: a\n    regions: [eu-west-1]\n", "\n    pipelines: [{name: b}]\n"
	const flow = "targets: [{name: a, pipelines: [{name: b}], "
	for name, text := range map[string]string{
		"block style":                     before + "    external_id: verysecret" + after,
		"in double quotes":                before + `    external_id: "verysecret"` + after,
		"in single quotes":                before + `    external_id: 'verysecret'` + after,
		"with an escaped quote":           before + `    external_id: "a\" verysecret"` + after,
		"with a doubled quote":            before + `    external_id: 'a'' verysecret'` + after,
		"a quoted key":                    before + `    "external_id": verysecret` + after,
		"a key with an escape":            before + `    "external\x5fid": verysecret` + after,
		"an explicit key":                 before + "    ? external_id\n    : verysecret" + after,
		"a space before the colon":        before + "    external_id : verysecret" + after,
		"no space behind the colon":       before + "    external_id:verysecret" + after,
		"no colon":                        before + "    external_id verysecret" + after,
		"an equals sign":                  before + "    external_id=verysecret" + after,
		"a tag":                           before + "    external_id: !!int verysecret" + after,
		"a comment behind it":             before + "    external_id: verysecret # verysecret" + after,
		"a comment behind quotes":         before + "    external_id: 'a' # verysecret" + after,
		"flow style, behind a brace":      flow + "external_id:} verysecret: a}]",
		"a comment before it":             before + "    external_id: # shared\n      verysecret" + after,
		"commented out":                   before + "    builds: 1 # external_id: verysecret" + after,
		"on the next line":                before + "    external_id:\n      verysecret" + after,
		"on the next line, less indented": before + "    external_id:\n    verysecret" + after,
		"on the next line, as a key":      before + "    external_id:\n    verysecret:" + after,
		"on the next line, as a pair":     before + "    external_id:\n      name: verysecret" + after,
		"over two lines":                  before + "    external_id: a\n      verysecret" + after,
		"over two lines, quoted":          before + "    external_id: \"a\n  name: verysecret\"" + after,
		"over two lines, badly indented":  before + "    external_id: a\n  verysecret" + after,
		"over two lines, with a colon":    before + "    external_id: a\n      verysecret: b" + after,
		"a block scalar":                  before + "    external_id: |\n      verysecret" + after,
		"a folded block scalar":           before + "    external_id: >-\n      verysecret\n      verysecret" + after,
		"a block scalar, less indented":   before + "    external_id: |\n  verysecret" + after,
		"a block scalar, bad header":      before + "    external_id: |verysecret\n      verysecret" + after,
		"a list":                          before + "    external_id: [verysecret]" + after,
		"a list of lines":                 before + "    external_id:\n      - verysecret" + after,
		"a mapping":                       before + "    external_id: {verysecret: verysecret}" + after,
		"a mapping of lines":              before + "    external_id:\n      verysecret: verysecret" + after,
		"an open quote":                   before + `    external_id: "verysecret` + after,
		"an open single quote":            before + `    external_id: 'verysecret` + after,
		"text behind the quotes":          before + `    external_id: "a" verysecret` + after,
		"an open bracket":                 before + "    external_id: [verysecret" + after,
		"a stray brace":                   before + "    external_id: a} verysecret" + after,
		"a second colon":                  before + "    external_id: a: verysecret" + after,
		"a bad escape":                    before + `    external_id: "\qverysecret"` + after,
		"a reserved character":            before + "    external_id: @verysecret" + after,
		"a percent sign":                  before + "    external_id: %verysecret" + after,
		"a tab":                           before + "    external_id:\tverysecret\n\t verysecret" + after,
		"an alias":                        before + "    external_id: *verysecret" + after,
		"an anchor":                       before + "    external_id: &verysecret verysecret" + after,
		"through an alias":                "targets:\n  - external_id: &x verysecret\n    role_arn: arn:aws:iam::444455556666:role/r\n    name: a\n    regions: [*x]" + after,
		"in a regular expression":         "targets:\n  - external_id: &x verysecret(\n    role_arn: arn:aws:iam::444455556666:role/r\n    name: a\n    pipelines: [{name: *x}]",
		"an anchor in another place":      "x: &s verysecret\n" + before + "    external_id: *s" + after,
		"an anchor in another list":       "secrets: [&s verysecret]\n" + before + "    external_id: *s" + after,
		"an anchor on another key":        before + "    session_name: &s verysecret/bad\n    external_id: *s" + after,
		"an anchor above its value":       "targets:\n  - external_id: *x\n    role_arn: arn:aws:iam::444455556666:role/r\n    name: a\n    regions:\n      - &x\n        verysecret\n",
		"twice":                           before + "    external_id: verysecret\n    external_id: verysecret" + after,
		"in the wrong place":              "external_id: verysecret\n" + before + after,
		"in lookup":                       before + after + "lookup: {external_id: verysecret}",
		"another spelling":                before + "    external-id: verysecret" + after,
		"camel case":                      before + "    externalId: verysecret" + after,
		"a typing error":                  before + "    extrenal_id: verysecret" + after,
		"Windows line ends":               strings.ReplaceAll(before+"    external_id:\n      verysecret"+after, "\n", "\r\n"),
		"not UTF-8":                       before + "    external_id: verysecret\xff" + after,
		"a second document":               before + "    external_id: verysecret" + after + "--- {external_id: verysecret}",
		"flow style":                      flow + "external_id: verysecret, regions: [BAD]}]",
		"flow style, last":                flow + "regions: [BAD], external_id: verysecret}]",
		"flow style, quoted":              flow + `"external_id": "verysecret", regions: [BAD]}]`,
		"flow style, with a comma":        flow + "external_id: a,verysecret, regions: [BAD]}]",
		"flow style, with a comma, space": flow + "external_id: a, verysecret, regions: [BAD]}]",
		"flow style, no space":            flow + `"external_id":verysecret, regions: [BAD]}]`,
		"flow style, a mapping":           flow + "external_id: {name: verysecret}, regions: [BAD]}]",
		"flow style, open":                flow + "external_id: verysecret, regions: [BAD]",
		"flow style, open quote":          flow + `external_id: "verysecret, regions: [BAD]}]`,
		"flow style, behind a mistake":    "targets: [{name: [, external_id: verysecret}]",
		"flow style, twice":               flow + "external_id: verysecret}, {external_id: verysecret, builds: 1}]",
		"flow style, over lines":          flow + "\n  external_id:\n  verysecret, regions: [BAD]}]",
		"not indented":                    "targets:\n- name: a\n external_id: verysecret\n",
		"in a list of texts":              before + "    images:\n      - external_id: verysecret\n      - external_id verysecret" + after,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse("config.yml", []byte(text))
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "verysecret") {
				t.Error(err)
			}
		})
	}
}

func TestOnlyLinesOfTheExternalIDAreHidden(t *testing.T) {
	for text, want := range map[string]string{
		"- external_id: verysecret\n  regoin: a\n- name: b":      "***\n***\n- name: b",
		"external_id: |\n  verysecret\nname: a":                  "***\n***\nname: a",
		"name: a\nexternal_id: b\nregions: [c]\nlookup:":         "name: a\n***\nregions: [c]\nlookup:",
		"role_arn: arn:aws:iam::444455556666:role/next\na: text": "role_arn: arn:aws:iam::444455556666:role/next\na: text",
	} {
		lines := strings.Split(text, "\n")
		for n, secret := range secretLines(lines) {
			if secret {
				lines[n] = mask
			}
		}
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", text, got, want)
		}
	}
}

// TestNoMutationRepeatsAnExternalID changes files everywhere but in the key and the
// secret themselves.
func TestNoMutationRepeatsAnExternalID(t *testing.T) {
	files := []string{
		withSecret,
		strings.Replace(withSecret, " verysecret", "\n      verysecret", 1),
		strings.Replace(withSecret, " verysecret", " |\n      verysecret", 1),
		strings.Replace(withSecret, " verysecret", ` "verysecret"`, 1),
		strings.Replace(withSecret, " verysecret", " [verysecret]", 1),
		"targets:\n  - {name: a, regions: [BAD], external_id: verysecret, pipelines: [{name: b}]}\nlookup: {}\n",
		"targets: [{name: a,\n  'external_id': 'verysecret',\n  pipelines: [{name: b}]}]\n",
	}
	alphabet := []string{"\n", " ", "  ", "\t", ":", ": ", ",", "-", "- ", "#", " #", "?", "&", "*", "!", "|", ">", "%", "@", "`", "'", `"`, `\`, "[", "]", "{", "}", "a", "0", "\r", "\xff", "---\n", "\u00e4", "~"}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 20_000 {
		data := []byte(files[n%len(files)])
		for range 1 + random.IntN(4) {
			at := random.IntN(len(data))
			key, secret := bytes.Index(data, []byte("external_id")), bytes.Index(data, []byte("verysecret"))
			if (at >= key && at < key+len("external_id")) || (at >= secret && at < secret+len("verysecret")) {
				continue // also between them and their first letter
			}
			cut := random.IntN(2)
			data = append(append(append([]byte{}, data[:at]...), alphabet[random.IntN(len(alphabet))]...), data[at+cut:]...)
		}
		if _, err := parse("config.yml", data); err != nil && strings.Contains(err.Error(), "verysecret") {
			t.Fatalf("%s\nof\n%s", err, data)
		}
	}
}
