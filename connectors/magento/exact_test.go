package magento

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commerce"
)

// TestN18_CartsArriveExact reads 20,000 random carts: an id above 2⁵³, as a number or as text, two
// amounts of up to four places, and two texts of all of Unicode each.
func TestN18_CartsArriveExact(t *testing.T) {
	t.Parallel()
	const seed, carts = 18, 20_000
	rnd := rand.New(rand.NewPCG(seed, 0))
	for n := range carts {
		id := strconv.FormatUint(1<<53+rnd.Uint64N(1<<59), 10)
		price, total := decimal(rnd), decimal(rnd)
		name, title := "n"+sandboxtest.Text(rnd, 12), "t"+sandboxtest.Text(rnd, 12)
		wireID := id
		if rnd.IntN(2) == 0 {
			wireID = `"` + id + `"`
		}
		plain, err := json.Marshal(title)
		require.NoError(t, err)
		var quote wireCart
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"id":7,"is_active":true,"currency":{"quote_currency_code":"EUR"},
			"items":[{"item_id":%s,"sku":"A","name":%s,"qty":1,"price":%s}]}`, wireID, sandboxtest.Escaped(name), price), &quote))
		var totals wireTotals
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"subtotal":%s,"grand_total":%s,"quote_currency_code":"EUR",
			"items":[{"item_id":%s,"qty":1,"row_total":%s}]}`, total, total, wireID, total), &totals))
		var payment wirePayment
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"code":"checkmo","title":%s}`, plain), &payment))
		require.NoError(t, quote.check())
		require.NoError(t, totals.check())
		cart, err := toCart("c_7", &quote, &totals, []wirePayment{payment})
		require.NoError(t, err)
		line := cart.Lines[0]
		if string(line.ID) != id || line.Name != name || cart.Payments[0].Title != title ||
			!same(line.Unit, price) || !same(line.Total, total) || !same(cart.Totals.Total, total) {
			require.FailNow(t, "changed on the way", "seed %d cart %d: %s %s %s became %+v", seed, n, id, price, total, cart)
		}
	}
}

// decimal is an amount of up to four places, the last of which may be 0.
func decimal(rnd *rand.Rand) string {
	whole := strconv.FormatUint(rnd.Uint64N(1e13), 10)
	if places := rnd.IntN(5); places > 0 {
		return fmt.Sprintf("%s.%04d", whole, rnd.IntN(10_000))[:len(whole)+1+places]
	}
	return whole
}

func same(got commerce.Money, want string) bool {
	a, okA := new(big.Rat).SetString(got.Number())
	b, okB := new(big.Rat).SetString(want)
	return okA && okB && a.Cmp(b) == 0
}
