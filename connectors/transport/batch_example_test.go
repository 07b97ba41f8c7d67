package transport_test

import (
	"context"
	"fmt"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// An upstream that takes two keys at a time, and answers in its own order.
func ExampleBatch() {
	type price struct{ sku, amount string }
	traits := commerce.Traits{System: "shop", Operation: commerce.OpPrices, Access: commerce.Read, BatchSize: 2}
	upstream := map[string]string{"A": "1.00", "C": "3.00"}
	prices, err := transport.Batch(context.Background(), traits, []string{"A", "B", "C"},
		func(_ context.Context, skus []string) (map[string]price, error) {
			var rows []price
			for sku, amount := range upstream {
				rows = append(rows, price{sku, amount})
			}
			return transport.Join(skus, rows, func(p price) string { return p.sku }), nil
		})
	_, found := prices["B"]
	fmt.Println(prices["A"].amount, prices["C"].amount, found, err)
	// Output: 1.00 3.00 false <nil>
}
