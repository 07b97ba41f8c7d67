package bffweb_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	bffweb "github.com/portico-bff/portico/bff-web"
)

// A channel needs no system to be up, nor even configured: what it cannot ask is
// null, with an error.
func ExampleNew() {
	ctx := context.Background()
	cfg, err := bffweb.Load([]string{"PORTICO_MODE=development", "WEB_OPEN_QUERIES=true", "LOG_LEVEL=error"})
	if err != nil {
		fmt.Println(err)
		return
	}
	app, err := bffweb.New(ctx, cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = app.Backend().Close(ctx) }()

	r := httptest.NewRequestWithContext(ctx, http.MethodPost, bffweb.Route, strings.NewReader(`{"query":"{ product(sku: \"HL-U509-R\") { name } }"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Request-Id", "example")
	w := httptest.NewRecorder()
	app.Handler().ServeHTTP(w, r)
	fmt.Println(w.Body)
	// Output:
	// {"errors":[{"message":"unavailable now","path":["product"],"extensions":{"code":"UNAVAILABLE","requestId":"example"}}],"data":{"product":null},"extensions":{"cost":{"total":1,"bySystem":{"pim":1}},"freshness":[{"path":["product"],"source":"unconfigured","state":"missing","ageMs":0,"reason":"unavailable"}]}}
}
