package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/portico-bff/portico/edge/cors"
)

const (
	allowedHeaders = "Accept-Language, Apollographql-Client-Name, Apollographql-Client-Version, Authorization, Content-Type, X-Channel, " +
		"X-Client-Name, X-Client-Version, X-Country, X-CSRF, X-Currency, X-Request-Id, X-Trace"
	exposedHeaders = "Content-Language, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, X-Channel, X-Country, X-Currency, X-Request-Id"
)

// CORS lets pages of the listed origins read answers, and answers preflights.
func CORS(policy *cors.Policy) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			allowed := tellOrigin(h, policy, r)
			if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
				next.ServeHTTP(w, r)
				return
			}
			h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
			if !allowed {
				Refuse(r.Context(), w, errForeignOrigin)
				return
			}
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			h.Set("Access-Control-Allow-Headers", allowedHeaders)
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
		})
	}
}

// tellOrigin says in h whose pages may read the answer to r: the one that sent it, if it is listed.
func tellOrigin(h http.Header, policy *cors.Policy, r *http.Request) (allowed bool) {
	origin := only(r.Header["Origin"])
	if !policy.Allowed(origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", exposedHeaders)
	h.Set("Timing-Allow-Origin", origin)
	return true
}

// CSRF refuses what a browser could have been tricked into sending: a request
// with a cookie, or one a browser marked, must carry X-CSRF: 1, which no form can
// set, and come from a page of ours or of the listed origins.
func CSRF(policy *cors.Policy) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := forged(policy, r); err != nil {
				Refuse(r.Context(), w, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// browserSent tells whether a request may carry authority its sender did not choose.
func browserSent(r *http.Request) bool {
	return len(r.Header["Cookie"]) > 0 || len(r.Header["Origin"]) > 0 || len(r.Header["Sec-Fetch-Site"]) > 0
}

// trusted tells whether the page behind a request is ours. Browsers leave Origin
// out of same-origin GET requests and say so in Sec-Fetch-Site.
func trusted(policy *cors.Policy, r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return r.Header.Get("Sec-Fetch-Site") == "same-origin"
	}
	return len(origins) == 1 && (policy.Allowed(origins[0]) || sameHost(origins[0], r.Host))
}

func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return false
	}
	return host != "" && strings.EqualFold(u.Host, host) && origin == u.Scheme+"://"+u.Host
}

// OwnSites refuses WebSockets to pages that are neither ours nor of the listed origins.
// Browsers let every page open one and cannot set X-CSRF there; who they are for is said on
// the socket itself, never by a cookie.
func OwnSites(policy *cors.Policy) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if browserSent(r) && !trusted(policy, r) {
				Refuse(r.Context(), w, errForeignOrigin)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
