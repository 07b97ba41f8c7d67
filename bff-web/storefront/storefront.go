// Package storefront is the shop that is part of the binary: built from the sources beside
// this file (`make storefront`) and served without Node.
package storefront

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed all:dist
var embedded embed.FS

// The shop as a client of the API (X-Client-Name, X-Client-Version).
const (
	Client  = "storefront"
	Version = "1.0.0"
)

// SettingsPath is where the shop asks what there is to choose.
const SettingsPath = "/storefront/settings"

// routes are the shop's own: whatever they are, its page is answered, and finds out by itself.
var routes = []string{
	"/{$}", "/category/{id}", "/search", "/product/{sku}", "/cart", "/checkout", "/orders/{number}", "/account", "/pages/{id}",
}

// policy lets the page run its own scripts only and ask its own host only. Pictures are wherever the PIM has them.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http: https:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Documents is the manifest of the documents that the shop asks for, id → text.
func Documents() []byte {
	manifest, err := embedded.ReadFile("dist/persisted-documents.json")
	if err != nil {
		panic(err) // it is part of the binary
	}
	return manifest
}

// Mount serves the shop's pages and their parts, and nothing else below /.
func Mount(mux *http.ServeMux) {
	files := load()
	for _, route := range routes {
		mux.Handle("GET "+route, files["index.html"])
	}
	for name, f := range files {
		if name != "index.html" {
			mux.Handle("GET /"+name, f)
		}
	}
}

// load makes every file of the bundle ready to be answered.
func load() map[string]*file {
	files := map[string]*file{}
	err := fs.WalkDir(embedded, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		files[strings.TrimPrefix(name, "dist/")] = newFile(name, body)
		return nil
	})
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	for name, f := range files {
		if packed := files[name+".br"]; packed != nil {
			f.brotli = packed.plain
			delete(files, name+".br")
		}
	}
	delete(files, "persisted-documents.json")
	return files
}

// mediaTypes has every kind of file in the bundle.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".json": "application/json",
}

// file is one file of the bundle in every form that it is answered in.
type file struct {
	plain, brotli []byte // brotli is nil where the build left it out
	gzip          func() []byte
	etag          string
	mediaType     string
	keep          string // Cache-Control
}

func newFile(name string, body []byte) *file {
	sum := sha256.Sum256(body)
	f := &file{plain: body, etag: hex.EncodeToString(sum[:12]), mediaType: mediaTypes[path.Ext(name)], keep: "no-cache"}
	if strings.HasPrefix(name, "dist/assets/") { // their names change with them
		f.keep = "public, max-age=31536000, immutable"
	}
	f.gzip = sync.OnceValue(func() []byte { return pack(body) })
	return f
}

// pack is for the few that take no Brotli: it is done once a process, when the first of them asks.
func pack(body []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(body) // memory takes everything
	_ = w.Close()
	return packed.Bytes()
}

func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, coding := f.coded(r.Header.Values("Accept-Encoding"))
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", f.keep)
	h.Set("ETag", `"`+f.etag+coding+`"`)
	if slices.Contains(r.Header.Values("If-None-Match"), h.Get("ETag")) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	_, _ = w.Write(body) // a client that left is no one's error
}

// coded is the body in the best coding that a client takes.
func (f *file) coded(accepted []string) (body []byte, coding string) {
	switch {
	case f.brotli != nil && takes(accepted, "br"):
		return f.brotli, "br"
	case takes(accepted, "gzip"):
		return f.gzip(), "gzip"
	default:
		return f.plain, ""
	}
}

// takes tells whether a coding is named and not refused.
func takes(accepted []string, coding string) bool {
	for entry := range strings.SplitSeq(strings.Join(accepted, ","), ",") {
		name, weight, _ := strings.Cut(entry, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return err != nil || q > 0
		}
	}
	return false
}
