package odoo

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// What is sent is what encoding/json would send, byte for byte.
func FuzzBodies(f *testing.F) {
	f.Add("default_code", "A-1", `B"]],["x`, int64(7), 0, false, true)
	f.Add("", "\u00e9\u2028<&>", "\xff", int64(-1), 100, true, false)
	f.Fuzz(func(t *testing.T, field, one, other string, id int64, limit int, archived, first bool) {
		leaves := []leaf{
			{field, "in", []commerce.SKU{commerce.SKU(one), commerce.SKU(other)}},
			{field, "=", one},
			{"id", "in", []recordID{recordID(id), 2}},
			{"id", "<", recordID(id)},
			{"move_type", "in", []string{one, other}},
			{"display_type", "=", false},
			{"client_order_ref", "=", commerce.OrderNumber(other)},
		}
		q := query{Domain: domain{"|", "&"}, Fields: []string{"name", one}, Order: other, Limit: limit, Archived: archived}
		parts := []any{"|", "&"}
		for _, l := range leaves {
			q.Domain, parts = append(q.Domain, l), append(parts, []any{l.field, l.operator, l.value})
		}
		if first {
			q.Fields = nil
		}
		type options struct {
			ActiveTest bool `json:"active_test"`
		}
		want := struct {
			Domain  []any    `json:"domain"`
			Fields  []string `json:"fields,omitempty"`
			Order   string   `json:"order,omitempty"`
			Limit   int      `json:"limit,omitempty"`
			Context *options `json:"context,omitempty"`
		}{Domain: parts, Fields: q.Fields, Order: other, Limit: limit}
		if archived {
			want.Context = &options{}
		}
		text, err := json.Marshal(want)
		require.NoError(t, err)
		got, err := q.body()
		require.NoError(t, err)
		assert.Equal(t, string(text), string(got))
	})
}
