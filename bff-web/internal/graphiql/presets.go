package graphiql

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/portico-bff/portico/edge/demo"
)

// PresetsPath is where [Presets] live.
const PresetsPath = Prefix + "presets"

// Markets are the lists that a request's headers can choose from, as they are configured.
type Markets struct {
	Channels   []string `json:"channels"` // name=locale/currency/country
	Locales    []string `json:"locales"`
	Currencies []string `json:"currencies"`
	Countries  []string `json:"countries"`
}

// Presets is what the page offers beside the editor. It is for development.
type Presets struct {
	Markets Markets
	DemoURL string // base address of the sandbox; empty offers no customers
}

// presets is what the page reads when it starts.
type presets struct {
	Markets   Markets         `json:"markets"`
	Customers []demo.Customer `json:"customers"` // empty without a sandbox
	Examples  []example       `json:"examples"`
}

const maxSent = 1 << 10

// ServeHTTP answers GET with the presets, and POST {"customer": "…"} with a token of
// the sandbox for that customer.
func (p Presets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodPost {
		p.token(w, r)
		return
	}
	list, err := examples()
	if err != nil {
		http.Error(w, "the examples cannot be read", http.StatusInternalServerError)
		return
	}
	answer := presets{Markets: p.Markets, Customers: []demo.Customer{}, Examples: list}
	if customers, err := p.sandbox().Customers(r.Context()); err == nil {
		answer.Customers = customers
	}
	respond(w, answer)
}

func (p Presets) token(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		Customer string `json:"customer"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxSent)).Decode(&sent); err != nil {
		http.Error(w, "send {\"customer\": \"…\"}", http.StatusBadRequest)
		return
	}
	token, err := p.sandbox().Token(r.Context(), sent.Customer)
	if err != nil {
		http.Error(w, "the sandbox signed no token", http.StatusBadGateway)
		return
	}
	respond(w, struct {
		Token string `json:"token"`
	}{token})
}

func (p Presets) sandbox() demo.Sandbox { return demo.Sandbox{URL: p.DemoURL} }

func respond(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(answer) // a client that left is no one's error
}
