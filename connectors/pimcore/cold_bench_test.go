package pimcore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/pimcore"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// BenchmarkCold is what a page or a list that nobody has kept costs this connector: from
// the call of the port to what it answers, over answers recorded once.
func BenchmarkCold(b *testing.B) {
	box := sandboxtest.Start(b)
	ports, err := pimcore.New(pimcore.Config{
		Config: transport.Config{BaseURL: box.URL + "/pimcore", AllowPrivate: true}, APIKey: "sandbox-pimcore-key",
	}, transport.Deps{Wire: &sandboxtest.Recorded{}})
	require.NoError(b, err)
	var skus []commerce.SKU
	for _, p := range box.Server.World.Products() {
		if p.Published && len(skus) < commerce.MaxBatch {
			skus = append(skus, commerce.SKU(p.SKU))
		}
	}
	one := skus[len(skus)/2:][:1]
	for name, ask := range map[string]func(*testing.B){
		"product": func(b *testing.B) {
			got, err := ports.Catalog.Products(b.Context(), market, one)
			require.Len(b, got, 1)
			require.NoError(b, err)
		},
		"reviews": func(b *testing.B) {
			got, err := ports.Reviews.Reviews(b.Context(), market, one)
			require.Len(b, got, 1)
			require.NoError(b, err)
		},
		"list": func(b *testing.B) {
			got, err := ports.Catalog.Products(b.Context(), market, skus)
			require.Len(b, got, len(skus))
			require.NoError(b, err)
		},
	} {
		b.Run(name, func(b *testing.B) {
			ask(b)
			b.ReportAllocs()
			for b.Loop() {
				ask(b)
			}
		})
	}
}
