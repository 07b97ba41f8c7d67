// Package console serves the page for who carries the pager, from the binary: how the systems
// stand, what the cache gives, and the last requests that went badly. It shows what the admin
// address answers (/systems, /cache, /requests), changes nothing, and loads nothing from
// any network.
package console

import (
	"embed"
	"io/fs"
	"net/http"
)

//go:embed assets
var embedded embed.FS

// Path is where the page is; its parts are below.
const Path = "/console"

// policy lets the page load and ask this address only.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// parts are the page's files by their addresses.
var parts = map[string]string{
	Path:                   "index.html",
	Path + "/console.css":  "console.css",
	Path + "/icon.svg":     "icon.svg",
	Path + "/main.js":      "main.js",
	Path + "/dom.js":       "dom.js",
	Path + "/systems.js":   "systems.js",
	Path + "/cache.js":     "cache.js",
	Path + "/requests.js":  "requests.js",
	Path + "/waterfall.js": "waterfall.js",
}

// Mount offers the page at [Path].
func Mount(mux *http.ServeMux) {
	files, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // the directory is part of the binary
	}
	for path, file := range parts {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", policy)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("Cache-Control", "no-cache")
			serve(w, r, files, file)
		})
	}
}

// serve is [http.ServeFileFS] of a name that is never redirected.
func serve(w http.ResponseWriter, r *http.Request, files fs.FS, file string) {
	if file != "index.html" {
		http.ServeFileFS(w, r, files, file)
		return
	}
	page, err := fs.ReadFile(files, file)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page) // whoever left needs no answer
}
