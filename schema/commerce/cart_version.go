package commerce

import (
	"encoding/binary"
	"encoding/hex"
	"hash"
	"hash/fnv"
)

// Version names the state that the cart is in, as 32 hexadecimal digits: equal states have equal
// versions on every node and in every language, different ones different versions. It covers what
// a shopper buys, pays and chose (lines, coupon, totals, shipping, the payment methods on offer),
// not what it is called: names and titles are texts of a locale. It is not a secret and no proof.
func (c *Cart) Version() string {
	v := version{fnv.New128a()}
	v.add("1", string(c.ID), c.Currency, c.Coupon)
	v.count(len(c.Lines))
	for _, l := range c.Lines {
		v.add(string(l.ID), string(l.SKU))
		v.count(l.Quantity)
		v.money(l.Unit, l.Total)
	}
	v.money(c.Totals.Subtotal, c.Totals.Discount, c.Totals.Shipping, c.Totals.Tax, c.Totals.Total)
	if c.Shipping == nil {
		v.count(0)
	} else {
		to := c.Shipping.Address
		v.count(1)
		v.add(c.Shipping.Code, to.FirstName, to.LastName, to.Company, to.City, to.Region, to.Postcode, to.Country, to.Phone)
		v.count(len(to.Street))
		v.add(to.Street...)
	}
	v.count(len(c.Payments))
	for _, p := range c.Payments {
		v.add(p.Code)
	}
	return hex.EncodeToString(v.Sum(nil))
}

// version sums up parts so that no two lists of them are written alike.
type version struct{ hash.Hash }

func (v version) count(n int) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n)) //nolint:gosec // any bits will do
	_, _ = v.Write(b[:])                        // a hash never fails
}

func (v version) add(parts ...string) {
	for _, part := range parts {
		v.count(len(part))
		_, _ = v.Write([]byte(part))
	}
}

func (v version) money(amounts ...Money) {
	for _, a := range amounts {
		v.add(a.CurrencyCode(), a.Number())
	}
}
