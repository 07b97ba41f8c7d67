package odoo

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
)

// TestN18_ValuesArriveExact reads 100,000 random ids above 2⁵³, amounts of four places and texts
// of all of Unicode.
func TestN18_ValuesArriveExact(t *testing.T) {
	t.Parallel()
	const seed, rows = 18, 25_000
	rnd := rand.New(rand.NewPCG(seed, 0))
	for row := range rows {
		id := int64(1<<53 + rnd.Uint64N(1<<62))
		amount := fmt.Sprintf("%d.%04d", rnd.Uint64N(1e14), rnd.IntN(10_000))
		name, code := "n"+sandboxtest.Text(rnd, 12), "c"+sandboxtest.Text(rnd, 12)
		plain, err := json.Marshal(name)
		require.NoError(t, err)
		body := fmt.Sprintf(`{"id":%d,"default_code":%s,"lst_price":%s,"product_tmpl_id":[%d,%s],"currency_id":[%d,%s]}`,
			id, sandboxtest.Escaped(code), amount, id-1, plain, id-2, plain)
		var w wirePrice
		require.NoError(t, json.Unmarshal([]byte(body), &w), body)
		require.NoError(t, w.check())
		got, err := w.Price.money("USD")
		require.NoError(t, err)
		read, _ := new(big.Rat).SetString(got.Number())
		want, _ := new(big.Rat).SetString(amount)
		if int64(w.ID) != id || int64(w.Template.ID) != id-1 || int64(w.Currency.ID) != id-2 || w.Currency.Name != name || string(w.Code) != code || read.Cmp(want) != 0 {
			require.FailNow(t, "changed on the way", "seed %d row %d: %s became %+v, %s", seed, row, body, w, got)
		}
	}
}
