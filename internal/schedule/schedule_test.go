package schedule

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a Scheduler in the time of a bubble.
type world struct {
	*Scheduler
	t      *testing.T
	mu     sync.Mutex
	begin  time.Time
	logs   bytes.Buffer
	panics counter
	order  []string // the ids that were asked
}

type counter int

func (c *counter) Inc() { *c++ }

// test runs f in a bubble, with a Scheduler that asks every 10 s, in the background every
// minute, and whose answers stay fresh for another minute.
func test(t *testing.T, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, begin: time.Now()}
		w.Scheduler = New(Config{Mutex: &w.mu, Logger: log.NewLogfmtLogger(log.NewSyncWriter(&w.logs)), Panics: &w.panics})
		w.SetPace(Pace{Foreground: 10 * time.Second, Background: time.Minute, Retry: 10 * time.Second, MaxStaleness: time.Minute})
		defer w.Close()
		f(w)
	})
}

// plain is a question whose answers a test decides.
type plain struct {
	Entry
	w       *world
	takes   time.Duration // until there is an answer
	leaves  time.Duration // after the Scheduler was closed
	noTurn  bool          // whether it never calls started
	err     error
	verdict Verdict
	panics  string // where: ask, take or failed
	then    func() // what the answer brings, under the mutex
	asked   []time.Duration
	answers int
}

// add adds a question with this id.
func (w *world) add(id string, change ...func(*plain)) *plain {
	p := &plain{w: w}
	p.Subject = Subject{Kind: "Get", Label: "id", ID: id}
	for _, c := range change {
		c(p)
	}
	w.locked(func() { w.Add(&p.Entry, p) })
	return p
}

func (p *plain) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	if p.noTurn {
		return nil, p.err
	}
	p.w.locked(func() { // before the dispatcher goes on with the next one
		p.asked = append(p.asked, time.Since(p.w.begin))
		p.w.order = append(p.w.order, p.Subject.ID)
	})
	started()
	if p.panics == "ask" {
		panic("cannot ask")
	}
	if p.leaves > 0 {
		p.takes = time.Hour
	}
	select {
	case <-time.After(p.takes):
	case <-ctx.Done():
		<-time.After(p.leaves)
		return nil, ctx.Err()
	}
	return func(time.Time) {
		if p.panics == "take" {
			panic("cannot take")
		}
		p.answers++
		if p.then != nil {
			p.then()
		}
	}, p.err
}

func (p *plain) Judge(err error, _ time.Time) Verdict {
	v := p.verdict
	v.Err = err
	if StackOf(err) != nil {
		v = Verdict{Outcome: Failed, Outage: Outage{Code: "panic"}, Err: err}
	}
	return v
}

func (p *plain) Failed(time.Time) {
	if p.panics == "failed" {
		panic("cannot take in the failure")
	}
}

