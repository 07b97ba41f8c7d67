package transport

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// refusing asks 60 times for what the upstream answers with status, and the
// connector reads as kind; it answers what is left of the breaker.
func refusing(t *testing.T, status int, kind error) breakerState {
	t.Helper()
	c := over(t, Config{}, &script{steps: []step{{status: status, body: "{}"}}})
	r := get()
	r.Read = func(*Response) error { return Failed(readTraits, kind, errors.New("no")) }
	for range 60 {
		_, err := do(t, c, readTraits, r)
		require.ErrorIs(t, err, commerce.ErrUnavailable)
	}
	return c.operationOf(readTraits.Operation, "").breaker.state()
}

// What a connector makes of an answer of 2xx decides; a 4xx never counts, or
// whoever can provoke one could close the operation to everybody.
func TestN10_RefusalsDoNotOpenTheBreakerAndFailuresInsideA200Do(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		assert.Equal(t, breakerClosed, refusing(t, http.StatusBadRequest, commerce.ErrUnavailable))
		assert.Equal(t, breakerClosed, refusing(t, http.StatusUnauthorized, commerce.ErrUnavailable))
		assert.Equal(t, breakerOpen, refusing(t, http.StatusOK, commerce.ErrUnavailable))
	})
}

// A probe that ends in a panic of the connector's is over, and says nothing of the upstream.
func TestN10_AConnectorThatPanicsGivesItsProbeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := over(t, Config{}, &script{steps: []step{{status: http.StatusOK, body: "{}"}}})
		b := c.operationOf(readTraits.Operation, "").breaker
		r := get()
		r.Read = func(*Response) error { return Failed(readTraits, commerce.ErrUnavailable, errors.New("no")) }
		for range 60 {
			_, err := do(t, c, readTraits, r)
			require.ErrorIs(t, err, commerce.ErrUnavailable)
		}
		require.Equal(t, breakerOpen, b.state())
		time.Sleep(time.Minute)
		r.Read = func(*Response) error { panic("decoding") }
		assert.PanicsWithValue(t, "decoding", func() { _, _ = do(t, c, readTraits, r) })
		assert.Equal(t, breakerOpen, b.state(), "no probe is out")
		time.Sleep(time.Minute)
		r.Read = nil
		_, err := do(t, c, readTraits, r)
		require.NoError(t, err)
		assert.Equal(t, breakerClosed, b.state())
	})
}

// The requests of one operation fail and recover each for itself.
func TestN10_StepsAreWatchedApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := over(t, Config{}, roundTrip(func(req *http.Request) (*http.Response, error) {
			status := http.StatusOK
			if req.URL.Path == "/api/stock" {
				status = http.StatusInternalServerError
			}
			return (&script{steps: []step{{status: status, body: "{}"}}}).RoundTrip(req)
		}))
		lookup, stock := get("lookup"), get("stock")
		lookup.Step, stock.Step = "lookup", "stock"
		for range 60 {
			_, err := do(t, c, readTraits, lookup)
			require.NoError(t, err, "good, whatever becomes of its sibling")
			_, err = do(t, c, readTraits, stock)
			require.ErrorIs(t, err, commerce.ErrUnavailable)
		}
		assert.Equal(t, breakerClosed, c.operationOf(readTraits.Operation, "lookup").breaker.state())
		assert.Equal(t, breakerOpen, c.operationOf(readTraits.Operation, "stock").breaker.state())
		states := c.state(1).Operations
		require.Len(t, states, 2)
		assert.Equal(t, []string{"lookup", "stock"}, []string{states[0].Step, states[1].Step})
	})
}

// Who looks at the live state sees failures inside a 200 as what they are.
func TestSpoiledAnswersAreFailuresInTheLiveState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := over(t, Config{}, &script{steps: []step{{status: http.StatusOK, body: "{}"}}})
		spoiled := get("x")
		spoiled.Read = func(res *Response) error { return BadAnswer(readTraits, res, errors.New("no")) }
		for i := range 4 {
			r := get("x")
			if i > 0 {
				r = spoiled
			}
			_, err := do(t, c, readTraits, r)
			require.Equal(t, i > 0, err != nil)
		}
		state := c.state(0).Operations[0]
		assert.EqualValues(t, 4, state.Calls)
		assert.EqualValues(t, 3, state.Failed)
		assert.InDelta(t, 0.75, state.ErrorRate, 1e-9)
		time.Sleep(2 * recentWindow)
		assert.Zero(t, c.state(0).Operations[0].Calls)
	})
}
