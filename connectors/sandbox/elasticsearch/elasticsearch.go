// Package elasticsearch imitates the part of Elasticsearch's REST API that a shop
// reads over the sandbox's world: _search with queries, aggregations, sorting and
// search_after, _count, _mget, _doc and _source, on one index that holds a document
// for each published product.
//
// Queries are parsed strictly and really evaluated, so a query that the real
// system would refuse is refused here, in its words. Scores are simpler than the
// real ones, but as deterministic. Writing to the index is not imitated: stock in
// documents is always the world's.
package elasticsearch

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// The credentials and the index that hold where [Options] says nothing.
const (
	DefaultAPIKey = "c2FuZGJveDpzZWNyZXQ="
	DefaultIndex  = "products"
)

// maxBody is how much of a request is read.
const maxBody = 1 << 20

// Options shape the imitation. Zero fields take the defaults above.
type Options struct {
	APIKey string // base64 of id:key, as it stands behind "ApiKey "
	Index  string
}

type server struct {
	opts Options
	docs []*document // by id
	byID map[string]*document
}

// New is the imitated system, mounted with its prefix stripped.
func New(w *world.World, opts Options) http.Handler {
	if opts.APIKey == "" {
		opts.APIKey = DefaultAPIKey
	}
	if opts.Index == "" {
		opts.Index = DefaultIndex
	}
	s := &server{opts: opts, docs: documents(w), byID: map[string]*document{}}
	for _, d := range s.docs {
		s.byID[d.id] = d
	}
	return s
}

// Operation names a call for faults and counts: "_search", "_mget", "_doc"; "info" for the root.
func Operation(r *http.Request, _ []byte) string {
	segments := segments(strings.TrimPrefix(r.URL.Path, "/elasticsearch"))
	for _, segment := range segments {
		if strings.HasPrefix(segment, "_") {
			return segment
		}
	}
	if len(segments) == 0 {
		return "info"
	}
	return "unknown"
}

func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// endpoint is what answers a route. index is empty in routes without one.
type endpoint struct {
	methods []string
	answer  func(s *server, call call) (any, *fault)
}

// call is a request that passed authentication.
type call struct {
	index string
	id    string
	body  []byte
}

var reads = []string{http.MethodPost, http.MethodGet}

var endpoints = map[string]endpoint{
	"":                {[]string{http.MethodGet, http.MethodHead}, (*server).info},
	"_cluster/health": {[]string{http.MethodGet}, (*server).health},
	"_search":         {reads, (*server).search},
	"_count":          {reads, (*server).count},
	"_mget":           {reads, (*server).multiGet},
	"_doc":            {[]string{http.MethodGet, http.MethodHead}, (*server).get},
	"_source":         {[]string{http.MethodGet, http.MethodHead}, (*server).source},
}

// route finds the endpoint of a path, and what index and document it names.
func route(path string) (name, index, id string) {
	parts := segments(path)
	if len(parts) > 0 && !strings.HasPrefix(parts[0], "_") {
		index, parts = parts[0], parts[1:]
	}
	if len(parts) == 2 && (parts[0] == "_doc" || parts[0] == "_source") && index != "" {
		return parts[0], index, parts[1]
	}
	name = strings.Join(parts, "/")
	if index != "" && (name == "" || name == "_cluster/health") || name == "_doc" || name == "_source" {
		return "none", index, ""
	}
	return name, index, ""
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	if !s.authorized(r) {
		w.Header()["Www-Authenticate"] = challenges
		write(w, http.StatusUnauthorized, unauthenticated(r).body())
		return
	}
	name, index, id := route(r.URL.Path)
	end, ok := endpoints[name]
	if !ok {
		write(w, http.StatusBadRequest, plainFault{Error: "no handler found for uri [" + r.URL.RequestURI() + "] and method [" + r.Method + "]"})
		return
	}
	if !slices.Contains(end.methods, r.Method) {
		allowed := strings.Join(end.methods, ", ")
		w.Header().Set("Allow", strings.ReplaceAll(allowed, " ", ""))
		write(w, http.StatusMethodNotAllowed, plainFault{
			Error:  "Incorrect HTTP method for uri [" + r.URL.RequestURI() + "] and method [" + r.Method + "], allowed: [" + allowed + "]",
			Status: http.StatusMethodNotAllowed,
		})
		return
	}
	body, refusal := readBody(r)
	if refusal != nil {
		write(w, refusal.Status, refusal)
		return
	}
	s.serve(w, r, end, call{index: index, id: id, body: body})
}

func (s *server) serve(w http.ResponseWriter, r *http.Request, end endpoint, c call) {
	for name := range r.URL.Query() {
		if !slices.Contains([]string{"pretty", "human", "error_trace"}, name) {
			f := illegal("request [%s] contains unrecognized parameter: [%s]", r.URL.Path, name)
			write(w, f.status, f.body())
			return
		}
	}
	if c.index != "" && c.index != s.opts.Index {
		f := noIndex(c.index)
		write(w, f.status, f.body())
		return
	}
	result, f := end.answer(s, c)
	switch {
	case f != nil:
		write(w, f.status, f.body())
	case isMiss(result):
		write(w, http.StatusNotFound, result)
	default:
		write(w, http.StatusOK, result)
	}
}

func (s *server) authorized(r *http.Request) bool {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "ApiKey") && subtle.ConstantTimeCompare([]byte(key), []byte(s.opts.APIKey)) == 1
}

// readBody refuses what is not JSON before it is looked at.
func readBody(r *http.Request) ([]byte, *plainFault) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil, &plainFault{Error: "Request Entity Too Large", Status: http.StatusRequestEntityTooLarge}
	}
	if len(body) == 0 {
		return nil, nil
	}
	given := r.Header.Get("Content-Type")
	media, _, _ := mime.ParseMediaType(given)
	if media != "application/json" && media != "application/vnd.elasticsearch+json" {
		return nil, &plainFault{Error: "Content-Type header [" + given + "] is not supported", Status: http.StatusNotAcceptable}
	}
	return body, nil
}

func write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"cannot be written","status":500}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client left; nobody is there to be told
}

// info answers GET /.
func (s *server) info(call) (any, *fault) {
	return object{
		"name": "sandbox", "cluster_name": "sandbox", "cluster_uuid": "c2FuZGJveC1wb3J0aWNv",
		"version": object{
			"number": "8.17.0", "build_flavor": "default", "build_type": "docker", "lucene_version": "9.12.0",
			"minimum_wire_compatibility_version": "7.17.0", "minimum_index_compatibility_version": "7.0.0",
		},
		"tagline": "You Know, for Search",
	}, nil
}

// health answers GET /_cluster/health.
func (s *server) health(call) (any, *fault) {
	return object{
		"cluster_name": "sandbox", "status": "green", "timed_out": false, "number_of_nodes": 1, "number_of_data_nodes": 1,
		"active_primary_shards": 1, "active_shards": 1, "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0,
	}, nil
}
