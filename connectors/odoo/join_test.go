package odoo

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/portico-bff/portico/schema/commerce"
)

// shuffled draws an upstream's answer to ids: rows out of order, some missing,
// some twice, some that nobody asked for. It answers the rows' ids and which of the asked are there.
func shuffled(t *rapid.T, ids []recordID) (rows []recordID, present map[recordID]bool) {
	present = map[recordID]bool{}
	for _, id := range ids {
		for range rapid.IntRange(0, 2).Draw(t, "times") {
			rows = append(rows, id)
			present[id] = true
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "strangers") {
		rows = append(rows, recordID(rapid.Int64Range(1<<40, 1<<41).Draw(t, "stranger")))
	}
	return rapid.Permutation(rows).Draw(t, "order"), present
}

func someIDs(t *rapid.T) []recordID {
	return rapid.SliceOfNDistinct(rapid.Map(rapid.Int64Range(1, 1<<61), func(n int64) recordID { return recordID(n) }), 0, 12, rapid.ID).Draw(t, "ids")
}

// priceFor is a price that only this id has.
func priceFor(id recordID) number {
	return number(fmt.Sprintf("%d.%04d", int64(id)%1e12, int64(id)%1e4))
}

func TestN17_PricesAreJoinedBySKU(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := someIDs(t)
		rows, present := shuffled(t, ids)
		skuOf := func(id recordID) commerce.SKU { return commerce.SKU(strconv.FormatInt(int64(id), 36)) }
		asked := make([]commerce.SKU, len(ids))
		for i, id := range ids {
			asked[i] = skuOf(id)
		}
		records := make([]wirePrice, len(rows))
		for i, id := range rows {
			records[i] = wirePrice{ID: id, Code: text(skuOf(id)), Sellable: id%3 != 0, Price: priceFor(id)}
		}
		got := bySKU(records, asked)
		for _, id := range ids {
			p, ok := got[skuOf(id)]
			if ok != present[id] || ok && (p.list != priceFor(id) || p.id != id || p.sellable != (id%3 != 0)) {
				t.Fatalf("product %d: present %v, got %v", id, present[id], p)
			}
		}
		if len(got) != len(present) {
			t.Fatalf("%d prices for %d products", len(got), len(present))
		}
	})
}

func TestN17_StockIsJoinedByIDAndAddedUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := someIDs(t)
		rows, _ := shuffled(t, ids)
		want := map[recordID]int{}
		quants := make([]wireQuant, len(rows))
		for i, id := range rows {
			n, reserved := rapid.IntRange(0, 50).Draw(t, "held"), rapid.IntRange(0, 10).Draw(t, "reserved")
			want[id] += n - reserved
			quants[i] = wireQuant{
				Product: link{id}, Location: relation{ID: 8, Name: "WH/Stock"},
				Quantity: held(strconv.Itoa(n) + ".0"), Reserved: held(strconv.Itoa(reserved) + ".0"),
			}
		}
		got, err := joinQuants(commerce.OpAvailability, quants)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			a := availability("S", got.of(id), nil)
			if a.Quantity != max(0, want[id]) {
				t.Fatalf("product %d has %d, want %d", id, a.Quantity, want[id])
			}
		}
	})
}

func TestN17_SKUsAreJoinedByCode(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := someIDs(t)
		rows, present := shuffled(t, ids)
		code := func(id recordID) commerce.SKU { return commerce.SKU("P" + strconv.FormatInt(int64(id), 36)) }
		records := make([]wirePrice, 0, 2*len(rows))
		for _, id := range rows {
			records = append(records, wirePrice{ID: id, Code: text(code(id))})
			if rapid.Bool().Draw(t, "double") { // a younger record with the same code
				records = append(records, wirePrice{ID: recordID(int64(id) + 1<<62), Code: text(code(id))})
			}
		}
		asked := make([]commerce.SKU, len(ids))
		for i, id := range ids {
			asked[i] = code(id)
		}
		got := bySKU(rapid.Permutation(records).Draw(t, "answer"), asked)
		for _, id := range ids {
			p, ok := got[code(id)]
			if ok != present[id] || ok && p.id != id {
				t.Fatalf("product %d: present %v, got %+v", id, present[id], p)
			}
		}
		for sku := range got {
			if !slices.Contains(asked, sku) {
				t.Fatalf("nobody asked for %s", sku)
			}
		}
	})
}

func TestWireValues(t *testing.T) {
	t.Parallel()
	var w struct {
		T text
		R relation
		N number
		M moment
	}
	for _, body := range []string{
		`{"R":[1]}`, `{"R":[1,"a",2]}`, `{"R":["1","a"]}`, `{"R":[1.5,"a"]}`, `{"R":true}`, `{"R":7}`,
		`{"T":true}`, `{"T":1}`,
		`{"N":"1.0"}`, `{"N":false}`, `{"N":1e300}`, `{"N":1E+5}`, `{"N":1234567890123456}`, `{"N":NaN}`,
		`{"M":"yesterday"}`, `{"M":"2026-13-01"}`, `{"M":"2026-11-21T10:00:00Z"}`, `{"M":20261121}`,
	} {
		require.Error(t, json.Unmarshal([]byte(body), &w), body)
	}
	require.NoError(t, json.Unmarshal([]byte(`{"T":false,"R":false,"M":false,"N":1e-05}`), &w))
	require.Equal(t, text(""), w.T)
	require.Equal(t, relation{}, w.R)
	require.True(t, w.M.IsZero())
	require.NoError(t, json.Unmarshal([]byte(`{"M":"2026-11-21 10:00:00"}`), &w))
	require.Equal(t, "2026-11-21T10:00:00Z", w.M.Format("2006-01-02T15:04:05Z07:00"))
}

func TestPiecesAreWholeAndNeverNegative(t *testing.T) {
	t.Parallel()
	for quantity, want := range map[string]int{
		"12": 12, "12.9": 12, "0.99": 0, "0": 0, "-3": 0, "-0.5": 0, "99999999999999999999999": maxPieces,
	} {
		q, ok := new(big.Rat).SetString(quantity)
		require.True(t, ok)
		require.Equal(t, want, pieces(q), quantity)
	}
}
