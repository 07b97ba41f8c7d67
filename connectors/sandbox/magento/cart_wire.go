package magento

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/bojanz/currency"
)

// empty is how PHP serializes an object without properties.
type empty [0]struct{}

// number is an amount as Magento writes it: a JSON number without trailing zeros.
func number(a currency.Amount) json.Number {
	n := a.Number()
	if strings.Contains(n, ".") {
		n = strings.TrimRight(strings.TrimRight(n, "0"), ".")
	}
	if n == "-0" || n == "" {
		n = "0"
	}
	return json.Number(n)
}

func negative(a currency.Amount) json.Number {
	return number(minus(zeroOf(a.CurrencyCode()), a))
}

// stamp is a time as Magento writes it: UTC without a zone.
func stamp(t time.Time) string { return t.UTC().Format(time.DateTime) }

type cartWire struct {
	ID              int          `json:"id"`
	CreatedAt       string       `json:"created_at"`
	UpdatedAt       string       `json:"updated_at"`
	IsActive        bool         `json:"is_active"`
	IsVirtual       bool         `json:"is_virtual"`
	Items           []itemWire   `json:"items"`
	ItemsCount      int          `json:"items_count"`
	ItemsQty        int          `json:"items_qty"`
	Customer        any          `json:"customer"`
	BillingAddress  any          `json:"billing_address"`
	OrigOrderID     int          `json:"orig_order_id"`
	Currency        currencyWire `json:"currency"`
	CustomerIsGuest bool         `json:"customer_is_guest"`
	NoteNotify      bool         `json:"customer_note_notify"`
	TaxClassID      int          `json:"customer_tax_class_id"`
	StoreID         int          `json:"store_id"`
	Extension       any          `json:"extension_attributes"`
}

type itemWire struct {
	ItemID      int         `json:"item_id"`
	SKU         string      `json:"sku"`
	Qty         int         `json:"qty"`
	Name        string      `json:"name"`
	Price       json.Number `json:"price"`
	ProductType string      `json:"product_type"`
	QuoteID     string      `json:"quote_id"`
}

type currencyWire struct {
	Global       string `json:"global_currency_code"`
	Base         string `json:"base_currency_code"`
	Store        string `json:"store_currency_code"`
	Quote        string `json:"quote_currency_code"`
	StoreToBase  int    `json:"store_to_base_rate"`
	StoreToQuote int    `json:"store_to_quote_rate"`
	BaseToGlobal int    `json:"base_to_global_rate"`
	BaseToQuote  int    `json:"base_to_quote_rate"`
}

type shippingAssignment struct {
	Shipping shippingWire `json:"shipping"`
	Items    []itemWire   `json:"items"`
}

type shippingWire struct {
	Address any     `json:"address"`
	Method  *string `json:"method"`
}

func (s *shop) wireItem(q *quote, it *item) itemWire {
	unit, _ := s.world.UnitPrice(it.Product.ID, q.group(), q.Store.Currency, it.Qty)
	return itemWire{
		ItemID: it.ID, SKU: it.Product.SKU, Qty: it.Qty, Name: it.Product.Name,
		Price: number(unit), ProductType: "simple", QuoteID: q.key(),
	}
}

func (s *shop) wireItems(q *quote) []itemWire {
	items := make([]itemWire, len(q.Items))
	for i, it := range q.Items {
		items[i] = s.wireItem(q, it)
	}
	return items
}

func (s *shop) wireCart(q *quote) cartWire {
	code := q.Store.Currency
	items := s.wireItems(q)
	cart := cartWire{
		ID: q.ID, CreatedAt: stamp(q.Created), UpdatedAt: stamp(q.Updated), IsActive: q.Active,
		Items: items, ItemsCount: len(items), Customer: empty{}, BillingAddress: empty{},
		Currency:        currencyWire{Global: code, Base: code, Store: code, Quote: code, BaseToGlobal: 1, BaseToQuote: 1},
		CustomerIsGuest: q.Customer == nil, NoteNotify: true, TaxClassID: 3, StoreID: q.Store.ID, Extension: empty{},
	}
	for _, it := range q.Items {
		cart.ItemsQty += it.Qty
	}
	if q.Customer != nil {
		cart.Customer = wireCustomer(q.Customer)
	}
	if q.Billing != nil {
		cart.BillingAddress = q.Billing.wire(q.email())
	}
	assignment := shippingAssignment{Shipping: shippingWire{Address: empty{}}, Items: items}
	if q.Shipping != nil {
		assignment.Shipping.Address = q.Shipping.wire(q.email())
	}
	if q.Method != nil {
		name := q.Method.carrier + "_" + q.Method.code
		assignment.Shipping.Method = &name
	}
	if len(q.Items) > 0 {
		cart.Extension = struct {
			Assignments []shippingAssignment `json:"shipping_assignments"`
		}{[]shippingAssignment{assignment}}
	}
	return cart
}

