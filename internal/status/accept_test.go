package status

import "testing"

func TestWhoGetsJSON(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": true, "text/html": false,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": false,
		"application/json;q=0.5, text/html":                               false, "application/json, text/html;q=0.5": true, "application/*": true, "nonsense;;": false,
	} {
		if got := wantsJSON([]string{accept}); got != want {
			t.Errorf("%q: JSON is %t, want %t", accept, got, want)
		}
	}
}
