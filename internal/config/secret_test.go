package config

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// TestWhatIsShownOfALine has lines, and what is shown of each when an error is about it.
func TestWhatIsShownOfALine(t *testing.T) {
	for text, want := range map[string]string{
		"targets:\n- external_id: verysecret\n  regoin: a\n  name: b":                    "targets:\n- external_id: ***\n  ***\n  name: b",
		"targets:\n- external_id: |\n    verysecret\n  name: a":                          "targets:\n- external_id: ***\n    ***\n  name: a",
		"targets: [{name: a, external_id: b, regions: [c, 'd']}]":                        "targets: [{name: a, external_id: *** regions: [c, 'd']}]",
		"targets:\n- role_arn: arn:aws:iam::444455556666:role/next\n  a: text":           "targets:\n- role_arn: arn:aws:iam::444455556666:role/next\n  ***",
		"targets:\n- pipelines:\n  - tags:\n      team: a\n    name: b":                  "targets:\n- pipelines:\n  - tags:\n      team: ***\n    name: b",
		"targets:\n- name: a # secret\n  # secret\n  regions: [b, # secret\n  c]":        "targets:\n- name: a\n  ***\n  regions: [b,\n  c]",
		"lookup: {timeout: 5s, burst: 1}\ntargets: 5s":                                   "lookup: {timeout: 5s, burst: 1}\ntargets: ***",
		"targets:\n- name: &secret a\n- name: *secret":                                   "targets:\n- name: ***\n- name: ***",
		"targets:\n- endpoint_url: https://host/secret\n- endpoint_url: host:80":         "targets:\n- endpoint_url: https://***\n- endpoint_url: host:80",
		"targets:\n- endpoint_url: host/secret\n- name: AKIAIOSFODNN7EXAMPLE":            "targets:\n- endpoint_url: ***\n- name: ***",
		"targets:\n- external_id: next\n  name: next\n  session_name: a-next-b":          "targets:\n- external_id: ***\n  name: ***\n  session_name: ***",
		"targets:\n- name: golden\n    images\n  regions:\n  - eu-west-1":                "targets:\n- name: ***\n    ***\n  regions:\n  - eu-west-1",
		"targets:\n- name: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n  images: [a=b, c]": "targets:\n- name: ***\n  images: *** c]",
	} {
		doc, err := parseDocument("config.yml", []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var lines []string
		for n := range doc.lines {
			lines = append(lines, viewOf(doc, n+1).shown())
		}
		if diff := cmp.Diff(want, strings.Join(lines, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
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

// TestNoErrorRepeatsAPassword has what a user may write into a configuration although it does
// not belong there, with a mistake beside it.
func TestNoErrorRepeatsAPassword(t *testing.T) {
	const before, after = "targets:\n  - name: a\n    regions: [eu-west-1]\n", "\n    pipelines: [{name: b}]\n"
	for name, text := range map[string]string{
		"an unknown key":                        before + "    aws_secret_access_key: verysecret" + after,
		"an unknown key of the AWS SDK":         before + "    session_token: verysecret" + after,
		"an unknown key without a colon":        "targets: [{name: a, password verysecret, regions: [BAD]}]",
		"an unknown key with an equals sign":    before + "    password=verysecret: a" + after,
		"a misspelt external_id":                before + "    xternal_id: verysecret" + after,
		"an unknown key, on the next line":      before + "    password:\n      verysecret" + after,
		"an unknown key, as a block":            before + "    password: |\n      verysecret\n" + after,
		"an unknown key that is quoted":         before + `    "password": "verysecret"` + after,
		"an unknown key behind a bad value":     "targets: [{name: [x], password: verysecret}]",
		"an unknown key before a bad value":     "targets: [{password: verysecret, name: [x]}]",
		"an unknown key and no YAML":            before + "    password: verysecret\n   - x: [" + after,
		"an unknown key and no YAML, flow":      "targets: [{name: a, password: verysecret",
		"an unknown key behind tags":            "targets: [{tags: {a: b}, name: [x], password: verysecret}]",
		"an unknown section":                    "credentials:\n  key: verysecret\n" + before + after,
		"a URL with a password":                 before + "    endpoint_url: https://user:verysecret@host" + after,
		"a URL on the next line":                before + "    endpoint_url:\n      https://user:verysecret@host" + after,
		"a URL in flow style":                   "targets: [{name: a, endpoint_url: 'https://user:verysecret@host', pipelines: [{name: b}]}]",
		"a URL with escapes":                    before + `    endpoint_url: "https:\/\/user:verysecret@host"` + after,
		"a URL with an escaped @":               before + "    endpoint_url: https://user:verysecret%40host" + after,
		"a URL without a scheme":                before + "    endpoint_url: user:verysecret@host" + after,
		"a URL without a scheme, on a new line": before + "    endpoint_url:\n      user:verysecret@host" + after,
		"a URL with a token":                    before + "    endpoint_url: https://host/?token=verysecret" + after,
		"a token without a scheme":              before + "    endpoint_url: host?token=verysecret" + after,
		"a URL as an image":                     before + "    images: ['https://user:verysecret@host']" + after,
		"a URL as a key":                        before + "    https://user:verysecret@host: a" + after,
		"a URL in a comment":                    before + "    steps: bad # https://user:verysecret@host" + after,
	} {
		_, err := parse("config.yml", []byte(text))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if strings.Contains(err.Error(), "verysecret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestALineIsShownInPart when it is long.
func TestALineIsShownInPart(t *testing.T) {
	for _, text := range []string{
		"targets: [" + strings.Repeat("ä", 100_000),
		"targets: [{" + strings.Repeat("k", 100_000) + ": a}]",
		"targets: [{name: a, regions: [" + strings.Repeat("r", 100_000) + "]}]",
	} {
		if _, err := parse("config.yml", []byte(text)); err == nil || len([]rune(err.Error())) > 900 {
			t.Errorf("%.300v", err)
		}
	}
}