type totalsWire struct {
	GrandTotal       json.Number      `json:"grand_total"`
	BaseGrandTotal   json.Number      `json:"base_grand_total"`
	Subtotal         json.Number      `json:"subtotal"`
	BaseSubtotal     json.Number      `json:"base_subtotal"`
	Discount         json.Number      `json:"discount_amount"`
	BaseDiscount     json.Number      `json:"base_discount_amount"`
	WithDiscount     json.Number      `json:"subtotal_with_discount"`
	BaseWithDiscount json.Number      `json:"base_subtotal_with_discount"`
	Shipping         json.Number      `json:"shipping_amount"`
	BaseShipping     json.Number      `json:"base_shipping_amount"`
	ShippingDiscount json.Number      `json:"shipping_discount_amount"`
	Tax              json.Number      `json:"tax_amount"`
	BaseTax          json.Number      `json:"base_tax_amount"`
	Weee             *json.Number     `json:"weee_tax_applied_amount"`
	ShippingTax      json.Number      `json:"shipping_tax_amount"`
	ShippingInclTax  json.Number      `json:"shipping_incl_tax"`
	BaseCurrency     string           `json:"base_currency_code"`
	QuoteCurrency    string           `json:"quote_currency_code"`
	Coupon           string           `json:"coupon_code,omitempty"`
	ItemsQty         int              `json:"items_qty"`
	Items            []totalsItemWire `json:"items"`
	Segments         []segmentWire    `json:"total_segments"`
}

type totalsItemWire struct {
	ItemID       int         `json:"item_id"`
	Price        json.Number `json:"price"`
	BasePrice    json.Number `json:"base_price"`
	Qty          int         `json:"qty"`
	RowTotal     json.Number `json:"row_total"`
	BaseRowTotal json.Number `json:"base_row_total"`
	TaxPercent   json.Number `json:"tax_percent"`
	Options      string      `json:"options"` // a JSON document
	Name         string      `json:"name"`
}

type segmentWire struct {
	Code      string      `json:"code"`
	Title     string      `json:"title"`
	Value     json.Number `json:"value"`
	Area      string      `json:"area,omitempty"`
	Extension any         `json:"extension_attributes,omitempty"`
}

func (s *shop) wireTotals(q *quote) totalsWire {
	a := s.collect(q)
	with := minus(a.subtotal, a.discount)
	t := totalsWire{
		GrandTotal: number(a.total), BaseGrandTotal: number(a.total), Subtotal: number(a.subtotal), BaseSubtotal: number(a.subtotal),
		Discount: negative(a.discount), BaseDiscount: negative(a.discount), WithDiscount: number(with), BaseWithDiscount: number(with),
		Shipping: number(a.shipping), BaseShipping: number(a.shipping), ShippingDiscount: "0", Tax: number(a.tax), BaseTax: number(a.tax),
		ShippingTax: "0", ShippingInclTax: number(a.shipping), BaseCurrency: q.Store.Currency, QuoteCurrency: q.Store.Currency,
		Coupon: a.coupon, Items: make([]totalsItemWire, len(q.Items)),
	}
	for i, it := range q.Items {
		t.ItemsQty += it.Qty
		t.Items[i] = totalsItemWire{
			ItemID: it.ID, Price: number(a.units[i]), BasePrice: number(a.units[i]), Qty: it.Qty, RowTotal: number(a.rows[i]),
			BaseRowTotal: number(a.rows[i]), TaxPercent: json.Number(a.taxRate), Options: optionsOf(it), Name: it.Product.Name,
		}
	}
	t.Segments = []segmentWire{{Code: "subtotal", Title: "Subtotal", Value: number(a.subtotal)}}
	if a.coupon != "" {
		t.Segments = append(t.Segments, segmentWire{Code: "discount", Title: "Discount (" + a.coupon + ")", Value: negative(a.discount)})
	}
	if q.Method != nil {
		title := "Shipping & Handling (" + q.Method.title() + ")"
		t.Segments = append(t.Segments, segmentWire{Code: "shipping", Title: title, Value: number(a.shipping)})
	}
	details := struct {
		Details []struct{} `json:"tax_grandtotal_details"`
	}{[]struct{}{}}
	t.Segments = append(t.Segments,
		segmentWire{Code: "tax", Title: "Tax", Value: number(a.tax), Extension: details},
		segmentWire{Code: "grand_total", Title: "Grand Total", Value: number(a.total), Area: "footer"})
	return t
}

// optionsOf is a list of label and value as a JSON document inside a string.
func optionsOf(it *item) string {
	type option struct {
		Value string `json:"value"`
		Label string `json:"label"`
	}
	options := []option{}
	if it.Product.Color != "" {
		options = append(options, option{it.Product.Color, "Color"})
	}
	if it.Product.Size != "" {
		options = append(options, option{it.Product.Size, "Size"})
	}
	text, err := json.Marshal(options)
	if err != nil {
		return "[]"
	}
	return string(text)
}
