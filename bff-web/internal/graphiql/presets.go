package graphiql

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
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
	Markets   Markets    `json:"markets"`
	Customers []customer `json:"customers"` // empty without a sandbox
	Examples  []example  `json:"examples"`
}

// customer is somebody to sign in as.
type customer struct {
	Number     string `json:"customer"`
	Name       string `json:"name"`
	PriceGroup string `json:"priceGroup"`
	Orders     int    `json:"orders"`
}

const (
	askTimeout = 3 * time.Second
	maxAnswer  = 64 << 10
	maxSent    = 1 << 10
)

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
	answer := presets{Markets: p.Markets, Customers: []customer{}, Examples: list}
	if raw, err := p.ask(r.Context(), http.MethodGet, "customers", nil); err == nil {
		_ = json.Unmarshal(raw, &answer.Customers) // a sandbox that says something else has no customers to offer
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
	body, err := json.Marshal(sent)
	if err == nil {
		body, err = p.ask(r.Context(), http.MethodPost, "token", body)
	}
	var answer struct {
		Token string `json:"token"`
	}
	if err != nil || json.Unmarshal(body, &answer) != nil || answer.Token == "" {
		http.Error(w, "the sandbox signed no token", http.StatusBadGateway)
		return
	}
	respond(w, answer)
}

// ask asks the sandbox.
func (p Presets) ask(ctx context.Context, method, what string, body []byte) ([]byte, error) {
	if p.DemoURL == "" {
		return nil, errors.New("there is no sandbox")
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(p.DemoURL, "/")+"/_sandbox/"+what, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the sandbox answers %s", res.Status)
	}
	return raw, err
}

func respond(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(answer) // a client that left is no one's error
}
