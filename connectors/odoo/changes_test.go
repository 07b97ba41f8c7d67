package odoo

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestChangesAreMappedToWhatTheyTouch(t *testing.T) {
	t.Parallel()
	const prices, stock commerce.Tag = "op:pricing.prices", "op:inventory.availability"
	orders := []commerce.Tag{commerce.TagOperation(commerce.OpOrder), commerce.TagOperation(commerce.OpGuestOrder)}
	for name, c := range map[string]struct {
		data string
		want []commerce.Tag
	}{
		"a product":                    {`{"_model":"product.product","_id":7,"id":7,"_action":"x(#1)","default_code":"A","list_price":1.5}`, []commerce.Tag{"odoo.products", "odoo.record:A", "price:A", "stock:A"}},
		"a template":                   {`{"_model":"product.template","_id":7,"default_code":"A"}`, []commerce.Tag{"odoo.products", "odoo.record:A", "price:A", "stock:A"}},
		"a template of variants":       {`{"_model":"product.template","_id":7,"default_code":false}`, []commerce.Tag{"odoo.products", "odoo.records", prices, stock}},
		"a product without its code":   {`{"_model":"product.product","_id":7}`, []commerce.Tag{"odoo.products", "odoo.records", prices, stock}},
		"stock of a labelled product":  {`{"_model":"stock.quant","product_id":[7,"[A-1] A thing [red]"]}`, []commerce.Tag{"stock:A-1"}},
		"stock of a bare id":           {`{"_model":"stock.quant","product_id":7}`, []commerce.Tag{stock}},
		"stock of no product":          {`{"_model":"stock.quant","product_id":false}`, []commerce.Tag{stock}},
		"stock of an unlabelled one":   {`{"_model":"stock.quant","product_id":[7,"A thing"]}`, []commerce.Tag{stock}},
		"stock with the shop's field":  {`{"_model":"stock.quant","product_id":7,"x_sku":"A"}`, []commerce.Tag{"stock:A"}},
		"an empty field of the shop's": {`{"_model":"stock.quant","product_id":7,"x_sku":false}`, []commerce.Tag{stock}},
		"a label of several codes":     {`{"_model":"stock.quant","product_id":[7,"[A [B] C"]}`, []commerce.Tag{stock}},
		"a label that is not closed":   {`{"_model":"stock.quant","product_id":[7,"[A"]}`, []commerce.Tag{stock}},
		"a transfer":                   {`{"_model":"stock.picking","_id":3}`, append([]commerce.Tag{stock}, orders...)},
		"a transfer of an order":       {`{"_model":"stock.picking","_id":3,"x_order_ref":"000000007"}`, []commerce.Tag{stock, "order:000000007"}},
		"an order with its number":     {`{"_model":"sale.order","_id":3,"client_order_ref":"000000007"}`, []commerce.Tag{"odoo.orders", stock, "order:000000007"}},
		"an order":                     {`{"_model":"sale.order","_id":3,"x_sku":"A"}`, append([]commerce.Tag{"odoo.orders", stock}, orders...)},
		"an order's line":              {`{"_model":"sale.order.line","product_id":[7,"[A] B"]}`, []commerce.Tag{"stock:A"}},
		"a rule, though of a product":  {`{"_model":"product.pricelist.item","product_id":[7,"[A] B"]}`, []commerce.Tag{prices}},
		"a rate":                       {`{"_model":"res.currency.rate","_id":1}`, []commerce.Tag{prices}},
		"a unit":                       {`{"_model":"uom.uom","_id":1}`, []commerce.Tag{prices, stock}},
		"an invoice":                   {`{"_model":"account.move","_id":1}`, nil},
		"a partner":                    {`{"_model":"res.partner","_id":1}`, []commerce.Tag{"odoo.partners"}},
		"a location":                   {`{"_model":"stock.location","_id":1}`, []commerce.Tag{"odoo.locations", stock}},
		"anything else":                {`{"_model":"mrp.bom","_id":1}`, []commerce.Tag{"system:odoo"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tags, err := Changes(commerce.ChangeEvent{Type: changeType, Data: []byte(c.data)})
			require.NoError(t, err)
			assert.Equal(t, c.want, tags)
		})
	}
}

func TestChangesThatAreNotUnderstoodNameTheField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, data, field string }{
		{"odoo.cron", `{}`, "type"},
		{"", `{}`, "type"},
		{changeType, `{}`, "data._model"},
		{changeType, `{"_model":""}`, "data._model"},
		{changeType, `{"_model":false}`, "data._model"},
		{changeType, `{"_model":"product.product","default_code":5}`, "data"},
	} {
		_, err := Changes(commerce.ChangeEvent{Type: c.kind, Data: []byte(c.data)})
		require.ErrorIs(t, err, commerce.ErrInvalid, c)
		wrong, ok := errors.AsType[*commerce.InputError](err)
		require.True(t, ok)
		assert.Contains(t, wrong.Field, c.field)
	}
}

// FuzzChanges looks for payloads that are taken although nothing is dropped for them, and for tags that are none.
func FuzzChanges(f *testing.F) {
	f.Add(changeType, []byte(`{"_model":"stock.quant","product_id":[7,"[A] B"]}`))
	f.Add(changeType, []byte(`{"_model":"product.product","default_code":false}`))
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		if !json.Valid(data) {
			return
		}
		tags, err := Changes(commerce.ChangeEvent{Type: kind, Data: data})
		if err != nil {
			require.ErrorIs(t, err, commerce.ErrInvalid)
			return
		}
		var sent wireWebhook
		require.NoError(t, json.Unmarshal(data, &sent))
		assert.True(t, len(tags) > 0 || sent.Model == "account.move")
		for _, tag := range tags {
			_, err := commerce.ParseTag(string(tag))
			require.NoError(t, err)
		}
	})
}
