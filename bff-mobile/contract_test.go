package bffmobile

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/openapi"
)

// contract is the document, read once. Whether its examples fit is a test of its own.
var contract = sync.OnceValues(func() (*openapi3.T, error) {
	for _, kind := range []string{"text/html", "text/css", "text/javascript", "image/png"} {
		openapi3filter.RegisterBodyDecoder(kind, openapi3filter.PlainBodyDecoder)
	}
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Mobile)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background(), openapi3.DisableExamplesValidation())
})

// template is a path of the contract as a pattern.
type template struct {
	path    string
	pattern *regexp.Regexp
	item    *openapi3.PathItem
}

// templates are the contract's paths, those without placeholders first.
var templates = sync.OnceValues(func() ([]template, error) {
	doc, err := contract()
	if err != nil {
		return nil, err
	}
	var list []template
	for path, item := range doc.Paths.Map() {
		list = append(list, template{path, regexp.MustCompile("^" + placeholder.ReplaceAllString(path, "(?P<$1>[^/]+)") + "$"), item})
	}
	slices.SortFunc(list, func(a, b template) int {
		return a.pattern.NumSubexp() - b.pattern.NumSubexp()
	})
	return list, nil
})

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

// find is the operation that a request is for, with its path parameters.
func find(t *testing.T, r *http.Request) (*routers.Route, map[string]string) {
	t.Helper()
	list, err := templates()
	require.NoError(t, err)
	doc, err := contract()
	require.NoError(t, err)
	for _, to := range list {
		match := to.pattern.FindStringSubmatch(r.URL.Path)
		operation := to.item.Operations()[r.Method]
		if match == nil || operation == nil {
			continue
		}
		params := map[string]string{}
		for i, name := range to.pattern.SubexpNames()[1:] {
			params[name] = match[i+1]
		}
		return &routers.Route{Spec: doc, Path: to.path, PathItem: to.item, Method: r.Method, Operation: operation}, params
	}
	require.Fail(t, "not in the contract", "%s %s", r.Method, r.URL.Path)
	return nil, nil
}

// plumbing is response headers of HTTP's own, which a contract does not list.
var plumbing = []string{"Connection", "Content-Length", "Content-Type", "Date"}

// checked sends a request and holds the answer, and the request when it was not
// refused, against the contract.
func (s *shop) checked(t *testing.T, c call) answer {
	t.Helper()
	a := s.send(t, c)
	body := a.plain(t)
	r := c.request(t)
	route, params := find(t, r)
	options := &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true,
	}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: options}
	if a.Status < 300 {
		require.NoError(t, openapi3filter.ValidateRequest(t.Context(), in), "%s %s", c.method, c.path)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.Status, Header: a.Header, Body: io.NopCloser(bytes.NewReader([]byte(body))), Options: options,
	}
	require.NoError(t, openapi3filter.ValidateResponse(t.Context(), out), "%s %s: %d %s", c.method, c.path, a.Status, body)
	said := route.Operation.Responses.Status(a.Status).Value
	for name := range a.Header {
		_, known := said.Headers[name]
		require.True(t, known || slices.Contains(plumbing, name) || declared(said.Headers, name),
			"%s %s: %d: header %s is not in the contract", c.method, c.path, a.Status, name)
	}
	require.Contains(t, a.Header, "X-Request-Id")
	if strings.HasSuffix(a.Header.Get("Content-Type"), "json") {
		requireNoNulls(t, body)
	}
	return a
}

// declared tells whether headers has name in whatever case.
func declared(headers openapi3.Headers, name string) bool {
	for known := range headers {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	return false
}

// requireNoNulls looks at every value of a JSON text.
func requireNoNulls(t *testing.T, raw string) {
	t.Helper()
	var whole any
	require.NoError(t, json.Unmarshal([]byte(raw), &whole), raw)
	require.Empty(t, nulls(whole, "$"), raw)
}

// nulls is where in v nulls are.
func nulls(v any, at string) []string {
	var list []string
	switch v := v.(type) {
	case nil:
		return []string{at}
	case map[string]any:
		for name, member := range v {
			list = append(list, nulls(member, at+"."+name)...)
		}
	case []any:
		for _, item := range v {
			list = append(list, nulls(item, at+"[]")...)
		}
	}
	return list
}

func TestNullsAreFoundWhereverTheyAre(t *testing.T) {
	t.Parallel()
	for raw, where := range map[string][]string{
		`null`: {"$"}, `{"a":{"b":[1,null]}}`: {"$.a.b[]"}, `[{"a":null}]`: {"$[].a"}, `{"null":"null"}`: nil,
	} {
		var whole any
		require.NoError(t, json.Unmarshal([]byte(raw), &whole))
		require.Equal(t, where, nulls(whole, "$"), raw)
	}
}

// Both ways: all that the server answers is in the contract, and all of the
// contract is answered. HEAD goes where GET goes.
func TestEveryPathOfTheServerIsInTheContract(t *testing.T) {
	t.Parallel()
	doc, err := contract()
	require.NoError(t, err)
	var want []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			want = append(want, method+" "+path)
			if method == http.MethodGet {
				want = append(want, http.MethodHead+" "+path)
			}
		}
	}
	list, err := templates()
	require.NoError(t, err)
	var have []string
	for _, r := range open(t).app.server.GetRoutes(true) {
		path := parameter.ReplaceAllString(r.Path, "{$1}")
		if doc.Paths.Value(path) == nil { // one of those that the server has a route each for
			at := slices.IndexFunc(list, func(to template) bool { return to.pattern.MatchString(path) })
			require.GreaterOrEqual(t, at, 0, "%s %s is not in the contract", r.Method, r.Path)
			path = list[at].path
		}
		have = append(have, r.Method+" "+path)
	}
	slices.Sort(want)
	slices.Sort(have)
	require.Equal(t, want, slices.Compact(have))
}

var parameter = regexp.MustCompile(`:(\w+)`)
