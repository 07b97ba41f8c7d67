package sandbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/portico-bff/portico/connectors/sandbox"
)

func Example() {
	server, err := sandbox.New(sandbox.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := func(method, path, body string) int {
		rec := httptest.NewRecorder()
		server.Handler().ServeHTTP(rec, httptest.NewRequest(method, path, strings.NewReader(body)))
		return rec.Code
	}
	fmt.Println(answer(http.MethodGet, "/pimcore/assets/superlight_silver_large.gif", ""))
	fmt.Println(answer(http.MethodPost, "/_sandbox/faults", `{"system":"pimcore","operation":"asset","errorRate":1,"status":502}`))
	fmt.Println(answer(http.MethodGet, "/pimcore/assets/superlight_silver_large.gif", ""))
	fmt.Println(server.Calls())
	// Output:
	// 200
	// 200
	// 502
	// map[pimcore:map[asset:2]]
}
