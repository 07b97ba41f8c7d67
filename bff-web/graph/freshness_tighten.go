package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// The reasons for which a query's @freshness is refused, in extensions.reason.
const (
	reasonInvalid  = "FRESHNESS_INVALID"   // it cannot be read, or says nothing
	reasonLooser   = "FRESHNESS_LOOSER"    // it takes what the schema does not give
	reasonNoSource = "FRESHNESS_NO_SOURCE" // the field is read from no system
	reasonConflict = "FRESHNESS_CONFLICT"  // one response key, two contracts
)

// badFreshness is a directive that cannot be heeded. Its text is for the client's developer.
type badFreshness struct{ reason, message string }

// Error is the text.
func (e *badFreshness) Error() string { return e.message }

// stricter are the words of OnError that a query may say where the schema says the key:
// their stand-ins are among its own.
var stricter = map[OnError][]OnError{
	Default: {Default, Stale, Null, Fail},
	Stale:   {Stale, Null, Fail},
	Null:    {Null, Fail},
	Fail:    {Fail},
}

// Allowed are the words that a query may say where the schema declares t.
func (t Tolerance) Allowed() []OnError {
	return slices.DeleteFunc(slices.Clone(stricter[t.OnError]), func(e OnError) bool { return e == Stale && t.StaleUpTo == 0 })
}

// keepsStale tells whether e takes an older value at all.
func keepsStale(e OnError) bool { return e == Stale || e == Default }

// tighten is what a query's directive leaves of what the schema declares. What a
// directive does not say stays as it is.
func (t Tolerance) tighten(d *ast.Directive) (Tolerance, error) {
	w, err := wishOf(d)
	if err != nil {
		return t, err
	}
	if d.Arguments.ForName(defaultName) != nil {
		return t, &badFreshness{reasonInvalid, "default is for the schema to declare"}
	}
	if w == (wish{}) {
		return t, &badFreshness{reasonInvalid, "it says nothing: give onError, staleUpTo or both"}
	}
	tight := t
	if w.onError != "" {
		if !slices.Contains(t.Allowed(), w.onError) {
			return t, &badFreshness{reasonLooser, fmt.Sprintf("onError: %s takes what the schema does not give: %s", w.onError, t)}
		}
		tight.OnError = w.onError
	}
	if !keepsStale(tight.OnError) {
		tight.StaleUpTo = 0
	}
	if !w.bounded {
		return tight, nil
	}
	switch {
	case w.onError != "" && !keepsStale(tight.OnError):
		return t, &badFreshness{reasonInvalid, fmt.Sprintf("staleUpTo has no meaning with onError: %s, which takes nothing older", w.onError)}
	case w.staleUpTo > tight.StaleUpTo:
		return t, &badFreshness{reasonLooser, fmt.Sprintf("staleUpTo: %q is more than the schema gives: %s", spanText(w.staleUpTo), t)}
	}
	tight.StaleUpTo = w.staleUpTo
	return tight, nil
}

// String says what the schema declares and what a query may make of it.
func (t Tolerance) String() string {
	declared := "onError: " + string(t.OnError)
	if t.StaleUpTo > 0 {
		declared += fmt.Sprintf(", staleUpTo: %q", spanText(t.StaleUpTo))
	}
	allowed := t.Allowed()
	words := make([]string, len(allowed))
	for i, e := range allowed {
		words[i] = string(e)
	}
	text := fmt.Sprintf("it declares %s; a query may say onError: %s", declared, strings.Join(words, ", "))
	if t.StaleUpTo > 0 {
		text += fmt.Sprintf(", and staleUpTo up to %q", spanText(t.StaleUpTo))
	}
	return text
}
