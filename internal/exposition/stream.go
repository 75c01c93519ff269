package exposition

import (
	"compress/flate"
	"encoding/binary"
)

// stream writes the body of an answer, part by part.
type stream interface {
	text(p []byte) // which is never changed
	segment(s *segment)
	close()
}

func (f format) stream(to Page) stream {
	if !f.gzip {
		return plain{to}
	}
	_, _ = to.Write(gzipHeader) // a Page takes everything
	return &gzipped{to: to, live: newCompressor(to), sum: sumOf(nil)}
}

// plain is a stream without compression.
type plain struct{ to Page }

func (s plain) text(p []byte)       { s.to.Append(p) }
func (s plain) segment(of *segment) { s.to.Append(of.data) }
func (s plain) close()              {}

// gzipHeader says that deflate follows, at no time, from an unknown system: RFC 1952, 2.3.
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// lastBlock is a block without text that is marked as the last one: RFC 1951, 3.2.4.
var lastBlock = []byte{1, 0, 0, 0xff, 0xff}

// gzipped is a stream that is one gzip member.
type gzipped struct {
	to    Page
	live  *flate.Writer // compresses what is live
	begun bool          // whether live has text that is not flushed
	sum   sum           // of all text
}

func (s *gzipped) text(p []byte) {
	if len(p) == 0 {
		return
	}
	if !s.begun { // the dictionary is not what precedes
		s.live.Reset(s.to)
		s.begun = true
	}
	_, _ = s.live.Write(p)
	s.sum = s.sum.then(sumOf(p))
}

func (s *gzipped) segment(of *segment) {
	s.flush()
	s.to.Append(of.data)
	s.sum = s.sum.then(of.sum)
}

// flush ends the block of what is live.
func (s *gzipped) flush() {
	if s.begun {
		_ = s.live.Flush()
		s.begun = false
	}
}

func (s *gzipped) close() {
	s.flush()
	release(s.live)
	end := binary.LittleEndian.AppendUint32(lastBlock[:len(lastBlock):len(lastBlock)], s.sum.crc)
	_, _ = s.to.Write(binary.LittleEndian.AppendUint32(end, s.sum.size))
}
