package emulator

import (
	"errors"
	"net"
	"net/http"
	"time"
)

// Error answers like the service when it rejects a request: the header X-Amzn-ErrorType has code,
// followed by a colon and a URI, and the body has message. A request to STS gets both in an XML
// document.
func Error(status int, code, message string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isSTS(r) {
			write(w, r, status, stsError{Type: "Sender", Code: code, Message: message, RequestID: w.Header().Get("x-amzn-RequestId")})
			return
		}
		w.Header().Set("X-Amzn-ErrorType", code+":http://internal.amazon.com/coral/com.amazon.imagebuilder/")
		write(w, r, status, map[string]string{"message": message})
	})
}

// Body answers with exactly this status, content type and body, like a proxy, a captive portal or a
// broken service.
func Body(status int, contentType, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

// Hang never answers. It returns when the client gives up.
func Hang() http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

// Drip answers with the beginning of a body, then sends one space per second until the client gives
// up.
func Drip(status int, begin string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, err := w.Write([]byte(begin))
		for err == nil && http.NewResponseController(w).Flush() == nil && wait(r, time.Second) {
			_, err = w.Write([]byte(" "))
		}
	})
}

// Reset sends the beginning of an answer, or nothing if sent is empty, and then resets the
// connection.
func Reset(sent string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(errors.Join(errors.New("emulator: Reset needs HTTP/1.1"), err))
		}
		if sent != "" {
			_, _ = buf.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n" + sent)
			_ = buf.Flush()
		}
		if tcp, ok := conn.(*net.TCPConn); ok && sent == "" {
			_ = tcp.SetLinger(0) // a reset in place of an orderly end
		}
		_ = conn.Close()
	})
}

// wait reports whether d went by before the client gave up.
func wait(r *http.Request, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
		return false
	}
}
