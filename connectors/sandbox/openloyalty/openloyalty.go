// Package openloyalty imitates the part of Open Loyalty's REST API (3.x) that a
// shop reads over the sandbox's world: customers, their standing, levels,
// segments and rewards, for an administrator.
//
// It keeps the habits that a connector has to live with: filters that match
// parts unless strict=1 is sent, fields that are absent when nobody filled them,
// an empty address as {}, offsets without a colon, some numbers as text, and no
// nextLevel on the top level. What the world does not know, such as amounts
// spent, is derived from points.
package openloyalty

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// The credentials that hold where [Options] says nothing.
const (
	DefaultAPIKey   = "sandbox-loyalty-key"
	DefaultUsername = "admin"
	DefaultPassword = "sandbox-loyalty-password"
)

// maxBody is how much of a request is read.
const maxBody = 1 << 20

// Options shape the imitation. Zero fields take the defaults above.
type Options struct {
	APIKey   string // master_api_key, sent as X-AUTH-TOKEN
	Username string // of the administrator who can log in
	Password string
}

type server struct {
	world *world.World
	opts  Options
}

// route is a template of a path and who answers it. A customer's own routes
// are known but closed to administrators.
type route struct {
	template string
	answer   func(s *server, r *http.Request, id string) (any, *fault)
	own      bool
}

// routes in the order they are tried: fixed segments come before {id}.
var routes = []route{
	{template: "/api/customer", answer: (*server).customers},
	{template: "/api/customer/level", own: true},
	{template: "/api/customer/transaction", own: true},
	{template: "/api/customer/campaign/available", own: true},
	{template: "/api/customer/points/transfer", own: true},
	{template: "/api/customer/{id}", answer: (*server).customer},
	{template: "/api/customer/{id}/status", own: true},
	{template: "/api/admin/customer/{id}/status", answer: (*server).status},
	{template: "/api/admin/customer/{id}/campaign/available", answer: (*server).rewards},
	{template: "/api/level", answer: (*server).levels},
	{template: "/api/level/{id}", answer: (*server).level},
	{template: "/api/segment", answer: (*server).segments},
	{template: "/api/segment/{id}", answer: (*server).segment},
}

const loginPath = "/api/admin/login_check"

// New is the imitated system, mounted with its prefix stripped.
func New(w *world.World, opts Options) http.Handler {
	for _, d := range []struct {
		field    *string
		fallback string
	}{{&opts.APIKey, DefaultAPIKey}, {&opts.Username, DefaultUsername}, {&opts.Password, DefaultPassword}} {
		if *d.field == "" {
			*d.field = d.fallback
		}
	}
	return &server{world: w, opts: opts}
}

// Operation names a call for faults and counts: "GET /api/customer/{id}".
func Operation(r *http.Request, _ []byte) string {
	path := strings.TrimPrefix(r.URL.Path, "/openloyalty")
	if path == loginPath {
		return r.Method + " " + path
	}
	if found, _ := find(path); found != nil {
		return r.Method + " " + found.template
	}
	return "unknown"
}

// find is the route of a path and what stands for {id} in it.
func find(path string) (*route, string) {
	parts := strings.Split(path, "/")
	for i := range routes {
		if id, ok := fits(strings.Split(routes[i].template, "/"), parts); ok {
			return &routes[i], id
		}
	}
	return nil, ""
}

func fits(template, parts []string) (id string, ok bool) {
	if len(template) != len(parts) {
		return "", false
	}
	for i, part := range parts {
		switch {
		case template[i] == "{id}" && part != "":
			id = part
		case template[i] != part:
			return "", false
		}
	}
	return id, true
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == loginPath {
		s.login(w, r)
		return
	}
	if f := s.authorize(r); f != nil {
		write(w, f.status, f.body)
		return
	}
	found, id := find(r.URL.Path)
	switch {
	case found == nil:
		write(w, http.StatusNotFound, failure(http.StatusNotFound, "Not Found"))
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		write(w, http.StatusMethodNotAllowed, failure(http.StatusMethodNotAllowed,
			fmt.Sprintf("No route found for \"%s %s\": Method Not Allowed (Allow: GET)", r.Method, r.URL.Path)))
	case found.own:
		write(w, http.StatusForbidden, failure(http.StatusForbidden, "Access Denied."))
	default:
		s.answer(w, r, found, id)
	}
}

func (s *server) answer(w http.ResponseWriter, r *http.Request, found *route, id string) {
	result, f := found.answer(s, r, id)
	if f != nil {
		write(w, f.status, f.body)
		return
	}
	write(w, http.StatusOK, result)
}

// authorize admits the machine key and tokens of login.
func (s *server) authorize(r *http.Request) *fault {
	key := r.Header.Get("X-AUTH-TOKEN")
	if key == "" {
		key = r.URL.Query().Get("auth_token")
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case key != "" && same(key, s.opts.APIKey):
		return nil
	case key != "":
		return refused("Bad credentials")
	case !strings.EqualFold(scheme, "bearer") || token == "":
		return refused("JWT Token not found")
	case !same(token, s.token()):
		return refused("Invalid JWT Token")
	}
	return nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// token is what logging in gives. It is no real JWT: nobody but the sandbox reads it.
func (s *server) token() string { return "sandbox." + url.QueryEscape(s.opts.Username) + ".signed" }

// login answers POST /api/admin/login_check, JSON or form.
func (s *server) login(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		write(w, http.StatusMethodNotAllowed, failure(http.StatusMethodNotAllowed, "Method Not Allowed"))
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	var sent struct {
		Username string `json:"_username"`
		Password string `json:"_password"`
	}
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == "application/x-www-form-urlencoded" {
		form, parseErr := url.ParseQuery(string(body))
		sent.Username, sent.Password, err = form.Get("_username"), form.Get("_password"), parseErr
	} else if err == nil {
		err = json.Unmarshal(body, &sent)
	}
	if err != nil || !same(sent.Username, s.opts.Username) || !same(sent.Password, s.opts.Password) {
		f := refused("Bad credentials")
		write(w, f.status, f.body)
		return
	}
	write(w, http.StatusOK, struct {
		Token   string `json:"token"`
		Refresh string `json:"refresh_token"`
	}{s.token(), "sandbox-refresh"})
}

// fault is a refusal with its body.
type fault struct {
	status int
	body   any
}

// refused is how the security layer answers.
func refused(message string) *fault {
	return &fault{http.StatusUnauthorized, struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{http.StatusUnauthorized, message}}
}

type failureBody struct {
	Error struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// failure is how everything behind the security layer answers.
func failure(code int, message string) failureBody {
	var body failureBody
	body.Error.Code, body.Error.Message = code, message
	return body
}

func notFound() *fault {
	return &fault{http.StatusNotFound, failure(http.StatusNotFound, "Not Found")}
}

func write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":{"code":500,"message":"Internal Server Error"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client left; nobody is there to be told
}
