package cache

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/schema/commerce"
)

// sourcesOf are those of a list of n products with their prices and stock.
func sourcesOf(n int) []commerce.Source {
	var list []commerce.Source
	for _, op := range []commerce.Operation{commerce.OpProducts, commerce.OpPrices, commerce.OpAvailability} {
		tags := templatesOf(op, "odoo")
		for i := range n {
			s := commerce.Source{System: "odoo", Operation: op, State: commerce.StateFresh, Scope: commerce.ScopePublic, Fresh: time.Minute}
			for _, t := range tags {
				s.Tags = append(s.Tags, t.of(fmt.Sprint("BK-R93R-", i)))
			}
			if op == commerce.OpProducts {
				s.Tags = append(s.Tags, commerce.TagCategory("road-bikes"), commerce.TagCategory("bikes"))
			}
			list = append(list, s)
		}
	}
	return list
}

// BenchmarkProve proves whole answers made of one product and of a hundred.
func BenchmarkProve(b *testing.B) {
	for _, n := range []int{1, 100} {
		made := Produced{Body: make([]byte, 3000), Whole: true, Sources: sourcesOf(n)}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if answer := Prove(made, began, 2560); !answer.Public() || len(answer.tags) < 40*n {
					b.Fatal("not proven")
				}
			}
		})
	}
}

// Every tag of every source is there once, however many there are.
func TestC20_TagsOfAllSourcesAreThereOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 5, 6, 7, 100} {
		sources, want := sourcesOf(n), map[commerce.Tag]bool{}
		// Neighbours of different lengths, and one that is made of nothing.
		sources = append(sources, commerce.Source{Tags: []commerce.Tag{"all", "sku:BK-R93R-0"}}, commerce.Source{}, commerce.Source{Tags: []commerce.Tag{"last", "all"}})
		for _, s := range sources {
			for _, tag := range s.Tags {
				want[tag] = true
			}
		}
		for _, most := range []int{0, 1 << 20} {
			got := tagsOf(&Produced{Sources: sources[:n], Lists: [][]commerce.Source{nil, sources[n : n+1], sources[n+1:]}}, most)
			list := slices.Collect(got.all())
			assert.Len(t, list, len(want))
			assert.True(t, most == 0 || slices.IsSorted(list), "in order where they are told")
			for _, tag := range list {
				assert.True(t, want[tag], tag)
			}
		}
	}
}
