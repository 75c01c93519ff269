package day

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// message is one that a receiver of Alertmanager got.
type message struct {
	at       time.Duration // since midnight
	receiver string
	alerts   []notice
}

// notice is what a message says of one alert.
type notice struct {
	fact
	firing bool
}

// fact is what an alert is about.
type fact struct{ alert, pipeline, build string }

// inbox has what all receivers got.
type inbox struct {
	midnight time.Time

	mu       sync.Mutex
	messages []message
	bad      []string // what could not be read
}

// ServeHTTP takes in a message. The path is the receiver's name.
func (i *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var body struct {
		Alerts []struct {
			Status string
			Labels map[string]string
		}
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	i.mu.Lock()
	defer i.mu.Unlock()
	if err != nil {
		i.bad = append(i.bad, err.Error())
		return
	}
	m := message{at: time.Since(i.midnight), receiver: strings.TrimPrefix(r.URL.Path, "/")}
	for _, a := range body.Alerts {
		_, build, _ := strings.Cut(a.Labels["image_version"], "/")
		m.alerts = append(m.alerts, notice{fact{a.Labels["alertname"], a.Labels["pipeline"], build}, a.Status == "firing"})
	}
	i.messages = append(i.messages, m)
}

// count returns how many messages on an alert there are between two times.
func count(messages []message, alert string, from, to time.Duration) (n int) {
	for _, m := range messages {
		if m.at >= from && m.at < to && slices.ContainsFunc(m.alerts, func(a notice) bool { return a.alert == alert }) {
			n++
		}
	}
	return n
}