func (w *world) locked(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// refresh begins a refresh.
func (w *world) refresh() (r *Refresh) {
	w.locked(func() { r = w.Refresh(time.Now()) })
	return r
}

// scrape waits for a refresh, for so long at most, and reports whether it has ended.
func (w *world) scrape(wait time.Duration) bool {
	select {
	case <-w.refresh().Done():
		return true
	case <-time.After(wait):
		return false
	}
}

// scrapeFor scrapes for so long, at every multiple of five seconds.
func (w *world) scrapeFor(d time.Duration) {
	const every = 5 * time.Second
	for end := time.Now().Add(d); time.Now().Before(end); {
		w.scrape(time.Minute)
		<-time.After(every - time.Since(w.begin)%every)
	}
}

func (w *world) sizes() (n Sizes) {
	w.locked(func() { n = w.Sizes() })
	return n
}

// ended returns what is known of refreshes that have ended.
func (w *world) ended() (e Ended) {
	w.locked(func() { e = w.Last() })
	return e
}

func seconds(all ...int) (d []time.Duration) {
	for _, s := range all {
		d = append(d, time.Duration(s)*time.Second)
	}
	return d
}

func TestWhenAQuestionIsAsked(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*plain)
		want   []time.Duration
	}{
		{"every interval", func(*plain) {}, seconds(0, 10, 20, 30, 40, 50, 60)},
		{"in the background every longer interval", func(p *plain) { p.Lane = Background }, seconds(0, 60)},
		{"at an interval of its own", func(p *plain) { p.Every = 25 * time.Second }, seconds(0, 25, 50)},
		{"not more often than its lane", func(p *plain) { p.Every = time.Second }, seconds(0, 10, 20, 30, 40, 50, 60)},
		{"counted from its beginning", func(p *plain) { p.takes = 4 * time.Second }, seconds(0, 10, 20, 30, 40, 50, 60)},
		{"once when it settles", func(p *plain) { p.then = p.Settle }, seconds(0)},
		{"not while it is paused", func(p *plain) { p.then = func() { p.Paused = true } }, seconds(0)},
		{"at once when its answer says so", func(p *plain) {
			p.then = func() {
				if p.answers == 1 {
					p.AskNow()
				}
			}
		}, seconds(0, 0, 10, 20, 30, 40, 50, 60)},
		{"every interval while it fails", fails(Failed, false), seconds(0, 10, 20, 30, 40, 50, 60)},
		{"with back-off up to a minute while it fails and backs off", fails(Failed, true), seconds(0, 10, 30)},
		{"with back-off while it is rejected", fails(Rejected, false), seconds(0, 10, 30)},
		{"with back-off while it is gone", fails(Gone, false), seconds(0, 10, 30)},
		{"soon after a failure in the background", func(p *plain) { fails(Failed, true)(p); p.Lane = Background }, seconds(0, 10, 30)},
	} {
		t.Run(c.name, func(t *testing.T) {
			test(t, func(w *world) {
				p := w.add("a", c.change)
				w.scrapeFor(62 * time.Second)
				if diff := cmp.Diff(c.want, p.asked); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// fails makes a question fail so.
func fails(o Outcome, backOff bool) func(*plain) {
	return func(p *plain) { p.err, p.verdict.Outcome, p.BackOff = errors.New("no"), o, backOff }
}

func TestTheLimitsOfTheBackOff(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*plain)
		want   time.Duration
	}{
		"of what fails":       {fails(Failed, true), time.Minute},
		"of what is rejected": {fails(Rejected, true), 5 * time.Minute},
		"of what is gone":     {fails(Gone, false), 5 * time.Minute},
	} {
		test(t, func(w *world) {
			p := w.add("a", c.change)
			w.scrapeFor(40 * time.Minute)
			n := len(p.asked)
			if got := p.asked[n-1] - p.asked[n-2]; got != c.want {
				t.Errorf("%s: asked every %s, want %s", name, got, c.want)
			}
			p.err = nil
			w.scrapeFor(10 * time.Minute)
			if n := len(p.asked); p.asked[n-1]-p.asked[n-2] != 10*time.Second {
				t.Errorf("%s: asked at %s after an answer", name, p.asked[n-3:])
			}
		})
	}
}

func TestBackoffNeverOverflows(t *testing.T) {
	for misses, want := range map[int]time.Duration{0: 10 * time.Second, 1: 10 * time.Second, 2: 20 * time.Second, 6: 5 * time.Minute, 1 << 20: 5 * time.Minute} {
		if got := backoff(10*time.Second, misses, maxBackoff); got != want {
			t.Errorf("after %d misses: %s, want %s", misses, got, want)
		}
	}
	if got := backoff(time.Hour, 100, maxBackoff); got != time.Hour {
		t.Errorf("with an interval of an hour: %s", got)
	}
}

func TestHowLongAnAnswerStaysFresh(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*plain)
		want   time.Duration // until it is no longer fresh; 0 for never
	}{
		{"its interval and the staleness", func(*plain) {}, 70 * time.Second},
		{"an interval of its own", func(p *plain) { p.Every = time.Minute }, 120 * time.Second},
		{"for ever when it is settled", func(p *plain) { p.then = p.Settle }, 0},
	} {
		test(t, func(w *world) {
			p := w.add("a", c.change)
			fresh := func() (yes bool) {
				w.locked(func() { yes = p.Fresh(time.Now()) })
				return yes
			}
			if fresh() {
				t.Errorf("%s: fresh before the first answer", c.name)
			}
			w.scrape(time.Second)
			fails(Failed, false)(p)
			got := time.Duration(0)
			for ; got <= time.Hour && fresh(); got += time.Second {
				w.scrape(0)
				<-time.After(time.Second)
			}
			if c.want == 0 && got < time.Hour || c.want > 0 && got != c.want+time.Second {
				t.Errorf("%s: fresh for %s, want %s", c.name, got, c.want)
			}
			fails(Gone, false)(p)
			w.locked(func() { p.Unsettle(); p.AskNow() })
			w.scrape(time.Second)
			if fresh() || p.HasAnswer {
				t.Errorf("%s: known after it was gone", c.name)
			}
		})
	}
}

func TestScrapesShareOneLookup(t *testing.T) {
	test(t, func(w *world) {
		p := w.add("a", func(p *plain) { p.takes = 8 * time.Second })
		first := w.refresh()
		<-time.After(time.Second)
		if w.refresh() != first {
			t.Error("a scrape that waits for the same has a refresh of its own")
		}
		if w.scrape(time.Second) {
			t.Error("a scrape with a deadline before the answer has waited for it")
		}
		b := w.add("b")
		second := w.refresh()
		if second == first {
			t.Fatal("a scrape that waits for more shares the refresh")
		}
		<-first.Done()
		<-second.Done()
		if len(p.asked) != 1 || p.answers != 1 || b.answers != 1 {
			t.Errorf("a was asked %d times and answered %d times, b %d times", len(p.asked), p.answers, b.answers)
		}
		if last := w.ended(); last.Took != 6*time.Second || !last.LastSuccess.Equal(w.begin.Add(8*time.Second)) {
			t.Errorf("the last refresh: %+v", last)
		}
	})
}

// TestWhatFollowsJoinsTheRefresh has an answer that brings a second question: who waits for
// the first waits for the second, and nobody else does.
func TestWhatFollowsJoinsTheRefresh(t *testing.T) {
	test(t, func(w *world) {
		slow := w.add("slow", func(p *plain) { p.takes = 9 * time.Second })
		before := w.refresh()
		second := &plain{w: w, takes: 5 * time.Second}
		second.Subject.ID = "second"
		w.add("first", func(p *plain) {
			p.takes = time.Second
			p.then = func() {
				if p.answers == 1 {
					w.Add(&second.Entry, second)
				}
			}
		})
		after := w.refresh()
		<-time.After(2 * time.Second)
		w.locked(func() {
			if !after.waitsFor(&second.Entry) || before.waitsFor(&second.Entry) {
				t.Error("who waited for the first must wait for the second, and nobody else")
			}
		})
		<-after.Done()
		if second.answers != 1 || slow.answers != 1 || time.Since(w.begin) != 9*time.Second {
			t.Errorf("ended after %s, second answered %d times", time.Since(w.begin), second.answers)
		}
	})
}

func TestLanesDoNotHoldUpEachOther(t *testing.T) {
	test(t, func(w *world) {
		w.add("list", func(p *plain) { p.Lane, p.takes = Background, 30*time.Second })
		w.add("a", func(p *plain) { p.takes = time.Second })
		r := w.refresh()
		<-r.ForegroundDone()
		if took := time.Since(w.begin); took != time.Second {
			t.Errorf("the foreground took %s", took)
		}
		<-r.Done()
		if took := time.Since(w.begin); took != 30*time.Second {
			t.Errorf("all took %s", took)
		}
	})
}

// TestAScrapeThatFindsTheForegroundPending although an older refresh had been done with it:
// what the background has brought since is waited for.
func TestAScrapeThatFindsTheForegroundPending(t *testing.T) {
	test(t, func(w *world) {
		build := &plain{w: w, takes: 5 * time.Second}
		build.Subject.ID = "build"
		w.add("slow", func(p *plain) { p.Lane, p.takes = Background, 30*time.Second })
		w.add("list", func(p *plain) {
			p.Lane, p.takes = Background, 10*time.Second
			p.then = func() { w.Add(&build.Entry, build) }
		})
		<-w.refresh().ForegroundDone()
		<-time.After(11 * time.Second)
		<-w.refresh().ForegroundDone()
		if took := time.Since(w.begin); took != 15*time.Second || build.answers != 1 {
			t.Errorf("the foreground was done after %s, with %d answers", took, build.answers)
		}
	})
}

func TestWhatWasNotAskedForTheLongestTimeGoesFirst(t *testing.T) {
	test(t, func(w *world) {
		for _, id := range []string{"c", "a", "b"} {
			w.add(id)
		}
		w.scrape(time.Second)
		<-time.After(time.Second)
		w.add("d")
		w.scrape(time.Second)
		<-time.After(20 * time.Second)
		w.add("e")
		w.scrape(time.Second)
		if got := strings.Join(w.order, ""); got != "abcd"+"eabcd" {
			t.Errorf("asked in the order %s", got)
		}
	})
}

func TestRefreshesThatFail(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*plain)
		success bool
	}{
		{"a failure", fails(Failed, false), false},
		{"an optional failure", func(p *plain) { fails(Failed, false)(p); p.Optional = true }, true},
		{"a failure that is an answer", func(p *plain) { fails(Failed, false)(p); p.verdict.Answered = true }, true},
	} {
		test(t, func(w *world) {
			if w.ended().Any {
				t.Error("a refresh has ended before the first one")
			}
			w.add("good")
			w.add("bad", c.change)
			w.scrape(time.Second)
			if last := w.ended(); last.LastSuccess.IsZero() == c.success || !last.Any {
				t.Errorf("%s: %+v", c.name, last)
			}
		})
	}
}

