package exposition

import (
	"math/rand/v2"
	"testing"
)

func TestTheSumOfTwoTexts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := func() []byte {
		p := make([]byte, random.IntN(5_000)*random.IntN(2))
		for i := range p {
			p[i] = byte(random.Uint32())
		}
		return p
	}
	for range 500 {
		a, b := text(), text()
		if got, want := sumOf(a).then(sumOf(b)), sumOf(append(a, b...)); got != want {
			t.Fatalf("of %d and %d bytes: %v, want %v", len(a), len(b), got, want)
		}
	}
}
