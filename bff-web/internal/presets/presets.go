// Package presets answers what the pages of the web channel offer to choose: markets, and, in
// development, customers of the sandbox to be.
package presets

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/portico-bff/portico/edge/demo"
)

// Markets are the lists that a request's headers can choose from, as they are configured.
type Markets struct {
	Channels   []string `json:"channels"` // name=locale/currency/country
	Locales    []string `json:"locales"`
	Currencies []string `json:"currencies"`
	Countries  []string `json:"countries"`
}

// Presets is what there is to choose. As a handler it answers GET with an [Offer], and POST
// {"customer": "…"} with a token of the sandbox for that customer.
type Presets struct {
	Markets Markets
	DemoURL string // base address of the sandbox; empty offers no customers
}

// Offer is what a page reads when it starts.
type Offer struct {
	Markets   Markets         `json:"markets"`
	Customers []demo.Customer `json:"customers"` // empty without a sandbox
}

const maxSent = 1 << 10

func (p Presets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		p.token(w, r)
		return
	}
	Respond(w, p.Offer(r.Context()))
}

// Offer asks the sandbox for customers. Without one there are none, and the page works all the same.
func (p Presets) Offer(ctx context.Context) Offer {
	offer := Offer{Markets: p.Markets, Customers: []demo.Customer{}}
	if customers, err := p.sandbox().Customers(ctx); err == nil {
		offer.Customers = customers
	}
	return offer
}

func (p Presets) token(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		Customer string `json:"customer"`
	}
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewDecoder(io.LimitReader(r.Body, maxSent)).Decode(&sent); err != nil {
		http.Error(w, "send {\"customer\": \"…\"}", http.StatusBadRequest)
		return
	}
	token, err := p.sandbox().Token(r.Context(), sent.Customer)
	if err != nil {
		http.Error(w, "the sandbox signed no token", http.StatusBadGateway)
		return
	}
	Respond(w, struct {
		Token string `json:"token"`
	}{token})
}

func (p Presets) sandbox() demo.Sandbox { return demo.Sandbox{URL: p.DemoURL} }

// Respond writes an answer that nobody keeps.
func Respond(w http.ResponseWriter, answer any) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	_ = json.NewEncoder(w).Encode(answer) // a client that left is no one's error
}
