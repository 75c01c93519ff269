package sd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// askTime bounds the lookup of the peers' addresses, and then the answers of all peers.
const askTime = time.Second

// maxBody bounds what is read of the answer of a peer, in bytes.
const maxBody = 1 << 10

// find returns the peers, each with why it is not ready, which is nil for one that is. The error
// says why it is not known who they are.
func (h *Handler) find(ctx context.Context) (map[string]error, error) {
	looking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	peers, err := h.c.Peers.addresses(looking, h.c.Resolver)
	if err != nil {
		return nil, fmt.Errorf("looking up the peers: %w", err)
	}
	asking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	answers := make([]error, len(peers))
	var running sync.WaitGroup
	for i, peer := range peers {
		running.Go(func() { answers[i] = h.askPeer(asking, peer) })
	}
	running.Wait()
	all := map[string]error{}
	for i, peer := range peers {
		all[peer] = answers[i]
	}
	return all, nil
}

// question is one to a peer, whether it is ready.
type question struct {
	ended chan struct{} // closed when err is there
	err   error
}

// askPeer returns why a peer is not ready, nil for one that is. A question that goes on after ctx
// has ended is left behind, as when a password_file is on a dead mount: until it ends the peer is
// not asked again.
func (h *Handler) askPeer(ctx context.Context, peer string) error {
	if left, ok := h.inFlight.Load(peer); ok {
		select {
		case <-left.(*question).ended:
		case <-ctx.Done():
			return errors.New("an earlier readiness check still hangs; can the files in --sd.peer-config be read?")
		}
	}
	q := &question{ended: make(chan struct{})}
	h.inFlight.Store(peer, q)
	go func() { // ends with ctx, or when what hangs ends
		q.err = h.isReady(ctx, peer)
		h.inFlight.Delete(peer)
		close(q.ended)
	}()
	select {
	case <-q.ended:
		return q.err
	case <-ctx.Done():
		return errNoAnswer
	}
}

var errNoAnswer = fmt.Errorf("no answer within %s", askTime)

// isReady is askPeer, but may take longer than ctx: the client reads files without it.
func (h *Handler) isReady(ctx context.Context, peer string) error {
	scheme := "http"
	if h.c.TLS {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+peer+h.c.ReadyPath, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := h.c.Client.Do(req)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the URL, which the log has as the peer
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errNoAnswer
	case err != nil:
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	switch {
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s answers %d %s", h.c.ReadyPath, resp.StatusCode, http.StatusText(resp.StatusCode))
	case errors.Is(err, context.DeadlineExceeded):
		return errNoAnswer
	case err != nil:
		return err
	case strings.TrimSuffix(string(body), "\n") != h.c.ReadyText:
		return fmt.Errorf("%s answers 200, but not with the text of this exporter", h.c.ReadyPath)
	}
	return nil
}
