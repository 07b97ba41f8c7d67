package pimcore

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// row is a node with a key and something that tells its row.
type row struct{ key, name string }

// TestN17_JoinsByKey has 100,000 random batches answered shuffled, repeated, with holes, with rows of other
// keys and with broken ones: each key gets a row of its own, is broken, or is absent.
func TestN17_JoinsByKey(t *testing.T) {
	t.Parallel()
	const seed, rounds, keys = 1717, 100_000, 16
	rnd := rand.New(rand.NewPCG(seed, 0))
	letters := "abcdefghijklmnopqrstuvwxyz"
	q := query[string, row, *commerce.Page]{
		key:  func(r *row) string { return r.key },
		show: func(r *row) *commerce.Page { return &commerce.Page{ID: commerce.PageID(r.key), Title: r.name} },
	}
	for round := range rounds {
		batch := make([]string, 0, keys)
		for _, i := range rnd.Perm(len(letters))[:rnd.IntN(keys)+1] {
			batch = append(batch, letters[i:i+1])
		}
		got := join[string, row, *commerce.Page]{query: &q, asked: batch}
		got.begin()
		good, bad := map[string]bool{}, map[string]bool{}
		for range rnd.IntN(2 * keys) {
			key := letters[rnd.IntN(len(letters)):][:1]
			r := &row{key: key, name: "row of " + key}
			if rnd.IntN(8) == 0 {
				got.broken, bad[key] = append(got.broken, key), true
				continue
			}
			got.take(r)
			good[key] = true
		}
		spoiled, found := got.rest(), got.found
		broken := map[string]bool{}
		for _, key := range spoiled {
			broken[key] = true
		}
		for _, key := range batch {
			p := found[key]
			if (p != nil) != good[key] || broken[key] != (bad[key] && !good[key]) {
				require.FailNow(t, "wrong answer", "seed %d round %d key %s", seed, round, key)
			}
			if p != nil && (p.ID != commerce.PageID(key) || p.Title != "row of "+key) {
				require.FailNow(t, "a neighbor's row", "seed %d round %d key %s", seed, round, key)
			}
			delete(found, key)
			delete(broken, key)
		}
		require.Empty(t, found, "round %d: rows that nobody asked for", round)
		require.Empty(t, broken, "round %d", round)
	}
}
