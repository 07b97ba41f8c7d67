package odoo

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// changeType is the one type of Odoo's events: the action "Send Webhook
// Notification" of an automation rule, whose payload says what it is about.
const changeType = "odoo.webhook"

// wireWebhook is that payload: the model always, and those of its fields that the
// rule names. Which fields there are differs by release and rule, so that only
// what can be a SKU is looked at.
type wireWebhook struct {
	Model       string   `json:"_model"`
	DefaultCode text     `json:"default_code"`     // of a product or template; false for a template of many variants
	Custom      text     `json:"x_sku"`            // of stock and lines, where the shop made a field of it: related to product_id.default_code
	ProductID   labelled `json:"product_id"`       // of stock and lines
	OrderRef    text     `json:"client_order_ref"` // of an order: the checkout's number
	CustomRef   text     `json:"x_order_ref"`      // of a transfer, where the shop made a field of it: related to sale_id.client_order_ref
}

// labelled is a many-to-one field as far as it tells a SKU: Odoo writes [7, "[SKU] Name"]
// up to 17.0, and since then 7, which tells nothing.
type labelled string

// UnmarshalJSON reads a pair; anything else is nothing to go by.
func (n *labelled) UnmarshalJSON(data []byte) error {
	*n = ""
	var pair []json.RawMessage
	var label string
	isPair := bytes.HasPrefix(data, []byte("[")) && json.Unmarshal(data, &pair) == nil && len(pair) == 2
	if !isPair || json.Unmarshal(pair[1], &label) != nil || !strings.HasPrefix(label, "[") {
		return nil //nolint:nilerr // what cannot be read is nothing to go by
	}
	if code, _, ok := strings.Cut(label[1:], "] "); ok && !strings.ContainsAny(code, "[]") {
		*n = labelled(code)
	}
	return nil
}

// sku is the product's, or empty when the payload does not tell.
func (w wireWebhook) sku() commerce.SKU {
	return commerce.SKU(cmp.Or(string(w.DefaultCode), string(w.Custom), string(w.ProductID)))
}

// The tags of what the connector itself keeps of a server, beside those of answers.
// Prices also drop the lists, rates and categories that they are computed from.
const (
	kindRecord                = "odoo.record"    // and a SKU: which record it means
	tagRecords   commerce.Tag = "odoo.records"   // which record any SKU means
	tagProducts  commerce.Tag = "odoo.products"  // what records are called in orders
	tagLocations commerce.Tag = "odoo.locations" // what places are called
	tagPartners  commerce.Tag = "odoo.partners"  // who is which partner
	tagOrders    commerce.Tag = "odoo.orders"    // what orders are called
)

// touched is what a record of a model can change: answers, and what the connector keeps.
type touched struct {
	prices, stock bool
	record        bool // which record a SKU means
	order         bool // where an order stands
	kept          commerce.Tag
}

var models = map[string]touched{
	"product.product":        {prices: true, stock: true, record: true, kept: tagProducts},
	"product.template":       {prices: true, stock: true, record: true, kept: tagProducts},
	"stock.quant":            {stock: true},
	"stock.move":             {stock: true},
	"stock.move.line":        {stock: true},
	"stock.picking":          {stock: true, order: true},
	"stock.location":         {stock: true, kept: tagLocations},
	"stock.warehouse":        {stock: true, kept: tagLocations},
	"sale.order":             {stock: true, order: true, kept: tagOrders}, // a confirmed order reserves
	"sale.order.line":        {stock: true},
	"product.pricelist":      {prices: true},
	"product.pricelist.item": {prices: true}, // may hold for a category or for everything
	"product.category":       {prices: true}, // rules of price lists are for categories, too
	"res.currency":           {prices: true},
	"res.currency.rate":      {prices: true},
	"uom.uom":                {prices: true, stock: true},
	"res.partner":            {kept: tagPartners}, // no answer is kept, but who is who

	// Invoices are kept for nobody.
	"account.move": {},
}

// alone are the models whose records concern the one product they name.
var alone = map[string]bool{
	"product.product": true, "product.template": true,
	"stock.quant": true, "stock.move": true, "stock.move.line": true, "sale.order.line": true,
}

// Changes maps a notification of an automation rule to the tags of what it
// touched. Odoo's ids say nothing here: a payload without the SKU (default_code,
// x_sku, or a product_id with its label) drops every price or all stock; one of an order without its number
// (client_order_ref, x_order_ref) is about every order that is watched. A product whose SKU changed is two events: the old one's end and the new one.
func Changes(e commerce.ChangeEvent) ([]commerce.Tag, error) {
	if e.Type != changeType {
		return nil, e.Unknown()
	}
	var sent wireWebhook
	if err := e.Decode(&sent); err != nil {
		return nil, err
	}
	if sent.Model == "" {
		return nil, e.Lacks("_model")
	}
	what, known := models[sent.Model]
	if !known {
		return []commerce.Tag{commerce.TagSystem(System)}, nil
	}
	sku := sent.sku()
	if !alone[sent.Model] {
		sku = ""
	}
	tags := what.tags(sku)
	if what.order {
		tags = append(tags, sent.orders()...)
	}
	return tags, nil
}

// orders are the tags of the order that an event is about, or of all.
func (w wireWebhook) orders() []commerce.Tag {
	if number := cmp.Or(w.OrderRef, w.CustomRef); number != "" {
		return []commerce.Tag{commerce.TagOrder(commerce.OrderNumber(number))}
	}
	return []commerce.Tag{commerce.TagOperation(commerce.OpOrder), commerce.TagOperation(commerce.OpGuestOrder)}
}

// tags are those of a product, or of all when the SKU is empty. What the connector keeps
// comes first: where tags travel in parts, no answer is made anew of what is about to go.
func (t touched) tags(sku commerce.SKU) []commerce.Tag {
	record, price, stock := tagRecords, commerce.TagOperation(commerce.OpPrices), commerce.TagOperation(commerce.OpAvailability)
	if sku != "" {
		record, price, stock = commerce.TagOf(kindRecord, string(sku)), commerce.TagPrice(sku), commerce.TagStock(sku)
	}
	var tags []commerce.Tag
	if t.kept != "" {
		tags = append(tags, t.kept)
	}
	if t.record {
		tags = append(tags, record)
	}
	if t.prices {
		tags = append(tags, price)
	}
	if t.stock {
		tags = append(tags, stock)
	}
	return tags
}
