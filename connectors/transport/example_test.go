package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

func Example() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"path":%q}`, r.URL.EscapedPath())
	}))
	defer upstream.Close()

	client, err := transport.New("shop", transport.Config{BaseURL: upstream.URL, AllowPrivate: true}, nil, transport.Deps{})
	if err != nil {
		fmt.Println(err)
		return
	}
	traits := commerce.Traits{System: "shop", Operation: commerce.OpProducts, Access: commerce.Read}
	var wire struct{ Path string }
	_, err = client.Do(context.Background(), traits, transport.Request{
		Method: http.MethodGet, Path: []string{"products", "a b"},
		Read: func(res *transport.Response) error {
			if res.Status != http.StatusOK {
				return transport.Refused(traits, res)
			}
			return transport.DecodeJSON("shop", traits, res, &wire)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(wire.Path)
	// Output: /products/a%20b
}
