package vary_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/bff-web/internal/vary"
)

// Whatever the order, and however often, all names are there; in the usual order on one line.
func TestAllNamesAreThere(t *testing.T) {
	t.Parallel()
	all := []string{vary.Origin, vary.Caller, vary.Market, vary.Accept}
	for _, names := range [][]string{
		all,
		{vary.Origin},
		{vary.Accept},
		{vary.Caller, vary.Origin},
		{vary.Market, vary.Accept},
		{vary.Origin, "Access-Control-Request-Method", vary.Caller, vary.Market},
		{vary.Origin, vary.Caller, "Prefer", vary.Accept},
		{vary.Origin, vary.Market},
	} {
		h := http.Header{}
		for _, name := range names {
			vary.Add(h, name)
		}
		assert.Equal(t, strings.Join(names, ", "), strings.Join(h.Values("Vary"), ", "))
	}
	h := http.Header{}
	for _, names := range all {
		vary.Add(h, names)
	}
	assert.Len(t, h.Values("Vary"), 1)
}

// What one answer says besides is no other's.
func TestLinesAreShared(t *testing.T) {
	t.Parallel()
	one, other := http.Header{}, http.Header{}
	vary.Add(one, vary.Origin)
	vary.Add(other, vary.Origin)
	vary.Add(one, "Prefer")
	one.Add("Vary", "More")
	assert.Equal(t, []string{vary.Origin}, other.Values("Vary"))
	assert.Equal(t, []string{vary.Origin, "Prefer", "More"}, one.Values("Vary"))
}
