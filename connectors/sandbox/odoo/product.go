package odoo

import (
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// product is a product.product. The world's products are one variant each of a
// template of their own; doubles share a default_code with another product.
type product struct {
	d        *dialect
	of       *world.Product // nil for services
	number   int
	template int
	code     string
	name     string
	archived bool
	sellable bool
	price    string // in the company's currency
	stocked  bool   // counts the world's stock as its own
}

func (p *product) id() int { return p.number }

func (p *product) display() string {
	if p.code == "" {
		return p.name
	}
	return "[" + p.code + "] " + p.name
}

func (p *product) value(c *env, field string) any {
	switch field {
	case "id":
		return p.number
	case "name":
		return p.name
	case "display_name":
		return p.display()
	case "default_code":
		return p.code
	case "active":
		return !p.archived
	case "sale_ok":
		return p.sellable
	case "list_price", "lst_price":
		return decimal(p.price)
	case "standard_price":
		return decimal("0")
	case "currency_id":
		return ref{1, "USD"}
	case "product_tmpl_id":
		return ref{p.template, p.name}
	case "categ_id":
		return p.category()
	case "type":
		if p.of == nil {
			return "service"
		}
		return "consu"
	case "uom_id":
		return ref{1, "Units"}
	case "weight":
		return decimal("0")
	case "description_sale":
		return p.description(c)
	case "write_date":
		return p.updated()
	default:
		return p.stock(c, field)
	}
}

func (p *product) category() ref {
	if p.of == nil || p.of.SubcategoryID == 0 {
		return ref{allCategory, "All"}
	}
	return p.d.categoryRef(100 + p.of.SubcategoryID)
}

func (p *product) updated() time.Time {
	if p.of == nil {
		return time.Time{}
	}
	return p.of.UpdatedAt
}

// description follows the context's language ("fr_FR"), English where there is none.
func (p *product) description(c *env) string {
	if p.of == nil {
		return ""
	}
	language, _, _ := strings.Cut(c.Lang, "_")
	if text := p.of.Descriptions[language]; text != "" {
		return text
	}
	return p.of.Descriptions["en"]
}

// stock answers the computed quantities; "barcode" and whatever else is not kept is empty.
func (p *product) stock(c *env, field string) any {
	onHand, free := 0, 0
	if p.of != nil && p.stocked && c.Warehouse <= 1 {
		for _, s := range p.d.world.Stock(p.of.ID) {
			if c.Location == 0 || c.Location == locationOffset+s.LocationID {
				onHand += s.Quantity
				free += s.Quantity - s.Reserved
			}
		}
	}
	switch field {
	case "qty_available":
		return decimal(strconv.Itoa(onHand))
	case "free_qty", "virtual_available":
		return decimal(strconv.Itoa(free))
	case "incoming_qty":
		return decimal("0")
	case "outgoing_qty":
		return decimal(strconv.Itoa(onHand - free))
	default:
		return nil
	}
}

func productFields() map[string]field {
	return map[string]field{
		"name": {}, "default_code": {}, "barcode": {}, "type": {}, "description_sale": {},
		"active": {kind: boolean}, "sale_ok": {kind: boolean},
		"list_price": {kind: float}, "lst_price": {kind: float}, "standard_price": {kind: float}, "weight": {kind: float},
		"qty_available": {kind: float}, "free_qty": {kind: float}, "virtual_available": {kind: float},
		"incoming_qty": {kind: float}, "outgoing_qty": {kind: float},
		"currency_id":     {kind: many2one, to: "res.currency"},
		"product_tmpl_id": {kind: many2one, to: "product.template"},
		"categ_id":        {kind: many2one, to: "product.category"},
		"uom_id":          {kind: many2one},
		"write_date":      {kind: datetime},
	}
}

// products makes product.product: two services, the catalogue, and two doubles.
// The first product that is sold was entered twice and its older record archived;
// the first part that is not sold was entered twice and nobody noticed.
func (d *dialect) products() *model {
	all := []*product{
		{d: d, number: deliveryProduct, template: 1, code: "Delivery", name: "Delivery charges", price: "0"},
		{d: d, number: discountProduct, template: 2, code: "DISC", name: "Discount", price: "0"},
	}
	archived, doubled := false, false
	for _, w := range d.world.Products() {
		if w.Sold() && !archived {
			archived = true
			all = append(all, d.double(w, archivedOffset))
		}
		if !w.Sold() && !doubled {
			doubled = true
			all = append(all, d.double(w, duplicateOffset))
		}
		all = append(all, &product{
			d: d, of: w, number: productOffset + w.ID, template: templateOffset + w.ID, code: w.SKU, name: w.Name,
			sellable: w.Sold(), price: w.ListPrice.Number(), stocked: true,
		})
	}
	rows := make([]row, len(all))
	byID, byCode := map[int][]row{}, map[string][]row{}
	for i, p := range all {
		rows[i] = p
		byID[p.number] = []row{p}
		byCode[p.code] = append(byCode[p.code], p)
	}
	return &model{
		name: "product.product", fields: productFields(), order: "default_code, name, id",
		rows: func() []row { return rows },
		lookup: map[string]lookup{
			"id":           byNumber(func(n int) []row { return byID[n] }),
			"default_code": byText(func(s string) []row { return byCode[s] }),
		},
	}
}

// double is a second record for a product's code, with a price and stock that would show if it were taken.
func (d *dialect) double(w *world.Product, offset int) *product {
	return &product{
		d: d, of: w, number: offset + w.ID, template: offset + w.ID, code: w.SKU, name: w.Name + " (copy)",
		archived: offset == archivedOffset, sellable: true, price: "0.01",
	}
}

// templates makes product.template: what the variants have in common.
func (d *dialect) templates() *model {
	var records []record
	for _, w := range d.world.Products() {
		category := ref{allCategory, "All"}
		if w.SubcategoryID != 0 {
			category = d.categoryRef(100 + w.SubcategoryID)
		}
		records = append(records, record{
			"id": templateOffset + w.ID, "name": w.Name, "display_name": w.Name, "default_code": w.SKU, "active": true,
			"sale_ok": w.Sold(), "list_price": decimal(w.ListPrice.Number()), "categ_id": category,
			"currency_id": ref{1, "USD"}, "product_variant_ids": []int{productOffset + w.ID}, "write_date": w.UpdatedAt,
		})
	}
	return &model{
		name: "product.template", order: "name, id", rows: fixed(records),
		fields: map[string]field{
			"name": {}, "default_code": {}, "active": {kind: boolean}, "sale_ok": {kind: boolean}, "list_price": {kind: float},
			"categ_id": {kind: many2one, to: "product.category"}, "currency_id": {kind: many2one, to: "res.currency"},
			"product_variant_ids": {kind: x2many, to: "product.product"}, "write_date": {kind: datetime},
		},
	}
}

// categoryName is a category's full name: "All / Bikes / Road Bikes".
func (d *dialect) categoryName(id int) string {
	name := "All"
	if c := d.world.Category(id); c != nil {
		name = d.categoryName(c.ParentID) + " / " + c.Name
	}
	return name
}

func (d *dialect) categoryRef(id int) ref {
	if id == 0 {
		return ref{allCategory, "All"}
	}
	return ref{categoryOffset + id, d.categoryName(id)}
}

// categories makes product.category: the world's tree below "All".
func (d *dialect) categories() *model {
	records := []record{{"id": allCategory, "name": "All", "display_name": "All", "complete_name": "All", "parent_path": "1/"}}
	for _, c := range d.world.Categories() {
		full := d.categoryName(c.ID)
		records = append(records, record{
			"id": categoryOffset + c.ID, "name": c.Name, "display_name": full, "complete_name": full, "parent_id": d.categoryRef(c.ParentID),
		})
	}
	return &model{
		name: "product.category", order: "complete_name", parent: "parent_id", rows: fixed(records),
		fields: map[string]field{"name": {}, "complete_name": {}, "parent_path": {}, "parent_id": {kind: many2one, to: "product.category"}},
	}
}

// currencies makes res.currency. A rate is units for one unit of the company's currency, which is USD.
func (d *dialect) currencies() *model {
	symbols := map[string]string{"USD": "$", "EUR": "€", "GBP": "£"}
	var records []record
	for i, code := range d.world.Currencies() {
		records = append(records, record{
			"id": i + 1, "name": code, "display_name": code, "symbol": symbols[code], "active": true,
			"rate": decimal(d.rate(code)), "rounding": decimal("0.01"), "decimal_places": 2,
		})
	}
	return &model{
		name: "res.currency", order: "id", rows: fixed(records),
		fields: map[string]field{
			"name": {}, "symbol": {}, "active": {kind: boolean}, "rate": {kind: float}, "rounding": {kind: float}, "decimal_places": {kind: integer},
		},
	}
}

// rate is what one dollar is worth. The world rounds to cents, so a hundred dollars tell.
func (d *dialect) rate(code string) string {
	hundred, err := parseUSD("100")
	if err != nil {
		return "1"
	}
	worth, _ := d.world.Convert(hundred, code)
	one, _ := worth.Div("100")
	return one.Number()
}