func TestWhatIsRemoved(t *testing.T) {
	test(t, func(w *world) {
		a := w.add("a", func(p *plain) { p.takes = 20 * time.Second })
		r := w.refresh()
		synctest.Wait()
		w.locked(func() { w.Remove(&a.Entry) })
		<-r.Done() // nobody waits for it any more
		again := w.add("a")
		if w.scrape(10 * time.Second) {
			t.Error("the same subject was asked a second time at once")
		}
		w.scrape(20 * time.Second)
		if a.answers != 0 || again.answers != 1 || again.asked[0] != 20*time.Second {
			t.Errorf("%d answers for what is gone, %d for what came, asked at %s", a.answers, again.answers, again.asked)
		}
		w.locked(func() { w.Remove(&again.Entry) })
		if diff := cmp.Diff(Sizes{}, w.sizes()); diff != "" {
			t.Errorf("left over (-want +got):\n%s", diff)
		}
	})
}

// TestWhatIsRemovedTwice removes what waits for the lookup of what was removed before.
func TestWhatIsRemovedTwice(t *testing.T) {
	test(t, func(w *world) {
		slow := func(p *plain) { p.takes = 20 * time.Second }
		first := w.add("a", slow)
		w.refresh()
		synctest.Wait()
		w.locked(func() { w.Remove(&first.Entry) })
		second := w.add("a")
		w.refresh()
		w.locked(func() { w.Remove(&second.Entry) })
		<-time.After(30 * time.Second)
		if len(second.asked) > 0 || w.sizes() != (Sizes{}) {
			t.Errorf("asked at %s, left over %+v", second.asked, w.sizes())
		}
	})
}

