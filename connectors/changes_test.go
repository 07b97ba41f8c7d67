package connectors_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors"
	"github.com/portico-bff/portico/connectors/sandbox/elasticsearch"
	"github.com/portico-bff/portico/connectors/sandbox/magento"
	"github.com/portico-bff/portico/connectors/sandbox/odoo"
	"github.com/portico-bff/portico/connectors/sandbox/pimcore"
	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestEveryKindMapsItsChangesOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	for _, k := range connectors.Kinds {
		assert.NotEqual(t, k.Changes == nil, k.NoChanges == "", k.Name)
	}
}

// What the imitated systems tell of each change drops what the change touched, and
// nothing that it did not.
func TestWhatSystemsTellDropsWhatChanged(t *testing.T) {
	t.Parallel()
	const sku commerce.SKU = "BK-R93R-62"
	w, err := world.Load()
	require.NoError(t, err)
	told := map[string][]commerce.Tag{}
	w.OnEvent(func(e world.Event) {
		for name, notices := range map[string]func(*world.World, world.Event) []world.Notice{
			"pimcore": pimcore.Notices, "elasticsearch": elasticsearch.Notices, "odoo": odoo.Notices, "magento": magento.Notices,
		} {
			kind, err := connectors.Find(name)
			assert.NoError(t, err)
			for _, notice := range notices(w, e) {
				data, err := json.Marshal(notice.Data)
				assert.NoError(t, err)
				tags, err := kind.Changes(commerce.ChangeEvent{ID: "1", Source: "x", Type: notice.Type, Data: data})
				assert.NoError(t, err, notice.Type)
				told[name] = append(told[name], tags...)
			}
		}
	})
	cheaper, err := commerce.NewMoney("9.00", "USD")
	require.NoError(t, err)
	stock := 3
	for name, change := range map[string]struct {
		does          func() bool
		drops, leaves []commerce.Tag
		tells         []bool // the PIM, the ERP, the shop
	}{
		"a name": {
			does:   func() bool { return w.Change(string(sku), world.Change{Name: "A name"}) },
			drops:  []commerce.Tag{commerce.TagProduct(sku), commerce.TagSearch},
			leaves: []commerce.Tag{commerce.TagPrice(sku), commerce.TagStock(sku), commerce.TagSKU(sku)},
			tells:  []bool{true, false, false},
		},
		"a price": {
			does:  func() bool { return w.Change(string(sku), world.Change{Price: &cheaper}) },
			drops: []commerce.Tag{commerce.TagPrice(sku), commerce.TagSearch},
			tells: []bool{false, true, true},
		},
		"stock": {
			does:   func() bool { return w.Change(string(sku), world.Change{Stock: &stock}) },
			drops:  []commerce.Tag{commerce.TagStock(sku), commerce.TagSearch},
			leaves: []commerce.Tag{commerce.TagReviews(sku)},
			tells:  []bool{false, true, true},
		},
		"a discount": {
			does:   func() bool { return w.Discount(world.Wholesale, 21) },
			drops:  []commerce.Tag{commerce.TagOperation(commerce.OpPrices)},
			leaves: []commerce.Tag{commerce.TagProduct(sku), commerce.TagStock(sku), commerce.TagOperation(commerce.OpAvailability)},
			tells:  []bool{false, true, false},
		},
	} {
		clear(told)
		require.True(t, change.does(), name)
		var all []commerce.Tag
		for _, tags := range told {
			all = append(all, tags...)
		}
		assert.Subset(t, all, change.drops, name)
		for _, tag := range change.leaves {
			assert.NotContains(t, all, tag, name)
		}
		assert.Equal(t, change.tells, []bool{told["pimcore"] != nil, told["odoo"] != nil, told["magento"] != nil}, name)
	}
}

// Whatever is sent: an error that names a field of the event, or tags that are ones.
func FuzzEveryMapper(f *testing.F) {
	for _, kind := range []string{
		"elasticsearch.index.updated", "pimcore.dataobject.postUpdate", "pimcore.asset.postDelete", "odoo.webhook",
		"observer.catalog_product_save_after", "plugin.magento.inventory_api.api.x", "",
	} {
		for _, data := range []string{`{}`, `{"value":{"sku":"A"}}`, `{"_model":"product.product","default_code":"A"}`, `{"className":"Product","sku":7}`, `[]`, `null`, `{"value":[[[]]]}`} {
			f.Add(kind, []byte(data))
		}
	}
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		if !json.Valid(data) {
			return
		}
		for _, k := range connectors.Kinds {
			if k.Changes == nil {
				continue
			}
			tags, err := k.Changes(commerce.ChangeEvent{ID: "1", Source: "x", Type: kind, Data: data})
			if err != nil {
				var wrong *commerce.InputError
				require.ErrorAs(t, err, &wrong)
				assert.NotEmpty(t, wrong.Field)
			}
			for _, tag := range tags {
				_, err := commerce.ParseTag(string(tag))
				require.NoError(t, err)
			}
		}
	})
}
