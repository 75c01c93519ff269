package imagebuilder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Bounds of a list.
const (
	RowsOfPage = 25   // at most (API reference, "maxResults")
	maxPages   = 2000 // 50,000 rows; fewer where operations says so
)

// The time that a list may take: that of all its pages, without what they wait for their
// turn, so that many lists that share the rate limit do not count against each other. 2,000
// pages of 0.3 s fit, and 60 pages with retries up to the time limit of each.
const (
	leastListTime = 10 * time.Minute
	listTimeouts  = 60 // time limits of a page, if that is longer
)

// list asks for one page after the other, each with the token that the one before has
// returned, until there is none. A list that exceeds a bound is an error, because what was read
// of it is not the whole.
func list[T row](
	ctx context.Context, c *Client, operation Operation, started func(), page func(ctx context.Context, token *string) (rows []T, next *string, err error),
) ([]T, error) {
	l := newListing[T](operation)
	for {
		var rows []T
		var next *string
		took, err := c.timed(ctx, operation, started, func(ctx context.Context) (err error) {
			rows, next, err = page(ctx, l.token)
			return err
		})
		if err != nil {
			return nil, err
		}
		l.took, started = l.took+took, nil
		more, err := l.add(rows, next)
		switch {
		case err != nil:
			c.invalid(reasonPages)
			return nil, newError(operation, invalidAnswer(err))
		case !more, c.firstPages:
			return l.rows, nil
		case l.took > c.listTime():
			return nil, newError(operation, &failure{class: Unavailable, error: fmt.Errorf("%w (pages read: %d)", errListTime, l.pages)})
		}
	}
}

// timed is ask, and returns how long it took from the first attempt on.
func (c *Client) timed(ctx context.Context, operation Operation, started func(), f func(context.Context) error) (time.Duration, error) {
	begun := time.Now()
	err := c.ask(ctx, operation, func() {
		if begun = time.Now(); started != nil {
			started()
		}
	}, f)
	return time.Since(begun), err
}

// listTime returns how long all pages of a list may take.
func (c *Client) listTime() time.Duration {
	return max(leastListTime, listTimeouts*time.Duration(c.timeout.Load()))
}

// listing is a list as far as it has been read.
type listing[T row] struct {
	most   int // pages
	pages  int
	rows   []T
	places map[string]int  // in rows, by key
	token  *string         // of the next page
	seed   maphash.Seed    // of seen
	seen   map[uint64]bool // hashes of tokens, which may be long
	took   time.Duration   // all pages, without waiting for their turn
}

func newListing[T row](operation Operation) *listing[T] {
	return &listing[T]{
		most:   cmp.Or(operations[operation].pages, maxPages),
		places: map[string]int{}, seed: maphash.MakeSeed(), seen: map[uint64]bool{},
	}
}

// add takes a page in, and reports whether there are more. A list can change between two
// pages and have a row in both: the later one counts.
func (l *listing[T]) add(rows []T, next *string) (more bool, err error) {
	l.pages++
	for _, row := range rows {
		if place, twice := l.places[row.key()]; twice {
			l.rows[place] = row
		} else {
			l.places[row.key()] = len(l.rows)
			l.rows = append(l.rows, row)
		}
	}
	l.token = next
	hash := maphash.String(l.seed, aws.ToString(next))
	switch {
	case len(l.rows) > l.most*RowsOfPage:
		return false, fmt.Errorf("the list has more than %d rows", l.most*RowsOfPage)
	case aws.ToString(next) == "":
		return false, nil
	case l.seen[hash]:
		return false, errors.New("the next page of the list is one that was already read")
	case l.pages == l.most:
		return false, fmt.Errorf("the list has more than %d pages", l.most)
	}
	l.seen[hash] = true
	return true, nil
}

// row is a row of a list.
type row interface{ key() string } // the same for the same thing

func (e Execution) key() string    { return e.ID }
func (s Step) key() string         { return s.ID }
func (s WaitingStep) key() string  { return s.ExecutionID + " " + s.ID }
func (p Pipeline) key() string     { return p.ARN }
func (i Image) key() string        { return i.ARN }
func (v ImageVersion) key() string { return v.ARN }
