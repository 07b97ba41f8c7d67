package pimcore_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestAllThatIsPublishedIsListedPartByPart(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	ports := connect(t, box.URL)
	want := map[commerce.SKU]bool{}
	for _, p := range box.Server.World.Products() {
		if p.Published {
			want[commerce.SKU(p.SKU)] = true
		}
	}
	var after commerce.SKU
	for parts := 0; ; parts++ {
		skus, err := ports.Listing.SKUs(t.Context(), market, after, commerce.MaxBatch)
		require.NoError(t, err)
		if len(skus) == 0 {
			assert.Equal(t, 3, parts, "295 products")
			break
		}
		for _, sku := range skus {
			require.True(t, want[sku], sku)
			delete(want, sku)
			after = sku
		}
	}
	assert.Empty(t, want)
	assert.Equal(t, map[string]int{"skus": 4}, box.Calls(t)["pimcore"])
}

// listingOf is a Data Hub that answers the parts one after the other, with what it was asked.
func listingOf(t *testing.T, parts ...string) (ports commerce.Ports, asked func() []sent) {
	t.Helper()
	var all []sent // calls are made one by one
	ports = upstream(t, func(w http.ResponseWriter, r *http.Request) {
		var s sent
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&s.body))
		all = append(all, s)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":{"getProductListing":{"edges":[`+parts[min(len(all), len(parts))-1]+`]}}}`)
	})
	return ports, func() []sent { return all }
}

func TestWhatIsAskedOfAListing(t *testing.T) {
	t.Parallel()
	ports, asked := listingOf(t, `{"node":{"key":"B"}}`)
	evil := commerce.SKU(`A"}},{"sku":{"$gt":"`)
	got, err := ports.Listing.SKUs(t.Context(), market, evil, 10)
	require.NoError(t, err)
	assert.Equal(t, []commerce.SKU{"B"}, got)
	body := asked()[0].body
	want, err := json.Marshal(map[string]any{"sku": map[string]string{"$gt": string(evil)}})
	require.NoError(t, err)
	assert.JSONEq(t, string(want), body.Variables.Filter, "as data")
	assert.Equal(t, 11, *body.Variables.First)
	assert.Contains(t, body.Query, `sortBy: ["sku", "id"], sortOrder: ["ASC", "ASC"]`)
	assert.NotContains(t, body.Query, "published", "a listing answers what is published unless it is told otherwise")
}

// A part never ends between keys that the database takes for one, as it would not find the others behind it.
func TestKeysThatDifferInCaseAreNotParted(t *testing.T) {
	t.Parallel()
	ports, _ := listingOf(t, `{"node":{"key":"A"}},{"node":{"key":"b"}},{"node":{"key":"B"}},{"node":{"key":"b"}}`)
	got, err := ports.Listing.SKUs(t.Context(), market, "", 3)
	require.NoError(t, err)
	assert.Equal(t, []commerce.SKU{"A"}, got, "the others come with the next part")
	got, err = ports.Listing.SKUs(t.Context(), market, "", 4)
	require.NoError(t, err)
	assert.Equal(t, []commerce.SKU{"A", "b", "B"}, got)
	got, err = ports.Listing.SKUs(t.Context(), market, "", 1)
	require.NoError(t, err)
	assert.Equal(t, []commerce.SKU{"A"}, got)
}

// A part of rows that have to be left out is not the end.
func TestRowsThatAreLeftOutDoNotEndAListing(t *testing.T) {
	t.Parallel()
	const hidden = `{"node":null},{"node":null},{"node":null}`
	ports, asked := listingOf(t, `{"node":{"key":"no sku"}},{"node":null},{"node":{"key":"nor this"}}`, hidden, hidden, `{"node":{"key":"Z"}}`)
	got, err := ports.Listing.SKUs(t.Context(), market, "A", 2)
	require.NoError(t, err)
	assert.Equal(t, []commerce.SKU{"Z"}, got)
	var filters []string
	var rows []int
	for _, s := range asked() {
		filters, rows = append(filters, s.body.Variables.Filter), append(rows, s.body.Variables.After)
	}
	behind := `{"sku":{"$gt":"nor this"}}`
	assert.Equal(t, []string{`{"sku":{"$gt":"A"}}`, behind, behind, behind}, filters)
	assert.Equal(t, []int{0, 0, 3, 6}, rows)
	ports, _ = listingOf(t, `{"node":null}`)
	got, err = ports.Listing.SKUs(t.Context(), market, "A", 2)
	require.NoError(t, err)
	assert.Empty(t, got, "this is the end")
}

// An answer that begins where the one before did would be asked for without end.
func TestRowsThatWereNotAskedForAreNoAnswer(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string]string{
		"the key before":  `{"node":{"key":"A"}}`,
		"no key":          `{"node":{"key":""}}`,
		"a key of null":   `{"node":{"key":null}}`,
		"a node of kinds": `{"node":{"key":7}}`,
	} {
		ports, _ := listingOf(t, rows)
		got, err := ports.Listing.SKUs(t.Context(), market, "A", 2)
		require.ErrorIs(t, err, commerce.ErrUpstream, name)
		assert.Empty(t, got, name)
	}
}
