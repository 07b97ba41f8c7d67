package magento

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
	const stock commerce.Tag = "op:inventory.availability"
	anyProduct := []commerce.Tag{"op:catalog.products", "op:related.related", "op:pricing.prices", stock}
	saved := []commerce.Tag{"product:A", "price:A", "stock:A"}
	orders := func(tags ...commerce.Tag) []commerce.Tag {
		return append(tags, commerce.TagOperation(commerce.OpOrder), commerce.TagOperation(commerce.OpGuestOrder))
	}
	for name, c := range map[string]struct {
		kind, data string
		want       []commerce.Tag
	}{
		"a product":               {"observer.catalog_product_save_after", `{"value":{"entity_id":"3","sku":"A","price":"123.000000"}}`, saved},
		"a product, committed":    {"com.adobe.commerce.observer.catalog_product_save_commit_after", `{"key":"k","value":{"sku":"A"}}`, saved},
		"a product deleted":       {"observer.catalog_product_delete_after", `{"value":{"sku":"A"}}`, saved},
		"a product by its id":     {"observer.catalog_product_save_after", `{"value":{"entity_id":"3"}}`, anyProduct},
		"a saved product's API":   {"plugin.magento.catalog.api.product_repository.save", `{"value":{"sku":"A"}}`, saved},
		"a stock item":            {"observer.cataloginventory_stock_item_save_after", `{"value":{"product_id":"3","qty":"5"}}`, []commerce.Tag{stock}},
		"a stock item with SKU":   {"observer.cataloginventory_stock_item_save_commit_after", `{"value":{"product_id":"3","sku":"A"}}`, []commerce.Tag{"stock:A"}},
		"source items":            {"plugin.magento.inventory_api.api.source_items_save.execute", `{"value":{"source_items":[{"sku":"A"},{"sku":"B"}]}}`, []commerce.Tag{"stock:A", "stock:B"}},
		"source items of no kind": {"plugin.magento.inventory_api.api.source_items_save.execute", `{"value":{}}`, []commerce.Tag{stock}},
		"an order":                {"observer.sales_order_place_after", `{"value":{"items":[{"sku":"A","qty_ordered":"2"},{"sku":"B"}]}}`, orders("stock:A", "stock:B")},
		"an order with number":    {"observer.sales_order_place_after", `{"value":{"increment_id":"1","items":[{"sku":"A","qty_ordered":"2"}]}}`, []commerce.Tag{"stock:A", "order:1"}},
		"an order without items":  {"observer.sales_order_save_commit_after", `{"value":{"increment_id":"1"}}`, []commerce.Tag{stock, "order:1"}},
		"an item of no SKU":       {"observer.sales_order_place_after", `{"value":{"items":[{"sku":"A"},{"product_id":"3"}]}}`, orders(stock)},
		"an item that is null":    {"observer.sales_order_place_after", `{"value":{"items":[{"sku":"A"},null]}}`, orders(stock)},
		"a credit note":           {"observer.sales_order_creditmemo_save_after", `{"value":{"increment_id":"9","items":[{"sku":"A"}]}}`, orders("stock:A")},
		"a category":              {"observer.catalog_category_save_after", `{"value":{"entity_id":"4"}}`, []commerce.Tag{"categories"}},
		"a customer":              {"observer.customer_save_commit_after", `{"value":{"entity_id":"4"}}`, []commerce.Tag{"magento.customers"}},
		"a price rule":            {"observer.catalogrule_rule_save_after", `{"value":{"rule_id":"4"}}`, []commerce.Tag{"op:pricing.prices"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tags, err := Changes(commerce.ChangeEvent{Type: c.kind, Data: []byte(c.data)})
			require.NoError(t, err)
			assert.Equal(t, c.want, tags)
		})
	}
}

func TestChangesThatAreNotUnderstoodNameTheField(t *testing.T) {
	t.Parallel()
	const saved = "observer.catalog_product_save_after"
	for _, c := range []struct{ kind, data, field string }{
		{"observer.customer_login", `{"value":{}}`, "type"},
		{"observer.catalog_product_save_before", `{"value":{}}`, "type"},
		{"catalog_product_save_after", `{"value":{}}`, "type"},
		{"plugin.magento", `{"value":{}}`, "type"},
		{"", `{}`, "type"},
		{saved, `{}`, "data.value"},
		{saved, `{"value":null}`, "data.value"},
		{saved, `{"value":[]}`, "data.value"},
		{saved, `{"value":{"sku":7}}`, "data.value.sku"},
	} {
		_, err := Changes(commerce.ChangeEvent{Type: c.kind, Data: []byte(c.data)})
		require.ErrorIs(t, err, commerce.ErrInvalid, c)
		wrong, ok := errors.AsType[*commerce.InputError](err)
		require.True(t, ok)
		assert.Equal(t, c.field, wrong.Field)
	}
}

// FuzzChanges looks for payloads that are taken although nothing is dropped for them, and for tags that are none.
func FuzzChanges(f *testing.F) {
	f.Add("observer.sales_order_place_after", []byte(`{"value":{"items":[{"sku":"A"},null]}}`))
	f.Add("com.adobe.commerce.observer.catalog_product_save_commit_after", []byte(`{"value":{"sku":"A"}}`))
	f.Add("plugin.magento.inventory_api.api.x", []byte(`{"value":{"source_items":[null]}}`))
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		if !json.Valid(data) {
			return
		}
		tags, err := Changes(commerce.ChangeEvent{Type: kind, Data: data})
		if err != nil {
			require.ErrorIs(t, err, commerce.ErrInvalid)
			return
		}
		assert.NotEmpty(t, tags)
		for _, tag := range tags {
			_, err := commerce.ParseTag(string(tag))
			require.NoError(t, err)
		}
	})
}
