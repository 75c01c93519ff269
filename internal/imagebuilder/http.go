package imagebuilder

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Bounds of an answer. A page of 25 executions with long messages stays far below them.
const (
	maxResponseBytes = 4 << 20
	maxHeaderBytes   = 1 << 20
)

// boundedClient fails the reading of an answer that is larger than maxResponseBytes
// with errTooLarge, and has its counts checked.
type boundedClient struct{ aws.HTTPClient }

// Do sends req.
func (c boundedClient) Do(req *http.Request) (*http.Response, error) {
	resp, err := c.HTTPClient.Do(req)
	if resp != nil && resp.Body != nil {
		resp.Body = &countReader{ReadCloser: &boundedBody{ReadCloser: resp.Body, left: maxResponseBytes}}
	}
	return resp, err
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

// readError is a failure of the connection in the middle of an answer.
type readError struct{ error }

func (e readError) Unwrap() error { return e.error }

// Read reads at most one byte more than what is left, and fails when it gets it.
func (b *boundedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	if err != nil && err != io.EOF {
		err = readError{err}
	}
	return n, err
}
