package odoo

import (
	"slices"
	"strconv"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// locations makes stock.location: the world's places, and two that hold no stock to sell.
func (d *dialect) locations() *model {
	records := []record{
		{"id": customerLocation, "name": "Customers", "display_name": "Partners/Customers", "complete_name": "Partners/Customers", "usage": "customer", "active": true},
		{"id": lossLocation, "name": "Inventory adjustment", "display_name": "Virtual Locations/Inventory adjustment", "complete_name": "Virtual Locations/Inventory adjustment", "usage": "inventory", "active": true},
	}
	for _, l := range d.world.Locations() {
		full := "WH/" + l.Name
		records = append(records, record{
			"id": locationOffset + l.ID, "name": l.Name, "display_name": full, "complete_name": full,
			"usage": "internal", "active": true, "warehouse_id": ref{1, "WH"},
		})
	}
	return &model{
		name: "stock.location", order: "complete_name, id", parent: "location_id", rows: fixed(records),
		fields: map[string]field{
			"name": {}, "complete_name": {}, "usage": {}, "active": {kind: boolean},
			"warehouse_id": {kind: many2one}, "location_id": {kind: many2one, to: "stock.location"},
		},
	}
}

// quants makes stock.quant: what is where, as the world has it now.
func (d *dialect) quants() *model {
	names := map[int]string{}
	for _, l := range d.world.Locations() {
		names[l.ID] = "WH/" + l.Name
	}
	ofProduct := func(id int) []row {
		if p := d.world.Product(id - productOffset); p != nil {
			return d.quantsOf(p, names)
		}
		return nil
	}
	ofCode := func(code string) []row { // the doubles of a product hold nothing
		if p := d.world.BySKU(code); p != nil {
			return d.quantsOf(p, names)
		}
		return nil
	}
	return &model{
		name: "stock.quant", order: "id",
		rows: func() []row {
			var rows []row
			for _, p := range d.world.Products() {
				rows = append(rows, d.quantsOf(p, names)...)
			}
			return rows
		},
		lookup: map[string]lookup{"product_id": byNumber(ofProduct), "product_id.default_code": byText(ofCode)},
		fields: map[string]field{
			"product_id": {kind: many2one, to: "product.product"}, "product_tmpl_id": {kind: many2one, to: "product.template"},
			"location_id": {kind: many2one, to: "stock.location"}, "lot_id": {kind: many2one}, "company_id": {kind: many2one},
			"quantity": {kind: float}, "reserved_quantity": {kind: float}, "available_quantity": {kind: float}, "in_date": {kind: datetime},
		},
	}
}

// oneInHasLots is how many products there are for each whose stock is kept in two lots.
const oneInHasLots = 7

// quantsOf writes a product's stock. Some keep theirs in two lots, and every
// product was delivered and lost before, which no shop may count.
func (d *dialect) quantsOf(p *world.Product, names map[int]string) []row {
	name := ref{productOffset + p.ID, "[" + p.SKU + "] " + p.Name}
	var rows []row
	add := func(location ref, lot, quantity, reserved int) {
		r := record{
			"id": p.ID*100 + len(rows), "product_id": name, "product_tmpl_id": ref{templateOffset + p.ID, p.Name}, "location_id": location,
			"display_name": location.name, "company_id": ref{1, "Sandbox"}, "in_date": p.SellStart,
			"quantity": decimal(strconv.Itoa(quantity)), "reserved_quantity": decimal(strconv.Itoa(reserved)),
			"available_quantity": decimal(strconv.Itoa(quantity - reserved)),
		}
		if lot > 0 {
			r["lot_id"] = ref{lot, "LOT" + strconv.Itoa(lot)}
		}
		rows = append(rows, r)
	}
	for _, s := range d.world.Stock(p.ID) {
		at := ref{locationOffset + s.LocationID, names[s.LocationID]}
		if p.ID%oneInHasLots != 0 || s.Quantity < 2 {
			add(at, 0, s.Quantity, s.Reserved)
			continue
		}
		half := s.Quantity / 2
		add(at, 2*p.ID+1, half, min(half, s.Reserved))
		add(at, 2*p.ID+2, s.Quantity-half, max(0, s.Reserved-half))
	}
	add(ref{customerLocation, "Partners/Customers"}, 0, 40+p.ID%9, 0)
	add(ref{lossLocation, "Virtual Locations/Inventory adjustment"}, 0, -500, 0)
	return slices.Clip(rows)
}
