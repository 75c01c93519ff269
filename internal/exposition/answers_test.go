package exposition

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// play is a life of one target that is made directly, so that it costs little.
type play struct {
	moment
	text string // beside oddTexts
	ids  int
}

func newPlay(name, text string) *play {
	return &play{moment: moment{Name: name, Region: "eu-west-1", Time: time.Unix(1e9, 0), Up: true}, text: text}
}

// happen makes something happen, with a text that n chooses.
func (p *play) happen(what, n byte) {
	text := p.text
	if n%4 > 0 {
		text = oddTexts[int(n)%len(oddTexts)]
	}
	switch what % 6 {
	case 0:
		p.Executions = append(p.Executions, p.execution(text))
	case 1:
		p.Images = append(p.Images, p.image(text))
	case 2: // what is live settles
		p.Settled = append(p.Settled, &lookup.Batch{Executions: p.Executions, Images: p.Images})
		p.Executions, p.Images = nil, nil
	case 3: // a batch is live again
		if i := p.some(n); i >= 0 {
			p.Executions, p.Images = append(p.Executions, p.Settled[i].Executions...), append(p.Images, p.Settled[i].Images...)
			p.remove(i)
		}
	case 4: // a batch is replaced by one that says something else
		if i := p.some(n); i >= 0 {
			b := &lookup.Batch{Images: p.Settled[i].Images}
			for _, x := range p.Settled[i].Executions {
				x.Pipeline = text
				b.Executions = append(b.Executions, x)
			}
			p.remove(i)
			p.Settled = append(p.Settled, b)
		}
	case 5: // a batch leaves
		if i := p.some(n); i >= 0 {
			p.remove(i)
		}
	}
}

// fill makes so many executions and images begin, and settle in batches of about that size.
func (p *play) fill(n, batch int) {
	random := rand.New(rand.NewPCG(1, 18))
	for range n {
		p.happen(byte(random.IntN(2)), byte(random.Uint32()))
		if random.IntN(batch) == 0 {
			p.happen(2, 0)
		}
	}
}

// some returns the index of the batch that n chooses, -1 when there is none.
func (p *play) some(n byte) int {
	if len(p.Settled) == 0 {
		return -1
	}
	return int(n) % len(p.Settled)
}

// remove takes a batch out. Moments that were before keep theirs.
func (p *play) remove(i int) {
	all := append([]*lookup.Batch{}, p.Settled[:i]...)
	p.Settled = append(all, p.Settled[i+1:]...)
}

func (p *play) execution(text string) lookup.Execution {
	p.ids++
	id := fmt.Sprintf("wf-%d", p.ids)
	return lookup.Execution{
		ID: id, Pipeline: text, ReadAt: p.Time, LookedUp: true,
		Value: &imagebuilder.Execution{
			ID: id, Status: imagebuilder.StatusRunning, WorkflowType: text, ParallelGroup: text, Start: p.Time.Add(-time.Hour), End: p.Time,
			Steps: &imagebuilder.StepCounts{Total: p.ids},
		},
		Steps:      []imagebuilder.Step{{ID: "step-" + id, Name: text, Action: text, Status: text, Start: p.Time.Add(-time.Minute), End: p.Time}},
		Superseded: lookup.Fact{Known: p.ids%2 == 0, True: true},
	}
}

func (p *play) image(text string) lookup.Image {
	p.ids++
	return lookup.Image{Pipeline: text, Image: &imagebuilder.Image{
		ARN: fmt.Sprintf("arn/%d", p.ids), Status: imagebuilder.ImageAvailable, Platform: text, Created: p.Time,
		Outputs: []imagebuilder.Output{{Region: text, ID: fmt.Sprint("ami-", p.ids), State: text}},
	}}
}

// check compares an answer with that of promhttp.
func (p *play) check(t testing.TB, h *Handler, accept, encoding string, names ...string) {
	t.Helper()
	r := request(accept, encoding, names...)
	got := compare(t, h, r, p.moment)
	if f, ours := formatOf(r, h.negotiate(r)); ours {
		checkText(t, got, f.kind == expfmt.TypeOpenMetrics)
	}
}

// FuzzAnswers compares answers with those of promhttp. The bytes of course say what happens:
// two for each thing, the second of which chooses a text, a batch or the format of a scrape.
func FuzzAnswers(f *testing.F) {
	const begin, image, settle, back, other, leave, scrape = 0, 1, 2, 3, 4, 5, 6
	f.Add("golden", "a", prometheus3, "gzip", "", []byte{begin, 0, image, 1, settle, 0, scrape, 0, begin, 4, scrape, 7})
	f.Add(`a "target"`, "# EOF\n", prometheus2, "", "imagebuilder_up", []byte{begin, 1, begin, 6, settle, 0, scrape, 1, begin, 3, settle, 0, scrape, 1, back, 0, scrape, 1})
	f.Add("\n", "# HELP a b\n# TYPE a gauge", text004, "gzip;q=0.5, identity", "a_total", []byte{image, 0, settle, 0, scrape, 6, other, 0, scrape, 6, leave, 0, scrape, 2})
	f.Add("ü", `{x="y"} 1`, protobuf3, "*", "z", []byte{begin, 9, settle, 0, other, 3, scrape, 3, other, 2, scrape, 3, other, 1, scrape, 10})
	f.Add("", "", "", "identity", "nothing", []byte{settle, 0, scrape, 0, begin, 0, settle, 0, settle, 0})
	all := accepts()
	f.Fuzz(func(t *testing.T, name, text, accept, encoding, only string, course []byte) {
		p, h := newPlay(strings.ToValidUTF8(name, "?"), strings.ToValidUTF8(text, "?")), newHandler()
		scrapes := 0
		for len(course) >= 2 && p.ids < 20 && scrapes < 3 {
			what, n := course[0]%7, course[1]
			course = course[2:]
			if what == scrape {
				scrapes++
				p.check(t, h, all[int(n)/2%len(all)], []string{"gzip", ""}[n%2])
				continue
			}
			p.happen(what, n)
		}
		p.check(t, h, accept, encoding)
		p.check(t, h, accept, encoding, only)
	})
}

// TestGzipReadsAnAnswerOfManyBatches holds that other programs read what is put together from
// many parts: gzip checks the length and the sum.
func TestGzipReadsAnAnswerOfManyBatches(t *testing.T) {
	p, h := newPlay("golden", "a text"), newHandler()
	p.fill(1_500, 20)
	if len(p.Settled) < 50 || len(p.Executions)+len(p.Images) == 0 {
		t.Fatalf("%d batches, %d live executions and images", len(p.Settled), len(p.Executions)+len(p.Images))
	}
	for _, accept := range []string{prometheus3, text004} {
		p.check(t, h, accept, "gzip")
		got, _ := serve(t, h, request(accept, "gzip"), p.moment)
		check := exec.Command("gzip", "-t")
		check.Stdin = bytes.NewReader(got.Body.Bytes())
		if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("gzip -t: %v\n%s", err, out)
		}
		read := exec.Command("gzip", "-dc")
		read.Stdin = bytes.NewReader(got.Body.Bytes())
		out, err := read.Output()
		if want := text(t, got); err != nil || string(out) != want {
			t.Errorf("gzip -dc: %v (-Go +gzip):\n%s", err, cmp.Diff(want, string(out)))
		}
	}
}
