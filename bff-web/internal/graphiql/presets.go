package graphiql

import (
	"net/http"

	"github.com/portico-bff/portico/bff-web/internal/presets"
)

// PresetsPath is where [Presets] live.
const PresetsPath = Prefix + "presets"

// Presets is what the page offers beside the editor. It is for development.
type Presets struct{ presets.Presets }

// ServeHTTP is [presets.Presets]'s, and its offer has examples, too.
func (p Presets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if r.Method == http.MethodPost {
		p.Presets.ServeHTTP(w, r)
		return
	}
	list, err := examples()
	if err != nil {
		http.Error(w, "the examples cannot be read", http.StatusInternalServerError)
		return
	}
	presets.Respond(w, struct {
		presets.Offer
		Examples []example `json:"examples"`
	}{p.Offer(r.Context()), list})
}
