package bffmobile

import (
	"bytes"
	"context"
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

// contract is the document, read once.
var contract = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Mobile)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background())
})

// find is the operation that a request is for, with its path parameters.
func find(t *testing.T, r *http.Request) (*routers.Route, map[string]string) {
	t.Helper()
	doc, err := contract()
	require.NoError(t, err)
	for path, item := range doc.Paths.Map() {
		pattern := regexp.MustCompile("^" + placeholder.ReplaceAllString(path, "(?P<$1>[^/]+)") + "$")
		match := pattern.FindStringSubmatch(r.URL.Path)
		operation := item.Operations()[r.Method]
		if match == nil || operation == nil {
			continue
		}
		params := map[string]string{}
		for i, name := range pattern.SubexpNames()[1:] {
			params[name] = match[i+1]
		}
		return &routers.Route{Spec: doc, Path: path, PathItem: item, Method: r.Method, Operation: operation}, params
	}
	require.Fail(t, "not in the contract", "%s %s", r.Method, r.URL.Path)
	return nil, nil
}

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

// checked sends a request and holds the answer, and the request when it was not
// refused, against the contract.
func (s *shop) checked(t *testing.T, c call) answer {
	t.Helper()
	a := s.send(t, c)
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
		RequestValidationInput: in, Status: a.Status, Header: a.Header, Body: io.NopCloser(bytes.NewReader([]byte(a.Raw))), Options: options,
	}
	require.NoError(t, openapi3filter.ValidateResponse(t.Context(), out), "%s %s: %d %s", c.method, c.path, a.Status, a.Raw)
	require.NotContains(t, a.Raw, "null")
	require.NotEmpty(t, a.Header.Get("X-Request-Id"))
	return a
}

func TestEveryOperationOfTheContractIsRouted(t *testing.T) {
	t.Parallel()
	doc, err := contract()
	require.NoError(t, err)
	var want, have []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			want = append(want, method+" "+placeholder.ReplaceAllString(path, ":$1"))
		}
	}
	for _, r := range open(t).app.server.GetRoutes(true) {
		if strings.HasPrefix(r.Path, "/v1/") && r.Method != http.MethodHead {
			have = append(have, r.Method+" "+r.Path)
		}
	}
	slices.Sort(want)
	slices.Sort(have)
	require.Equal(t, want, have)
	require.Len(t, want, 18)
}
