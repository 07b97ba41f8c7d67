package web

import (
	"net/http"

	"github.com/portico-bff/portico/edge/market"
)

// dependsOn is what the steps of a request look at. All answers share it, and none writes
// to it.
var dependsOn = []string{"Origin, Authorization, " + market.Vary + ", Accept"}

// Vary tells caches on the way what answers depend on, those too that are refused before
// anybody has looked at all of it. It stands before every step that looks at any of that.
//
// Answers to POST do not say it: they are kept by no cache. RFC 9110 §9.3.3 lets one keep
// them with a Content-Location only, which none of ours has, and RFC 9111 §4.1 reads Vary
// of what is kept alone. So it would be written for nobody, on every request of most clients.
func Vary(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header()["Vary"] = dependsOn[:1:1] // whoever adds to it has it copied
		}
		next.ServeHTTP(w, r)
	})
}
