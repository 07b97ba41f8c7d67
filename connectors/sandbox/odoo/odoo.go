// Package odoo imitates Odoo's JSON-2 API (release 19 and later) over the
// sandbox's world: products, price lists, stock by location, partners, sale
// orders, transfers and invoices, to be searched, counted and read.
//
// It keeps the habits that a connector has to live with: many-to-one values as
// [id, name], false for whatever is empty, numbers as floats, date-times in UTC
// without a zone, archived records that hide, several products with one
// default_code, several quants of one product in one location, and error bodies
// with a traceback. Orders appear when the world says that they were synced.
package odoo

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// The credentials that hold where [Options] says nothing.
const (
	DefaultAPIKey   = "sandbox-odoo-key"
	DefaultDatabase = "sandbox"
)

// maxBody is how much of a request is read.
const maxBody = 1 << 20

// Options shape the imitation. Zero fields take the defaults above.
type Options struct {
	APIKey   string // the bearer key
	Database string // what X-Odoo-Database must name when it is sent
}

// dialect answers requests. It is safe for concurrent use.
type dialect struct {
	world  *world.World
	opts   Options
	models map[string]*model
	kept   snapshots
}

// New is the imitated system, mounted with its prefix stripped: it answers POST /json/2/{model}/{method}.
func New(w *world.World, opts Options) http.Handler {
	if opts.APIKey == "" {
		opts.APIKey = DefaultAPIKey
	}
	if opts.Database == "" {
		opts.Database = DefaultDatabase
	}
	d := &dialect{world: w, opts: opts, models: map[string]*model{}}
	d.addModels()
	return d
}

// Operation names a call for faults and counts: "product.product.search_read".
func Operation(r *http.Request, _ []byte) string {
	name, method, ok := route(r.URL.Path)
	if !ok {
		return "unknown"
	}
	return name + "." + method
}

// route finds model and method in a path, whether or not its prefix is stripped.
func route(path string) (name, method string, ok bool) {
	_, rest, ok := strings.Cut(path, "/json/2/")
	if !ok {
		return "", "", false
	}
	name, method, ok = strings.Cut(rest, "/")
	return name, method, ok && name != "" && method != "" && !strings.Contains(method, "/")
}

func (d *dialect) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if _, _, ok := route(r.URL.Path); !ok || !d.databaseFits(r) {
		notFoundPage(rw)
		return
	}
	if r.Method != http.MethodPost {
		rw.Header().Set("Allow", http.MethodPost)
		page(rw, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	result, err := d.serve(r)
	if err != nil {
		writeFault(rw, err)
		return
	}
	writeJSON(rw, http.StatusOK, result)
}

// databaseFits is what the server's database filter finds: no database, no routes.
func (d *dialect) databaseFits(r *http.Request) bool {
	name := r.Header.Get("X-Odoo-Database")
	return name == "" || name == d.opts.Database
}

func (d *dialect) serve(r *http.Request) (any, error) {
	if err := d.authorize(r); err != nil {
		return nil, err
	}
	if media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(media) != "application/json" {
		return nil, werkzeug(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "the request's content type must be application/json")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil, werkzeug(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "the request is too large")
	}
	name, method, _ := route(r.URL.Path)
	m := d.models[name]
	if m == nil {
		return nil, werkzeug(http.StatusNotFound, "NotFound", "the model '"+name+"' does not exist")
	}
	args, err := decodeArguments(body)
	if err != nil {
		return nil, err
	}
	return d.call(m, method, args)
}

func (d *dialect) authorize(r *http.Request) error {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") || key == "" {
		return werkzeug(http.StatusUnauthorized, "Unauthorized", "User not authenticated, use an API Key with a Bearer Authorization header.")
	}
	if subtle.ConstantTimeCompare([]byte(key), []byte(d.opts.APIKey)) != 1 {
		return werkzeug(http.StatusUnauthorized, "Unauthorized", "Invalid apikey")
	}
	return nil
}

// arguments are a call's named arguments, not yet decoded.
type arguments map[string]json.RawMessage

func decodeArguments(body []byte) (arguments, error) {
	args := arguments{}
	if len(bytes.TrimSpace(body)) == 0 {
		return args, nil
	}
	if err := json.Unmarshal(body, &args); err != nil {
		return nil, werkzeug(http.StatusBadRequest, "BadRequest", "Invalid JSON data")
	}
	return args, nil
}

// decode reads raw with numbers kept as text.
func decode(raw json.RawMessage, v any) error {
	if len(raw) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return valueError("argument of a wrong type")
	}
	return nil
}

func writeJSON(rw http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		page(rw, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = rw.Write(body) // the client left; nobody is there to be told
}

func writeFault(rw http.ResponseWriter, err error) {
	f, ok := errors.AsType[*fault](err)
	if !ok {
		f = &fault{Status: http.StatusInternalServerError, Name: "builtins.Exception", Message: err.Error()}
	}
	writeJSON(rw, f.Status, f.body())
}
