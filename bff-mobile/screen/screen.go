// Package screen composes what one screen of the app shows from the ports. Each screen
// declares its parts in a table in its file: what is required, what goes first when the
// channel has too much to do, and how much of the time each may take. All parts are
// loaded at once but for those that another tells what to ask for. A required part that
// fails fails the screen; an optional one is left out and listed as degraded. Nothing
// here knows HTTP.
package screen

import (
	"log/slog"

	"github.com/portico-bff/portico/bff-mobile/internal/fields"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/schema/commerce"
)

// Screens composes screens. It is safe for concurrent use.
type Screens struct {
	Ports    commerce.Ports // every port it uses is set
	Orders   *ordering.Service
	Log      *slog.Logger
	HomePage commerce.PageID // content of the home screen
	// Pressure is how close the channel is to all that it can take, from 0 to 1; nil is 0.
	// What is least important is not asked for then.
	Pressure func() float64
}

// asked is what the parts of a screen are loaded with.
type asked struct {
	*Screens

	viewer Viewer
}

// Viewer is who looks, at what of a screen, and how wide the pictures should be.
type Viewer struct {
	commerce.Shopper
	Group commerce.PriceGroup // whose prices are shown
	Pictures
	Fields fields.Set // of the screen that is asked for: what it does not want is not loaded
}
