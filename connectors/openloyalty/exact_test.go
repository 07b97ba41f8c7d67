package openloyalty

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
)

// TestN18_ProfilesArriveExact reads 15,000 random profiles and accounts: six texts of all of
// Unicode and a number of points each.
func TestN18_ProfilesArriveExact(t *testing.T) {
	t.Parallel()
	const seed, profiles = 18, 15_000
	rnd := rand.New(rand.NewPCG(seed, 0))
	for n := range profiles {
		var texts [6]string
		var wire [6]any
		for i := range texts {
			texts[i] = "t" + sandboxtest.Text(rnd, 12)
			wire[i] = sandboxtest.Escaped(texts[i])
			if rnd.IntN(2) == 0 {
				plain, err := json.Marshal(texts[i])
				require.NoError(t, err)
				wire[i] = string(plain)
			}
		}
		var w wireCustomer
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil,
			`{"firstName":%s,"lastName":%s,"company":{"name":%s},"address":{"street":%s,"city":%s,"country":"us"},"segments":[{"name":%s}]}`, wire[:]...), &w))
		c := w.customer()
		require.Len(t, c.Addresses, 1)
		a := c.Addresses[0]
		got := [6]string{c.FirstName, c.LastName, a.Company, a.Street[0], a.City, c.Segments[0]}

		points := rnd.IntN(math.MaxInt32)
		var status wireStatus
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"points":%d.%04d}`, points, rnd.IntN(10_000)), &status))
		account, err := status.account()
		require.NoError(t, err)
		if got != texts || account.Points != points {
			require.FailNow(t, "changed on the way", "seed %d profile %d: %q became %q, %d points %d", seed, n, texts, got, points, account.Points)
		}
	}
}
