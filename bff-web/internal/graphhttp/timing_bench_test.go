package graphhttp

import (
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/schema/commerce"
)

// BenchmarkServerTiming is what the header costs a request that executed something: a
// page of 24 products of memory alone, and one that waited for a call to each of three
// systems.
func BenchmarkServerTiming(b *testing.B) {
	warm := make([]commerce.Source, 72)
	ctx, _ := commerce.WithTrail(b.Context())
	began := time.Now()
	cold := append([]commerce.Source(nil), warm...)
	for i, system := range []string{"elasticsearch", "odoo", "pimcore"} {
		_, trail := commerce.WithTrail(b.Context())
		trail.Record(system, commerce.OpProducts, "").End("ok", 0)
		for n := range 24 {
			cold[24*i+n].Wait = &commerce.Wait{Asked: began, Took: time.Millisecond, Trail: trail}
		}
	}
	for name, sources := range map[string][]commerce.Source{"memory": warm, "three-systems": cold} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				made := outcome{response: &graphql.Response{}, sources: [][]commerce.Source{sources}}.told(ctx, nil)
				if made.spent.Text(began, time.Now(), cache.Miss) == "" {
					b.Fatal("nothing was told")
				}
			}
		})
	}
}
