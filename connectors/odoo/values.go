package odoo

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"regexp"
	"strings"
	"time"

	"github.com/bojanz/currency"

	"github.com/portico-bff/portico/schema/commerce"
)

// recordID is Odoo's id of a record, within its model.
type recordID int64

func (id recordID) check() error {
	if id < 1 {
		return errWire
	}
	return nil
}

var errWire = errors.New("answer lacks a value or has one that cannot be")

// text is a field that is false when it is empty.
type text string

// UnmarshalJSON reads a string, false or null.
func (t *text) UnmarshalJSON(data []byte) error {
	if isEmpty(data) {
		*t = ""
		return nil
	}
	if plain, rest, ok := plainText(data); ok && len(rest) == 0 {
		*t = text(plain)
		return nil
	}
	return json.Unmarshal(data, (*string)(t))
}

// relation is a many-to-one field: [id, name], or false when it is empty.
type relation struct {
	ID   recordID
	Name string
}

// UnmarshalJSON reads [id, name], false or null.
func (r *relation) UnmarshalJSON(data []byte) error {
	*r = relation{}
	if isEmpty(data) {
		return nil
	}
	if r.plain(data) {
		return nil
	}
	var pair []json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return errWire
	}
	if err := json.Unmarshal(pair[0], &r.ID); err != nil {
		return err
	}
	return json.Unmarshal(pair[1], &r.Name)
}

// check refuses a relation that must be there and is not.
func (r relation) check() error { return r.ID.check() }

// link is a many-to-one field of which only the record counts, not what it is called.
type link struct{ ID recordID }

// UnmarshalJSON reads what [relation] does.
func (l *link) UnmarshalJSON(data []byte) error {
	var r relation
	err := r.UnmarshalJSON(data)
	l.ID = r.ID
	return err
}

// check refuses a link that must be there and is not.
func (l link) check() error { return l.ID.check() }

func isEmpty(data []byte) bool {
	return bytes.Equal(data, []byte("false")) || bytes.Equal(data, []byte("null"))
}

// numberPattern bounds what is read as a number: a huge exponent would cost
// memory as soon as it is written out.
var numberPattern = regexp.MustCompile(`^-?\d{1,15}(\.\d{1,20})?(e-\d{1,2})?$`)

// decimals is how many places are kept of a float. Odoo keeps fewer; what lies
// beyond is left over from its floating point, and would tip a half.
const decimals = 8

// number is a float field, kept as the decimal text it came as. Empty when the field was not there.
type number string

// UnmarshalJSON reads a number and nothing else.
func (n *number) UnmarshalJSON(data []byte) error {
	if !isNumber(data) {
		return errWire
	}
	*n = number(data)
	return nil
}

// check refuses a number that must be there and is not.
func (n number) check() error {
	if n == "" {
		return errWire
	}
	return nil
}

// quantity is a float field of stock: whole pieces, which nearly all are, or the decimal text that it came as.
type quantity struct {
	there bool
	whole int64
	other number // empty when whole says it
}

// UnmarshalJSON reads a number and nothing else.
func (q *quantity) UnmarshalJSON(data []byte) error {
	var ok bool
	if *q, ok = quantityOf(data); !ok {
		return errWire
	}
	return nil
}

func quantityOf(data []byte) (quantity, bool) {
	if n, ok := wholeNumber(data); ok {
		return quantity{there: true, whole: n}, isNumber(data)
	}
	return quantity{there: true, other: number(data)}, isNumber(data)
}

// check refuses a quantity that must be there and is not.
func (q quantity) check() error {
	if !q.there {
		return errWire
	}
	return nil
}

// exact is the quantity as a fraction.
func (q quantity) exact() (*big.Rat, bool) {
	if q.other == "" {
		return new(big.Rat).SetInt64(q.whole), q.there
	}
	return new(big.Rat).SetString(string(q.other))
}

// money is n of a currency, to at most [decimals] places.
func (n number) money(code string) (commerce.Money, error) {
	if amount, ok := n.minor(code); ok {
		return amount, nil
	}
	return n.exact(code)
}

// exact is money of any number.
func (n number) exact(code string) (commerce.Money, error) {
	if n == "" {
		return commerce.Money{}, errWire
	}
	amount, err := commerce.NewMoney(string(n), code)
	if err != nil {
		return commerce.Money{}, errWire
	}
	if digits, ok := currency.GetDigits(code); ok {
		if short := amount.RoundTo(digits, currency.RoundHalfUp); short.Equal(amount) {
			return unsigned(short), nil
		}
	}
	return unsigned(amount.RoundTo(decimals, currency.RoundHalfUp)), nil
}

// minor is money of a number that is not below zero and has no more places than its currency, as
// nearly all are.
func (n number) minor(code string) (commerce.Money, bool) {
	digits, ok := currency.GetDigits(code)
	units, known := n.scaled(int(digits))
	if !ok || !known {
		return commerce.Money{}, false
	}
	amount, err := currency.NewAmountFromInt64(units, code)
	return amount, err == nil
}

// rounded is n rounded half up to its currency's digits.
func (n number) rounded(code string) (commerce.Money, error) {
	if amount, ok := n.minor(code); ok {
		return amount, nil
	}
	amount, err := n.exact(code)
	return amount.Round(), err
}

// price is n rounded to its currency's digits, without a sign when it is zero.
func (n number) price(code string) (commerce.Money, error) {
	amount, err := n.rounded(code)
	if err != nil {
		return commerce.Money{}, err
	}
	return unsigned(amount), nil
}

// unsigned turns −0 into 0.
func unsigned(amount commerce.Money) commerce.Money {
	if !amount.IsZero() {
		return amount
	}
	zero, err := commerce.NewMoney(strings.TrimPrefix(amount.Number(), "-"), amount.CurrencyCode())
	if err != nil {
		return amount
	}
	return zero
}

const (
	dateLayout     = "2006-01-02"
	datetimeLayout = "2006-01-02 15:04:05"
)

// moment is a date-time in UTC or a date; zero when the field is empty.
type moment struct{ time.Time }

// UnmarshalJSON reads "YYYY-MM-DD HH:MM:SS", "YYYY-MM-DD", false or null.
func (m *moment) UnmarshalJSON(data []byte) error {
	var s text
	if err := s.UnmarshalJSON(data); err != nil {
		return err
	}
	m.Time = time.Time{}
	if s == "" {
		return nil
	}
	layout := datetimeLayout
	if len(s) == len(dateLayout) {
		layout = dateLayout
	}
	var err error
	if m.Time, err = time.Parse(layout, string(s)); err != nil {
		return errWire
	}
	return nil
}
