package commerce

import (
	"strings"
	"unicode/utf8"
)

// Identifiers are opaque strings of a named type. The Parse functions check
// what a client sent: each returns an [InputError] that names the field and
// never repeats the value, so that bad input costs no upstream call.
type (
	// SKU names a product that can be bought. 1 to 64 of [A-Za-z0-9._-], not starting with a dot or hyphen.
	SKU string
	// CategoryID names a category of the PIM. 1 to 64 of [A-Za-z0-9_-].
	CategoryID string
	// PageID names a page of content. 1 to 64 of [A-Za-z0-9_-].
	PageID string
	// CartID names a cart. "g_…" wraps a guest's secret: whoever holds it may use the cart, and it is
	// never logged. "c_…" names a customer's cart and is worth nothing to anyone else.
	CartID string
	// LineID names a line within its cart. 1 to 64 of [A-Za-z0-9_-].
	LineID string
	// OrderNumber is the number the checkout gave an order; the ERP holds it as client reference.
	OrderNumber string
	// PriceGroup is a group of customers that shares prices: "retail", "wholesale". 1 to 32 of [a-z0-9_-].
	PriceGroup string
)

// Limits on what one request may ask for.
const (
	MaxQuantity = 10_000 // pieces of one product in a line, or for a price
	MaxBatch    = 100    // keys in a batch, rows in a page
	MaxText     = 200    // characters of a search text
)

func malformed(field, what string) error {
	return &InputError{Field: field, Code: CodeInvalid, Message: "must be " + what}
}

// parse answers a copy of s, which may lie in a buffer that is used again, if it is formed as
// fits tells.
func parse[T ~string](field, s string, fits func(string) bool, what string) (T, error) {
	if !fits(s) {
		return "", malformed(field, what)
	}
	return T(strings.Clone(s)), nil
}

// ParseSKU checks a product's SKU.
func ParseSKU(field, s string) (SKU, error) {
	return parse[SKU](field, s, IsSKU, "a SKU of 1 to 64 letters, digits, dots, hyphens or underscores")
}

// ParseSKUs checks a list of 1 to [MaxBatch] SKUs; duplicates stay.
func ParseSKUs(field string, list []string) ([]SKU, error) {
	if len(list) > MaxBatch {
		return nil, &InputError{Field: field, Code: CodeOutOfRange, Message: "must hold at most 100 SKUs"}
	}
	skus := make([]SKU, len(list))
	for i, s := range list {
		sku, err := ParseSKU(field, s)
		if err != nil {
			return nil, err
		}
		skus[i] = sku
	}
	return skus, nil
}

// ParseCategoryID checks a category's id.
func ParseCategoryID(field, s string) (CategoryID, error) {
	return parse[CategoryID](field, s, IsCategoryID, "a category id")
}

// ParsePageID checks a content page's id.
func ParsePageID(field, s string) (PageID, error) {
	return parse[PageID](field, s, isID, "a page id")
}

// ParseCartID checks a cart's id.
func ParseCartID(field, s string) (CartID, error) {
	return parse[CartID](field, s, isCartID, "a cart id, beginning with g_ or c_")
}

// Guest tells whether id is a guest's cart.
func (id CartID) Guest() bool { return strings.HasPrefix(string(id), "g_") }

// String is safe to log: a guest's secret is left out. The id itself is string(id).
func (id CartID) String() string {
	if id.Guest() {
		return "g_…"
	}
	return string(id)
}

// ParseLineID checks a cart line's id.
func ParseLineID(field, s string) (LineID, error) {
	return parse[LineID](field, s, isID, "a line id")
}

// ParseOrderNumber checks an order's number.
func ParseOrderNumber(field, s string) (OrderNumber, error) {
	return parse[OrderNumber](field, s, isOrderNumber, "an order number")
}

// ParseCoupon checks a coupon code.
func ParseCoupon(field, s string) (string, error) {
	return parse[string](field, s, isCoupon, "a coupon code of 1 to 64 letters, digits, dots, hyphens or underscores")
}

// ParseEmail checks the form of an e-mail address, not that it exists.
func ParseEmail(field, s string) (string, error) {
	if utf8.RuneCountInString(s) > 254 {
		return "", malformed(field, "an e-mail address")
	}
	return parse[string](field, s, isEmail, "an e-mail address")
}

// ParseIdempotencyKey checks the key a client chose: 1 to 255 visible ASCII characters.
func ParseIdempotencyKey(field, s string) (string, error) {
	return parse[string](field, s, isKey, "a key of 1 to 255 visible ASCII characters")
}

// ParseQuantity checks a number of pieces: 1 to [MaxQuantity].
func ParseQuantity(field string, n int) (int, error) {
	if n < 1 || n > MaxQuantity {
		return 0, &InputError{Field: field, Code: CodeOutOfRange, Message: "must be between 1 and 10000"}
	}
	return n, nil
}

// ParseFirst checks a page's size: 1 to [MaxBatch].
func ParseFirst(field string, n int) (int, error) {
	if n < 1 || n > MaxBatch {
		return 0, &InputError{Field: field, Code: CodeOutOfRange, Message: "must be between 1 and 100"}
	}
	return n, nil
}
