package sandboxtest

import (
	"net/http"
	"sync"
)

// Tap stands between a channel and the imitated systems and keeps the headers of what was sent.
type Tap struct {
	Next http.Handler // the systems

	mu   sync.Mutex
	sent []http.Header
}

// ServeHTTP notes the call's headers, and has the systems answer it.
func (p *Tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.sent = append(p.sent, r.Header.Clone())
	p.mu.Unlock()
	p.Next.ServeHTTP(w, r)
}

// Told lists the values of a header over all calls.
func (p *Tap) Told(name string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []string
	for _, header := range p.sent {
		list = append(list, header.Values(name)...)
	}
	return list
}
