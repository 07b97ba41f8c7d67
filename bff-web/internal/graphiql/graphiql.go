// Package graphiql serves the GraphiQL page from the binary, for development. It
// loads nothing from the network.
package graphiql

import (
	"embed"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
)

//go:embed assets
var embedded embed.FS

// Prefix is where the page's parts live.
const Prefix = "/graphiql/"

// policy lets the page load its own parts only. GraphiQL's editor sets styles
// inline and carries its fonts as data.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src data:; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Assets serves the page's parts below [Prefix].
func Assets() http.Handler {
	files, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // the directory is part of the binary
	}
	server := http.StripPrefix(Prefix, http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		if strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		server.ServeHTTP(w, r)
	})
}

// Page answers a browser that opens the API's address with the GraphiQL page, and
// hands everything else to next.
func Page(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !wanted(r) {
			next.ServeHTTP(w, r)
			return
		}
		page, err := embedded.ReadFile("assets/page.html")
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		secure(w.Header())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Add("Vary", "Accept")
		_, _ = w.Write(page) // a client that left is no one's error
	})
}

func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

// wanted tells whether a request is a browser's for a page, not a client's for data.
func wanted(r *http.Request) bool {
	q := r.URL.Query()
	if r.Method != http.MethodGet || q.Has("query") || q.Has("documentId") {
		return false
	}
	return prefersHTML(r.Header.Get("Accept"))
}

// prefersHTML tells whether text/html is named and nothing is liked better.
func prefersHTML(accept string) bool {
	html, best := 0.0, 0.0
	for _, part := range strings.Split(accept, ",") {
		mediaType, params, _ := strings.Cut(part, ";")
		q := 1.0
		for _, p := range strings.Split(params, ";") {
			if text, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
				parsed, err := strconv.ParseFloat(text, 64)
				if err != nil {
					parsed = 0
				}
				q = parsed
			}
		}
		if strings.EqualFold(strings.TrimSpace(mediaType), "text/html") {
			html = max(html, q)
			continue
		}
		best = max(best, q)
	}
	return html > 0 && html >= best
}
