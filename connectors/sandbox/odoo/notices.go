package odoo

import "github.com/portico-bff/portico/connectors/sandbox/world"

const webhook = "odoo.webhook"

// The automation rules of the imitated server, and the fields that each sends.
type (
	savedTemplate struct {
		Model       string `json:"_model"`
		ID          int    `json:"_id"`
		Action      string `json:"_action"`
		DefaultCode string `json:"default_code"`
		ListPrice   any    `json:"list_price"`
		RecordID    int    `json:"id"`
		Name        string `json:"name"`
	}
	savedQuant struct {
		Model     string `json:"_model"`
		ID        int    `json:"_id"`
		Action    string `json:"_action"`
		RecordID  int    `json:"id"`
		ProductID int    `json:"product_id"` // a bare id, as servers answer it since 17.0
		SKU       string `json:"x_sku"`
	}
	savedRule struct {
		Model     string `json:"_model"`
		ID        int    `json:"_id"`
		Action    string `json:"_action"`
		RecordID  int    `json:"id"`
		ListID    int    `json:"pricelist_id"`
		AppliedOn string `json:"applied_on"`
	}
	savedOrder struct {
		Model    string `json:"_model"`
		ID       int    `json:"_id"`
		Action   string `json:"_action"`
		RecordID int    `json:"id"`
		Number   string `json:"client_order_ref"`
	}
	savedPicking struct {
		Model    string `json:"_model"`
		ID       int    `json:"_id"`
		Action   string `json:"_action"`
		RecordID int    `json:"id"`
		Number   string `json:"x_order_ref"`
	}
)

// Notices are what automation rules tell of an event. The one of templates is for the
// fields that prices depend on: a new name is the PIM's to tell.
func Notices(w *world.World, e world.Event) []world.Notice {
	var notices []world.Notice
	for _, p := range e.Priced {
		id := templateOffset + p.ID
		notices = append(notices, world.Notice{Type: webhook, Data: savedTemplate{
			Model: "product.template", ID: id, Action: "Portico: product saved(#401)", RecordID: id,
			DefaultCode: p.SKU, ListPrice: decimal(p.ListPrice.Number()), Name: p.Name,
		}})
	}
	for _, id := range e.Stocked {
		p := w.Product(id)
		if p == nil {
			continue
		}
		quant := id * 100
		notices = append(notices, world.Notice{Type: webhook, Data: savedQuant{
			Model: "stock.quant", ID: quant, Action: "Portico: stock changed(#402)", RecordID: quant, ProductID: productOffset + id, SKU: p.SKU,
		}})
	}
	if e.Moved != nil {
		notices = append(notices, savedProgress(e.Moved))
	}
	for _, group := range e.Ruled {
		notices = append(notices, savedRules(w, group)...)
	}
	return notices
}

// savedRules tells of one rule of each of a group's lists.
func savedRules(w *world.World, group string) []world.Notice {
	var notices []world.Notice
	for _, l := range (&dialect{world: w}).priceLists() {
		if l.group == group {
			notices = append(notices, world.Notice{Type: webhook, Data: savedRule{
				Model: "product.pricelist.item", ID: l.id, Action: "Portico: price rule saved(#403)", RecordID: l.id, ListID: l.id, AppliedOn: "3_global",
			}})
		}
	}
	return notices
}

// savedProgress tells of an order, or of its transfer, that was saved.
func savedProgress(o *world.Order) world.Notice {
	if o.Progress == world.Shipped || o.Progress == world.Delivered {
		id := pickingOffset + o.ID*4
		return world.Notice{Type: webhook, Data: savedPicking{
			Model: "stock.picking", ID: id, Action: "Portico: transfer saved(#404)", RecordID: id, Number: o.Number,
		}}
	}
	id := orderOffset + o.ID
	return world.Notice{Type: webhook, Data: savedOrder{
		Model: "sale.order", ID: id, Action: "Portico: order saved(#405)", RecordID: id, Number: o.Number,
	}}
}
