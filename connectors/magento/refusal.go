package magento

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// wireFault is Magento's error body.
type wireFault struct {
	Message    string          `json:"message"`
	Parameters json.RawMessage `json:"parameters"`
	Errors     []wireFault     `json:"errors"`
}

// text is the fault's messages, filled in and in lower case. It may hold what a
// shopper typed or a guest's secret: it is compared and then forgotten.
func (f wireFault) text() string {
	var b strings.Builder
	b.WriteString(fill(f.Message, f.Parameters))
	for _, inner := range f.Errors {
		b.WriteString("\n" + fill(inner.Message, inner.Parameters))
	}
	return strings.ReplaceAll(strings.ToLower(b.String()), "’", "'")
}

// fill puts parameters into a message: %1, %2 from a list, %name from a map.
// Magento leaves that to its clients.
func fill(message string, parameters json.RawMessage) string {
	var list []any
	var named map[string]any
	var pairs []string
	switch {
	case json.Unmarshal(parameters, &list) == nil:
		for i := len(list) - 1; i >= 0; i-- { // %10 before %1
			pairs = append(pairs, fmt.Sprintf("%%%d", i+1), fmt.Sprint(list[i]))
		}
	case json.Unmarshal(parameters, &named) == nil:
		names := slices.SortedFunc(maps.Keys(named), func(a, b string) int { return len(b) - len(a) }) // %fieldValue before %field
		for _, name := range names {
			pairs = append(pairs, "%"+name, fmt.Sprint(named[name]))
		}
	}
	return strings.NewReplacer(pairs...).Replace(message)
}

// rule says what a refusal means to the shopper.
type rule struct {
	says    string // part of the message, in lower case
	field   string
	code    commerce.Code
	message string
}

// rules is the one table of Magento's refusals; the first that fits counts.
// Wordings differ between releases, so there are several for some.
var rules = []rule{
	{"cart doesn't contain products", "cartId", commerce.CodeCartEmpty, "holds no products"},
	{"empty cart", "cartId", commerce.CodeCartEmpty, "holds no products"},
	{"cart doesn't contain the", "lineId", commerce.CodeUnknownLine, "is not a line of this cart"},
	{"product that was requested doesn't exist", "sku", commerce.CodeUnknownProduct, "is not a product of this shop"},
	{"requested product doesn't exist", "sku", commerce.CodeUnknownProduct, "is not a product of this shop"},
	{"coupon code isn't valid", "code", commerce.CodeCouponInvalid, "is unknown or does not fit this cart"},
	{"coupon code is not valid", "code", commerce.CodeCouponInvalid, "is unknown or does not fit this cart"},
	{"fewest you may purchase", "quantity", commerce.CodeOutOfRange, "is less than can be bought"},
	{"most you may purchase", "quantity", commerce.CodeOutOfRange, "is more than can be bought"},
	{"only in quantities of", "quantity", commerce.CodeOutOfRange, "is not a multiple that can be bought"},
	{"in quantity increments of", "quantity", commerce.CodeOutOfRange, "is not a multiple that can be bought"},
	{"requested qty", "quantity", commerce.CodeOutOfStock, "is more than there is in stock"},
	{"requested quantity", "quantity", commerce.CodeOutOfStock, "is more than there is in stock"},
	{"not enough items for sale", "quantity", commerce.CodeOutOfStock, "is more than there is in stock"},
	{"product that you are trying to add is not available", "quantity", commerce.CodeOutOfStock, "is more than there is in stock"},
	{"out of stock", "quantity", commerce.CodeOutOfStock, "is more than there is in stock"},
	{"no source items with the in stock status", "quantity", commerce.CodeOutOfStock, "is more than there is in stock"},
	{"carrier with such method not found", "methodCode", commerce.CodeShippingMethod, "is not offered for this address"},
	{"shipping method is missing", "cartId", commerce.CodeShippingMissing, "has no shipping method"},
	{"shipping address is missing", "cartId", commerce.CodeShippingMissing, "has no shipping address"},
	{"payment method is not available", "paymentMethod", commerce.CodePaymentMethod, "is not offered for this cart"},
	{"valid payment method", "paymentMethod", commerce.CodePaymentMethod, "is not offered for this cart"},
	{"email has a wrong format", "email", commerce.CodeInvalid, "must be an e-mail address"},
	{`"email" is required`, "email", commerce.CodeRequired, "must not be empty"},
	{"check the billing address", "billingAddress", commerce.CodeInvalid, "is not accepted"},
	{"check the shipping address", "shippingAddress", commerce.CodeInvalid, "is not accepted"},
	{"unable to save address", "shippingAddress", commerce.CodeInvalid, "is not accepted"},
}

// addressParts are Magento's names of an address's parts, and ours.
var addressParts = []struct{ wire, field string }{
	{"firstname", "firstName"},
	{"lastname", "lastName"},
	{"street", "street"},
	{"city", "city"},
	{"postcode", "postcode"},
	{"countryid", "country"},
	{"regionid", "region"},
	{"telephone", "phone"},
}

// absences are what Magento says of something that a path names and that is not
// there; of an inactive cart, too.
var absences = []string{
	"no such entity with cartid", "no such entity with quoteid", "no such entity with quote_id",
	"no such entity with customerid", "no such entity with entity_id",
	"entity that was requested doesn't exist", "country isn't available",
}

// refused turns an answer of 4xx into an error: an InputError where a rule says
// which input is to blame, else a CallError.
func refused(t commerce.Traits, res *transport.Response) error {
	if res.Status != http.StatusBadRequest && res.Status != http.StatusNotFound {
		return transport.Refused(t, res)
	}
	var fault wireFault
	if err := transport.DecodeJSON(System, t, res, &fault); err != nil {
		return transport.Refused(t, res)
	}
	said := fault.text()
	if absent(res.Status, said) {
		return failed(t.Operation, commerce.ErrNotFound, "no such entity")
	}
	if input := inputError(said); input != nil {
		return input
	}
	if res.Status == http.StatusBadRequest {
		return &commerce.InputError{Code: commerce.CodeInvalid, Message: "the checkout does not accept this"}
	}
	return transport.Refused(t, res)
}

// absent tells whether a 404 is about the cart, order or customer of the path.
func absent(status int, said string) bool {
	if status != http.StatusNotFound {
		return false
	}
	return slices.ContainsFunc(absences, func(text string) bool { return strings.Contains(said, text) })
}

func inputError(said string) *commerce.InputError {
	for _, r := range rules {
		if !strings.Contains(said, r.says) {
			continue
		}
		input := &commerce.InputError{Field: r.field, Code: r.code, Message: r.message}
		if strings.HasSuffix(r.field, "Address") {
			refine(input, said)
		}
		return input
	}
	return nil
}

// refine names the part of an address that Magento misses.
func refine(input *commerce.InputError, said string) {
	for _, f := range addressParts {
		if strings.Contains(said, `"`+f.wire+`" is required`) {
			input.Field += "." + f.field
			input.Code, input.Message = commerce.CodeRequired, "must not be empty"
			return
		}
	}
	if strings.Contains(said, "countryid") {
		input.Field += ".country"
		input.Code, input.Message = commerce.CodeUnsupported, "is not delivered to"
	}
}
