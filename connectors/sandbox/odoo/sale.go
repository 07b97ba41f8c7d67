package odoo

import (
	"strconv"
	"strings"

	"github.com/bojanz/currency"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// saleOrder is a sale.order. Past orders are confirmed, or cancelled; new ones are confirmed at once.
type saleOrder struct {
	s *snapshot
	d *dialect
	o *world.Order
}

func (r *saleOrder) id() int { return orderOffset + r.o.ID }

func orderName(o *world.Order) string { return serial("S", o.ID, 5) }

func orderRef(o *world.Order) ref { return ref{orderOffset + o.ID, orderName(o)} }

func (r *saleOrder) value(_ *env, field string) any {
	o := r.o
	switch field {
	case "id":
		return r.id()
	case "name", "display_name":
		return orderName(o)
	case "client_order_ref":
		return o.Number
	case "state":
		if r.s.cancelled[o.ID] {
			return "cancel"
		}
		return "sale"
	case "locked":
		return o.Seeded
	case "date_order", "write_date":
		return o.PlacedAt
	case "amount_untaxed":
		return money(minus(o.Total, o.Tax))
	case "amount_tax":
		return money(o.Tax)
	case "amount_total":
		return money(o.Total)
	case "currency_id":
		return r.d.currencyRef(o.Currency)
	case "partner_id", "partner_invoice_id":
		return r.s.partnerOf(o)
	case "partner_shipping_id":
		return r.s.destinationOf(o).ref()
	default:
		return r.related(field)
	}
}

func (r *saleOrder) related(field string) any {
	switch field {
	case "pricelist_id":
		for _, l := range r.d.priceLists() {
			if l.group == r.o.Group && l.currency == r.o.Currency {
				return l.ref()
			}
		}
		return nil
	case "order_line":
		return rowIDs(r.d.linesOf(r.s, r.o))
	case "picking_ids":
		return rowIDs(r.d.pickingsOf(r.s, r.o))
	case "invoice_ids":
		return rowIDs(r.d.invoicesOf(r.s, r.o))
	case "invoice_status":
		switch {
		case r.s.cancelled[r.o.ID]:
			return "no"
		case r.o.Seeded:
			return "invoiced"
		default:
			return "to invoice"
		}
	default:
		return nil
	}
}

func rowIDs(rows []row) []int {
	ids := make([]int, len(rows))
	for i, r := range rows {
		ids[i] = r.id()
	}
	return ids
}

func (d *dialect) saleOrders() *model {
	rowOf := func(s *snapshot, o *world.Order) []row { return []row{&saleOrder{s: s, d: d, o: o}} }
	return &model{
		name: "sale.order", order: "date_order desc, id desc",
		rows: func() []row { return d.snapshot().rowsOf(rowOf) },
		lookup: map[string]lookup{
			"id":         byNumber(func(id int) []row { return d.snapshot().rowsOfOne(id-orderOffset, rowOf) }),
			"partner_id": byNumber(func(id int) []row { return d.snapshot().rowsOfPartner(id, rowOf) }),
			"name": byText(func(name string) []row {
				id, err := strconv.Atoi(strings.TrimPrefix(name, "S"))
				if err != nil {
					return nil
				}
				return d.snapshot().rowsOfOne(id, rowOf)
			}),
			"client_order_ref": byText(func(number string) []row {
				s := d.snapshot()
				if o := s.byNumber[number]; o != nil {
					return rowOf(s, o)
				}
				return nil
			}),
		},
		fields: map[string]field{
			"name": {}, "client_order_ref": {}, "state": {}, "invoice_status": {}, "locked": {kind: boolean}, "note": {}, "origin": {},
			"date_order": {kind: datetime}, "write_date": {kind: datetime},
			"amount_untaxed": {kind: float}, "amount_tax": {kind: float}, "amount_total": {kind: float},
			"currency_id": {kind: many2one, to: "res.currency"}, "pricelist_id": {kind: many2one, to: "product.pricelist"},
			"partner_id": {kind: many2one, to: "res.partner"}, "partner_invoice_id": {kind: many2one, to: "res.partner"},
			"partner_shipping_id": {kind: many2one, to: "res.partner"},
			"order_line":          {kind: x2many, to: "sale.order.line"}, "picking_ids": {kind: x2many, to: "stock.picking"},
			"invoice_ids": {kind: x2many, to: "account.move"},
		},
	}
}

func (d *dialect) saleLines() *model {
	return &model{
		name: "sale.order.line", order: "order_id, sequence, id",
		rows: func() []row { return d.snapshot().rowsOf(d.linesOf) },
		lookup: map[string]lookup{
			"id":       byNumber(func(id int) []row { return d.snapshot().rowsOfOne(id/linesPerOrder, d.linesOf) }),
			"order_id": byNumber(func(id int) []row { return d.snapshot().rowsOfOne(id-orderOffset, d.linesOf) }),
		},
		fields: map[string]field{
			"name": {}, "display_type": {}, "state": {}, "sequence": {kind: integer},
			"order_id": {kind: many2one, to: "sale.order"}, "product_id": {kind: many2one, to: "product.product"},
			"currency_id": {kind: many2one, to: "res.currency"}, "order_partner_id": {kind: many2one, to: "res.partner"},
			"is_delivery": {kind: boolean}, "is_reward_line": {kind: boolean},
			"product_uom_qty": {kind: float}, "qty_delivered": {kind: float}, "qty_invoiced": {kind: float},
			"price_unit": {kind: float}, "discount": {kind: float}, "price_subtotal": {kind: float}, "price_tax": {kind: float}, "price_total": {kind: float},
		},
	}
}

// oneInHasNote is how many past orders there are for each with a note among its lines.
const oneInHasNote = 6

// linesOf writes an order's lines: products, then the carrier, then what a coupon took off.
func (d *dialect) linesOf(s *snapshot, o *world.Order) []row {
	var rows []row
	add := func(r record) {
		line := record{
			"id": o.ID*linesPerOrder + len(rows), "sequence": 10 + len(rows), "order_id": orderRef(o), "order_partner_id": s.partnerOf(o),
			"currency_id": d.currencyRef(o.Currency), "state": "sale", "is_delivery": false, "is_reward_line": false,
			"product_uom_qty": decimal("0"), "qty_delivered": decimal("0"), "qty_invoiced": decimal("0"), "price_unit": decimal("0"),
			"discount": decimal("0"), "price_subtotal": decimal("0"), "price_tax": decimal("0"), "price_total": decimal("0"),
		}
		for name, v := range r {
			line[name] = v
		}
		line["display_name"] = orderName(o) + " - " + line["name"].(string)
		rows = append(rows, line)
	}
	for i, l := range o.Lines {
		tax := zero(o.Currency)
		if i == 0 {
			tax = o.Tax
		}
		add(priced("["+l.SKU+"] "+l.Name, ref{productOffset + l.ProductID, "[" + l.SKU + "] " + l.Name}, l.Qty, l.Unit, tax))
	}
	if o.Seeded && o.ID%oneInHasNote == 0 {
		add(record{"name": "Please ring twice.", "display_type": "line_note"})
	}
	if o.ShippingTitle != "" {
		line := priced(o.ShippingTitle, ref{deliveryProduct, "[Delivery] Delivery charges"}, 1, o.Shipping, zero(o.Currency))
		line["is_delivery"] = true
		add(line)
	}
	// What remains is the discount, whichever sign the checkout keeps it with.
	if off := minus(plus(plus(o.Subtotal, o.Shipping), o.Tax), o.Total); off.IsPositive() {
		line := priced("Discount "+o.Coupon, ref{discountProduct, "[DISC] Discount"}, 1, minus(zero(o.Currency), off), zero(o.Currency))
		line["is_reward_line"] = true
		add(line)
	}
	return rows
}

func priced(name string, product ref, qty int, unit, tax currency.Amount) record {
	subtotal, _ := unit.Mul(strconv.Itoa(qty))
	return record{
		"name": name, "product_id": product, "product_uom_qty": decimal(strconv.Itoa(qty)), "price_unit": money(unit),
		"price_subtotal": money(subtotal), "price_tax": money(tax), "price_total": money(plus(subtotal, tax)),
	}
}

// money is an amount as a float of the API.
func money(a currency.Amount) decimal { return decimal(a.Number()) }

func zero(code string) currency.Amount {
	a, _ := currency.NewAmount("0", code)
	return a
}

// plus and minus are for amounts of one order, which are all in its currency.
func plus(a, b currency.Amount) currency.Amount {
	sum, _ := a.Add(b)
	return sum
}

func minus(a, b currency.Amount) currency.Amount {
	rest, _ := a.Sub(b)
	return rest
}
