package magento

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/bojanz/currency"

	"github.com/portico-bff/portico/schema/commerce"
)

var errWire = errors.New("answer lacks a value or has one that cannot be")

// amountPattern bounds what is read as an amount, exponents included: a huge one
// would cost memory as soon as it is written out.
var amountPattern = regexp.MustCompile(`^-?\d{1,15}(\.\d{1,20})?([eE][+-]?\d{1,2})?$`)

// places is how many decimals Magento keeps. What lies beyond is left over from
// its own floating point and is rounded away.
const places = 4

// money reads a JSON number without ever making it a float. An amount of up to
// four places stays exact and has at least as many places as its currency.
func money(n json.Number, code string) (commerce.Money, error) {
	if !amountPattern.MatchString(string(n)) {
		return commerce.Money{}, errWire
	}
	amount, err := commerce.NewMoney(string(n), code)
	if err != nil {
		return commerce.Money{}, errWire
	}
	amount = amount.RoundTo(places, currency.RoundHalfUp)
	if short := amount.Round(); short.Equal(amount) {
		amount = short
	}
	if amount.IsZero() { // without a sign
		return commerce.NewMoney(strings.TrimPrefix(amount.Number(), "-"), code)
	}
	return amount, nil
}

// optional is money where an absent number means nothing.
func optional(n json.Number, code string) (commerce.Money, error) {
	if n == "" {
		n = "0"
	}
	return money(n, code)
}

// fits refuses an id of another form than it has.
func (t text) fits(form *regexp.Regexp) error {
	if !form.MatchString(string(t)) {
		return errWire
	}
	return nil
}

// pieces reads a whole, non-negative quantity: 2, "2", 2.0000.
func pieces(n json.Number) (int, error) {
	whole, fraction, _ := strings.Cut(string(n), ".")
	if strings.Trim(fraction, "0") != "" {
		return 0, errWire
	}
	quantity, err := strconv.ParseUint(whole, 10, 31)
	if err != nil {
		return 0, errWire
	}
	return int(quantity), nil
}
