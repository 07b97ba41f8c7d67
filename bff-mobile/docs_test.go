package bffmobile

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/docs"
	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/edge/demo"
	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/schema/openapi"
)

func TestDocsNeedNoNetwork(t *testing.T) {
	t.Parallel()
	s := open(t)
	require.Equal(t, string(openapi.Mobile), s.checked(t, get("/openapi.yaml")).Raw)
	page := s.checked(t, get("/docs"))
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "default-src 'none'")
	links := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.Raw, -1)
	require.Len(t, links, 5)
	for _, link := range links {
		require.True(t, strings.HasPrefix(link[1], "/docs/"), link[1])
		require.NotEmpty(t, s.checked(t, get(link[1])).Raw)
	}
	start := s.ok(t, get("/docs/start.js"))
	require.Contains(t, start.Raw, "validatorUrl: null")
	require.Contains(t, start.Raw, exampleKey(t), "what the page takes for the example of a key is it")
	require.NotContains(t, page.Raw, "customers.js")
	require.Equal(t, 404, s.send(t, get("/docs/customers")).Status, "there is no sandbox in production")
	require.NotContains(t, start.Raw, "http")
	require.Contains(t, s.checked(t, get("/docs/LICENSE")).Raw, "Apache License")
	require.Equal(t, 404, s.send(t, get("/docs/../app.go")).Status)
}

func TestEveryTypeOfProblemIsDescribed(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, p := range problem.Types {
		a := s.checked(t, get(problem.Base+p.Name))
		require.Contains(t, a.Raw, p.Title)
		require.Contains(t, a.Raw, p.Meaning)
	}
}

func exampleKey(t *testing.T) string {
	t.Helper()
	doc, err := contract()
	require.NoError(t, err)
	var key string
	for _, p := range doc.Components.Parameters {
		if p.Value.Name == idempotency.Header {
			example, _ := p.Value.Example.(string)
			require.True(t, key == "" || key == example, "there is one example")
			key = example
		}
	}
	require.NotEmpty(t, key)
	return key
}

// In development the page offers customers of the sandbox.
func TestDocsOfferDemoCustomers(t *testing.T) {
	t.Parallel()
	box := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + r.URL.Path {
		case "GET/_sandbox/customers":
			_, _ = w.Write([]byte(`[{"customer":"AW1","name":"Ann","email":"ann@example.test","priceGroup":"retail","orders":2}]`))
		case "POST/_sandbox/token":
			_, _ = w.Write([]byte(`{"token":"s1gned"}`))
		}
	}))
	t.Cleanup(box.Close)
	app := fiber.New(fiber.Config{StrictRouting: true})
	docs.RegisterDemo(app, demo.Sandbox{URL: box.URL})
	docs.Register(app)
	say := func(method, path, body string) string {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		res, err := app.Test(r, -1)
		require.NoError(t, err)
		raw, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return string(raw)
	}
	require.Contains(t, say("GET", "/docs", ""), `<script src="/docs/customers.js"></script>`)
	require.Contains(t, say("GET", "/docs/customers.js", ""), "preauthorizeApiKey('customer'")
	require.JSONEq(t, `[{"customer":"AW1","name":"Ann","priceGroup":"retail","orders":2}]`, say("GET", "/docs/customers", ""))
	require.JSONEq(t, `{"token":"s1gned"}`, say("POST", "/docs/customers", `{"customer":"AW1"}`))
	for _, body := range []string{"", "AW1", `{}`, `{"customer":7}`, `{"customer":"` + strings.Repeat("A", 2<<10) + `"}`} {
		require.Contains(t, say("POST", "/docs/customers", body), "must be a number", body)
	}
	box.Close()
	require.JSONEq(t, `[]`, say("GET", "/docs/customers", ""))
	require.Contains(t, say("POST", "/docs/customers", `{"customer":"AW1"}`), "signed no token")
}
