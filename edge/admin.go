package edge

import (
	"net/http"
	"net/http/pprof"

	"github.com/portico-bff/portico/edge/console"
)

// Admin answers /healthz (the process lives), /readyz (it takes requests: 503
// once it drains; Redis and upstreams being down do not count, answers are
// degraded then), /metrics, /systems (how every upstream stands now), /cache and
// /cache/explain (what is kept, and why it is or is not answered), /requests (the last
// that failed or took long, with their waterfalls), /console (a page of these), Go's profiles below /debug/pprof/, and with an ADMIN_TOKEN POST /invalidate. It is never public.
func (b *Backend) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if b.draining.Load() {
			say(w, http.StatusServiceUnavailable, "draining\n")
			return
		}
		say(w, http.StatusOK, "ready\n")
	})
	mux.Handle("GET /metrics", b.Telemetry.Handler())
	mux.HandleFunc("GET /systems", b.live)
	mux.HandleFunc("GET /requests", b.recent)
	b.mountCache(mux)
	console.Mount(mux)
	mountProfiles(mux)
	return mux
}

// mountProfiles offers what the runtime knows of itself; "go tool pprof" reads it.
func mountProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

func say(w http.ResponseWriter, status int, text string) {
	answer(w, status, "text/plain; charset=utf-8", []byte(text))
}

// answer writes what is true only now.
func answer(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // whoever left needs no answer
}
