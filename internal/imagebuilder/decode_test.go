package imagebuilder

import "testing"

func TestYearsThatAreRead(t *testing.T) {
	for s, want := range map[string]bool{
		"1969-12-31T23:59:59.999Z": false,
		"1970-01-01T00:00:00Z":     true,
		"2200-12-31T23:59:59.999Z": true,
		"2201-01-01T00:00:00Z":     false,
	} {
		counted := 0
		got := decodeTime(&s, func(string) { counted++ })
		if read := !got.IsZero(); read != want || read == (counted == 1) {
			t.Errorf("%s: read as %s, counted %d times", s, got, counted)
		}
	}
}