func TestWithoutWhatComesBeforeEverythingFails(t *testing.T) {
	test(t, func(w *world) {
		calls := 0
		w.c.Before = func(context.Context) error { calls++; return errors.New("no credentials") }
		all := []*plain{w.add("a"), w.add("b"), w.add("c", fails(Gone, true))}
		w.scrape(time.Second)
		for _, p := range all {
			if len(p.asked) > 0 || !p.Failing || !p.LookedUp || p.HasAnswer {
				t.Errorf("%s: asked at %s, %+v", p.Subject.ID, p.asked, p.History)
			}
		}
		if calls != 1 {
			t.Errorf("tried %d times, want 1", calls)
		}
		<-time.After(10 * time.Second)
		w.c.Before = nil
		w.scrape(time.Second)
		if len(all[0].asked) != 1 {
			t.Error("what could not be asked is asked less often")
		}
	})
}

func TestAPanicIsAFailure(t *testing.T) {
	for _, where := range []string{"ask", "take", "failed"} {
		test(t, func(w *world) {
			bad := w.add("bad", func(p *plain) { p.panics = where })
			if where == "failed" {
				bad.err = errors.New("no")
			}
			good := w.add("good")
			w.scrapeFor(12 * time.Second)
			if bad.HasAnswer || !bad.Failing || good.answers != 2 {
				t.Errorf("%s: %+v; the other one was answered %d times", where, bad.History, good.answers)
			}
			if w.panics != 2 || strings.Count(w.logs.String(), "panic: cannot") != 1 || !strings.Contains(w.logs.String(), "schedule_test.go") {
				t.Errorf("%s: %d panics, log:\n%s", where, w.panics, &w.logs)
			}
			bad.panics, bad.err = "", nil
			w.scrapeFor(12 * time.Second)
			if !bad.HasAnswer || bad.Failing || !strings.Contains(w.logs.String(), "recovered") {
				t.Errorf("%s: afterwards %+v", where, bad.History)
			}
		})
	}
}

func TestAnOutageIsLoggedOnce(t *testing.T) {
	test(t, func(w *world) {
		down := func(p *plain) { fails(Failed, false)(p); p.verdict.Outage = Outage{Class: "down", Code: "X"} }
		late := func(p *plain) { down(p); p.takes = time.Millisecond }
		all := []*plain{w.add("a", down), w.add("b", late), w.add("c")}
		w.scrapeFor(time.Minute)
		if got := w.logs.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `msg="lookup fails" id=a class=down err=no`) {
			t.Errorf("the log is\n%s", got)
		}
		w.logs.Reset()
		all[0].err = nil
		w.scrapeFor(20 * time.Second)
		if got := w.logs.String(); got != "" || w.sizes().Outages != 1 {
			t.Errorf("while one still fails, the log is\n%s", got)
		}
		all[1].err = nil
		w.scrapeFor(20 * time.Second)
		want := fmt.Sprintf("level=info msg=recovered class=down after=1m20s failures=%d\n", 2*6+2)
		if got := w.logs.String(); got != want || w.sizes().Outages != 0 {
			t.Errorf("the recovery is logged as\n%s, want\n%s", got, want)
		}
	})
}
