package magento

import (
	"slices"
	"strconv"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// shipping is how the cart will be sent; zero when that is not settled.
func (q *wireCart) shipping() wireShipping {
	if list := q.Extension.Value.Assignments; len(list) > 0 {
		return list[0].Shipping.Value
	}
	return wireShipping{}
}

// check refuses what cannot be a cart.
func (q *wireCart) check() error {
	code := q.Currency.Value.Quote
	if q.Active == nil || !numberPattern.MatchString(string(q.ID)) || !commerce.IsCurrency(code) {
		return errWire
	}
	_, err := toLines(q, &wireTotals{}, code)
	return err
}

// check refuses what cannot be a cart's totals.
func (t *wireTotals) check() error {
	if !commerce.IsCurrency(t.Currency) {
		return errWire
	}
	_, err := t.totals()
	return err
}

func (t *wireTotals) totals() (commerce.Totals, error) {
	return toTotals(amounts{t.Subtotal, t.Discount, t.Shipping, t.Tax, t.Total}, t.Currency)
}

func checkPayments(methods []wirePayment) error {
	if methods == nil || slices.ContainsFunc(methods, func(p wirePayment) bool { return p.Code == "" }) {
		return errWire
	}
	return nil
}

// email is where the order's confirmation will go; empty until it was set.
func (q *wireCart) email() string {
	if email := q.Billing.Value.Email; email != "" {
		return email
	}
	return q.shipping().Address.Value.Email
}

func toCart(id commerce.CartID, quote *wireCart, totals *wireTotals, payments []wirePayment) (*commerce.Cart, error) {
	code := quote.Currency.Value.Quote
	if !commerce.IsCurrency(code) || totals.Currency != code {
		return nil, errWire
	}
	cart := &commerce.Cart{ID: id, Currency: code, Coupon: totals.Coupon}
	var err error
	if cart.Lines, err = toLines(quote, totals, code); err != nil {
		return nil, err
	}
	if cart.Totals, err = totals.totals(); err != nil {
		return nil, err
	}
	if shipping := quote.shipping(); shipping.Method != "" {
		cart.Shipping = &commerce.SelectedShipping{
			Code: shipping.Method, Title: totals.shippingTitle(), Address: *toAddress(shipping.Address.Value),
		}
	}
	for _, p := range payments {
		cart.Payments = append(cart.Payments, commerce.PaymentMethod{Code: p.Code, Title: p.Title})
	}
	return cart, nil
}

// toLines joins the quote's lines with the totals' by id. The two were read at
// once but not together: a row total of another quantity is computed instead.
func toLines(quote *wireCart, totals *wireTotals, code string) ([]commerce.CartLine, error) {
	rows := make(map[text]wireTotalsItem, len(totals.Items))
	for _, row := range totals.Items {
		rows[row.ItemID] = row
	}
	var lines []commerce.CartLine
	for _, item := range quote.Items {
		quantity, err := pieces(item.Qty)
		if err != nil || item.ItemID == "" || item.SKU == "" {
			return nil, errWire
		}
		line := commerce.CartLine{ID: commerce.LineID(item.ItemID), SKU: commerce.SKU(item.SKU), Name: item.Name, Quantity: quantity}
		if line.Unit, err = money(item.Price, code); err != nil {
			return nil, err
		}
		row, joined := rows[item.ItemID]
		if counted, err := pieces(row.Qty); joined && err == nil && counted == quantity {
			line.Total, err = money(row.RowTotal, code)
			if err != nil {
				return nil, err
			}
		} else if line.Total, err = line.Unit.Mul(strconv.Itoa(quantity)); err != nil {
			return nil, errWire
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// shippingTitle is what "Shipping & Handling (Flat Rate - Fixed)" says in brackets.
func (t *wireTotals) shippingTitle() string {
	for _, segment := range t.Segments {
		if segment.Code != "shipping" {
			continue
		}
		_, title, ok := strings.Cut(segment.Title, "(")
		if !ok {
			return segment.Title
		}
		return strings.TrimSuffix(title, ")")
	}
	return ""
}

// toAddress reads an address; the region's code goes before its name.
func toAddress(w wireAddress) *commerce.Address {
	region := w.RegionCode
	if region == "" {
		region = w.Region
	}
	return &commerce.Address{
		FirstName: w.FirstName, LastName: w.LastName, Company: w.Company, Street: w.Street, City: w.City,
		Region: region, Postcode: w.Postcode, Country: w.Country, Phone: w.Phone,
	}
}
