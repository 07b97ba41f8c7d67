// Package vary tells caches which headers of a request its answer depends on.
package vary

import (
	"net/http"
	"slices"

	"github.com/portico-bff/portico/edge/market"
)

// What the steps of a request look at. Nearly every request comes past all of them, in
// this order.
const (
	Origin = "Origin"
	Caller = "Authorization"
	Market = market.Vary
	Accept = "Accept"
)

// lines are the field for a request that has come so far: one line of text, shared by all
// answers and written to by none.
var lines = func() (list [4][]string) {
	text := ""
	for i, names := range []string{Origin, Caller, Market, Accept} {
		if i > 0 {
			text += ", "
		}
		text += names
		list[i] = []string{text}
	}
	return list
}()

// all is the field for a request that has come past all of them.
var all = lines[len(lines)-1]

// All has h say that the answer depends on all that the steps look at. Whoever does so
// first spares them to say it one by one.
func All(h http.Header) { h["Vary"] = all }

func isStep(names string) bool {
	return names == Origin || names == Caller || names == Market || names == Accept
}

// Add has h say that the answer depends on names, too.
func Add(h http.Header, names string) {
	said := h["Vary"]
	if len(said) == 1 && said[0] == all[0] && isStep(names) {
		return
	}
	if next := following(said, names); next != nil {
		h["Vary"] = next
		return
	}
	h["Vary"] = append(slices.Clip(said), names)
}

// following is the shared field for what is said and names, or nil.
func following(said []string, names string) []string {
	if len(said) == 0 && names == Origin {
		return lines[0]
	}
	if len(said) != 1 {
		return nil
	}
	for i, name := range [...]string{Caller, Market, Accept} {
		if name == names && said[0] == lines[i][0] {
			return lines[i+1]
		}
	}
	return nil
}
