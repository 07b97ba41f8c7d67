package odoo

import (
	"time"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

func (d *dialect) pickings() *model {
	return &model{
		name: "stock.picking", order: "scheduled_date, id desc",
		rows: func() []row { return d.snapshot().rowsOf(d.pickingsOf) },
		lookup: map[string]lookup{
			"id":      byNumber(func(id int) []row { return d.snapshot().rowsOfOne((id-pickingOffset)/4, d.pickingsOf) }),
			"sale_id": byNumber(func(id int) []row { return d.snapshot().rowsOfOne(id-orderOffset, d.pickingsOf) }),
		},
		fields: map[string]field{
			"name": {}, "origin": {}, "state": {}, "picking_type_code": {}, "carrier_tracking_ref": {}, "carrier_tracking_url": {},
			"carrier_id": {kind: many2one, to: "delivery.carrier"},
			"sale_id":    {kind: many2one, to: "sale.order"}, "partner_id": {kind: many2one, to: "res.partner"},
			"scheduled_date": {kind: datetime}, "date_done": {kind: datetime},
		},
	}
}

// pickingsOf writes an order's transfers: done with a tracking number for past
// orders, of which every seventh still waits for a part, and for those that got so far; ready for new ones.
func (d *dialect) pickingsOf(s *snapshot, o *world.Order) []row {
	var rows []row
	add := func(state, kind string) {
		n := len(rows)
		r := record{
			"id": pickingOffset + o.ID*4 + n, "name": serial("WH/OUT/", o.ID*4+n, 6), "origin": orderName(o), "state": state,
			"picking_type_code": kind, "sale_id": orderRef(o), "partner_id": s.partnerOf(o), "scheduled_date": o.PlacedAt.Add(24 * time.Hour),
		}
		r["display_name"] = r["name"]
		if kind == "outgoing" {
			d.carry(r, o)
		}
		if state == "done" {
			r["date_done"] = o.PlacedAt.Add(30 * time.Hour)
			if kind == "outgoing" {
				number := serial("1Z", o.ID*4+n, 10)
				r["carrier_tracking_ref"], r["carrier_tracking_url"] = number, "https://track.example.test/parcels/"+number
			}
		}
		rows = append(rows, r)
	}
	switch {
	case s.cancelled[o.ID]:
		add("cancel", "outgoing")
	case o.Progress == world.Shipped:
		add("done", "outgoing")
		add("assigned", "outgoing")
	case o.Progress == world.Delivered:
		add("done", "outgoing")
	case !o.Seeded:
		add("assigned", "outgoing")
	case o.ID%7 == 3:
		add("done", "outgoing")
		add("assigned", "outgoing")
	default:
		add("done", "outgoing")
	}
	if refunded(s, o) {
		add("done", "incoming")
	}
	return rows
}

// carry names the carrier that an order is sent with.
func (d *dialect) carry(r record, o *world.Order) {
	for _, m := range d.world.ShipMethods() {
		if m.Code == o.ShippingCode {
			r["carrier_id"] = ref{m.ID, m.Title}
		}
	}
}

func refunded(s *snapshot, o *world.Order) bool {
	return o.Seeded && o.ID%11 == 0 && !s.cancelled[o.ID]
}

func (d *dialect) invoices() *model {
	return &model{
		name: "account.move", order: "invoice_date desc, name desc, id desc",
		rows: func() []row { return d.snapshot().rowsOf(d.invoicesOf) },
		lookup: map[string]lookup{
			"id":         byNumber(func(id int) []row { return d.snapshot().rowsOfOne((id-invoiceOffset)/4, d.invoicesOf) }),
			"partner_id": byNumber(func(id int) []row { return d.snapshot().rowsOfPartner(id, d.invoicesOf) }),
		},
		fields: map[string]field{
			"name": {}, "move_type": {}, "state": {}, "payment_state": {}, "invoice_origin": {}, "ref": {},
			"partner_id": {kind: many2one, to: "res.partner"}, "currency_id": {kind: many2one, to: "res.currency"},
			"invoice_date": {kind: date}, "invoice_date_due": {kind: date},
			"amount_untaxed": {kind: float}, "amount_tax": {kind: float}, "amount_total": {kind: float}, "amount_residual": {kind: float},
		},
	}
}

// invoicesOf writes what past orders were billed: an invoice each, paid in two of
// three, for some a draft that nobody posted and a refund of a piece.
func (d *dialect) invoicesOf(s *snapshot, o *world.Order) []row {
	if !o.Seeded || s.cancelled[o.ID] {
		return nil
	}
	var rows []row
	add := func(r record) {
		move := record{
			"id": invoiceOffset + o.ID*4 + len(rows), "move_type": "out_invoice", "state": "posted", "payment_state": "paid",
			"invoice_origin": orderName(o), "ref": o.Number, "partner_id": s.partnerOf(o), "currency_id": d.currencyRef(o.Currency),
			"invoice_date": o.PlacedAt.Add(24 * time.Hour), "invoice_date_due": o.PlacedAt.Add(31 * 24 * time.Hour),
			"amount_untaxed": money(minus(o.Total, o.Tax)), "amount_tax": money(o.Tax), "amount_total": money(o.Total), "amount_residual": decimal("0"),
		}
		for name, v := range r {
			move[name] = v
		}
		move["display_name"] = move["name"]
		rows = append(rows, move)
	}
	year := o.PlacedAt.Format("2006/")
	invoice := record{"name": serial("INV/"+year, o.ID, 5)}
	if o.ID%3 == 0 {
		invoice["payment_state"], invoice["amount_residual"] = "not_paid", money(o.Total)
	}
	add(invoice)
	if o.ID%5 == 0 {
		add(record{"name": "/", "state": "draft", "payment_state": "not_paid", "amount_residual": money(o.Total)})
	}
	if refunded(s, o) {
		unit := o.Lines[0].Unit
		add(record{
			"name": serial("RINV/"+year, o.ID, 5), "move_type": "out_refund", "invoice_date": o.PlacedAt.Add(10 * 24 * time.Hour),
			"amount_untaxed": money(unit), "amount_tax": decimal("0"), "amount_total": money(unit),
		})
	}
	return rows
}
