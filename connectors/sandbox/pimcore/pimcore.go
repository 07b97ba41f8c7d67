// Package pimcore imitates a Pimcore Data Hub GraphQL endpoint over the sandbox's
// world: its keys, listings and filters, unions for relations, and its quirks.
// Queries are really parsed, validated against schema.graphql and executed.
package pimcore

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

//go:embed schema.graphql
var sdl string

// Options are what the endpoint is called and opens to. Empty fields have the sandbox's defaults.
type Options struct {
	Configuration string // "shop"
	APIKey        string // "sandbox-pimcore-key"
}

// endpointPath leads to every Data Hub configuration.
const endpointPath = "/pimcore-graphql-webservices/"

// tokenLimit is more than any query of a shop needs.
const tokenLimit = 20_000

type server struct {
	schema *ast.Schema
	opts   Options
	repo   *repository
}

// New serves the endpoint at /pimcore-graphql-webservices/<configuration> and pictures below /assets/.
func New(w *world.World, opts Options) http.Handler {
	if opts.Configuration == "" {
		opts.Configuration = "shop"
	}
	if opts.APIKey == "" {
		opts.APIKey = "sandbox-pimcore-key"
	}
	schema, err := validator.LoadSchema(validator.Prelude, &ast.Source{Name: "schema.graphql", Input: sdl})
	if err != nil {
		panic(err) // the embedded schema is part of the program
	}
	s := &server{schema: schema, opts: opts, repo: newRepository(w)}
	mux := http.NewServeMux()
	mux.HandleFunc(endpointPath+"{configuration}", s.graphql)
	mux.HandleFunc("GET "+assetPath, s.asset)
	mux.HandleFunc("/", notFound)
	return mux
}

// Operation names a call: the query's operationName, else its first root field, "asset" for pictures.
func Operation(r *http.Request, body []byte) string {
	if strings.HasPrefix(r.URL.Path, assetPath) {
		return "asset"
	}
	var sent request
	if err := json.Unmarshal(body, &sent); err != nil {
		return "invalid"
	}
	if sent.OperationName != "" {
		return sent.OperationName
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: sent.Query}, tokenLimit)
	if err != nil || len(doc.Operations) == 0 {
		return "invalid"
	}
	op := doc.Operations[0]
	if field, ok := op.SelectionSet[0].(*ast.Field); ok && op.Name == "" {
		return field.Name
	}
	return op.Name
}

type request struct {
	Query         string         `json:"query"`
	Variables     map[string]any `json:"variables"`
	OperationName string         `json:"operationName"`
}

func (s *server) graphql(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("configuration") != s.opts.Configuration {
		notFound(w, r)
		return
	}
	if key(r) != s.opts.APIKey {
		page(w, http.StatusForbidden, "Access Denied.")
		return
	}
	if r.Method != http.MethodPost {
		page(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	var sent request
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&sent); err != nil {
		answer(w, nil, []graphqlError{{Message: "Syntax Error: Unexpected <EOF>"}})
		return
	}
	data, errs := s.execute(sent)
	answer(w, data, errs)
}

// key looks where Data Hub looks, in its order.
func key(r *http.Request) string {
	for _, header := range []string{"apikey", "X-API-Key"} {
		if key := r.Header.Get(header); key != "" {
			return key
		}
	}
	return r.URL.Query().Get("apikey")
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	page(w, http.StatusNotFound, "No route found")
}

// page is how Data Hub answers before it speaks GraphQL.
func page(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<!DOCTYPE html>\n<html>\n<head><title>" + title + "</title></head>\n<body><h1>" + title + "</h1></body>\n</html>\n"))
}

// answer is always 200. Data that was never begun is left out.
func answer(w http.ResponseWriter, data json.RawMessage, errs []graphqlError) {
	w.Header().Set("Content-Type", "application/json")
	out := []byte("{")
	if len(errs) > 0 {
		list, err := json.Marshal(errs)
		if err != nil {
			list = []byte(`[{"message":"Internal server error"}]`)
		}
		out = append(append(out, `"errors":`...), list...)
		if data != nil {
			out = append(out, ',')
		}
	}
	if data != nil {
		out = append(append(out, `"data":`...), data...)
	}
	_, _ = w.Write(append(out, '}'))
}
