package pimcore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/pimcore"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// BenchmarkFiftyProducts is one batch call, the imitated upstream's work included.
func BenchmarkFiftyProducts(b *testing.B) {
	box := sandboxtest.Start(b)
	ports, err := pimcore.New(pimcore.Config{
		Config: transport.Config{BaseURL: box.URL + "/pimcore", AllowPrivate: true}, APIKey: "sandbox-pimcore-key",
	}, transport.Deps{})
	require.NoError(b, err)
	var skus []commerce.SKU
	for _, p := range box.Server.World.Products() {
		if p.Published && len(skus) < 50 {
			skus = append(skus, commerce.SKU(p.SKU))
		}
	}
	for b.Loop() {
		_, err := ports.Catalog.Products(b.Context(), market, skus)
		require.NoError(b, err)
	}
}
