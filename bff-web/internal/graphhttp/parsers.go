package graphhttp

import (
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf8"

	"github.com/portico-bff/portico/schema/commerce"
)

// parsers checks arguments and input fields by what their names mean, for every
// field that has them. It is the only such table.
var parsers = map[string]func(field string, v any) error{
	"sku":                  texts(commerce.ParseSKU),
	"skus":                 texts(commerce.ParseSKU),
	"category.id":          texts(commerce.ParseCategoryID),
	"category":             texts(commerce.ParseCategoryID),
	"page.id":              texts(commerce.ParsePageID),
	"pages.ids":            texts(commerce.ParsePageID),
	"locations.ids":        texts(parseCode),
	"variant.value":        texts(parseChoice),
	"cart.id":              texts(commerce.ParseCartID),
	"cartId":               texts(commerce.ParseCartID),
	"cartCouponApply.code": texts(commerce.ParseCoupon),
	"lineId":               texts(commerce.ParseLineID),
	"orderStatus.id":       texts(commerce.ParseOrderNumber),
	"number":               texts(commerce.ParseOrderNumber),
	"email":                texts(commerce.ParseEmail),
	"idempotencyKey":       texts(commerce.ParseIdempotencyKey),
	"quantity":             numbers(commerce.ParseQuantity),
	"first":                numbers(commerce.ParseFirst),
	"width":                numbers(parseWidth),
	"text":                 texts(parseText),
	"priceMin":             texts(parseDecimal),
	"priceMax":             texts(parseDecimal),
	"code":                 texts(parseCode),
	"values":               texts(parseChoice),
	"methodCode":           texts(parseCode),
	"paymentMethod":        texts(parseCode),
	"after":                texts(parseToken),
	"orderToken":           texts(parseToken),
}

func texts[T any](parse func(field, s string) (T, error)) func(string, any) error {
	return func(field string, v any) error {
		s, ok := v.(string)
		if !ok {
			s = fmt.Sprint(v) // an id that was sent as a number
		}
		_, err := parse(field, s)
		return err
	}
}

func numbers(parse func(field string, n int) (int, error)) func(string, any) error {
	return func(field string, v any) error {
		n, _ := whole(v)
		_, err := parse(field, n)
		return err
	}
}

var (
	decimalPattern = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,4})?$`)
	codePattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	tokenPattern   = regexp.MustCompile(`^[\x21-\x7e]{1,1000}$`)
)

func parseWidth(field string, n int) (int, error) {
	if n < 0 || n > 10_000 {
		return 0, &commerce.InputError{Field: field, Code: commerce.CodeOutOfRange, Message: "must be between 0 and 10000"}
	}
	return n, nil
}

func parseText(field, s string) (string, error) {
	if utf8.RuneCountInString(s) > commerce.MaxText {
		return "", &commerce.InputError{Field: field, Code: commerce.CodeTooLong, Message: "must be at most " + strconv.Itoa(commerce.MaxText) + " characters long"}
	}
	return s, nil
}

func parseChoice(field, s string) (string, error) {
	if s == "" || utf8.RuneCountInString(s) > commerce.MaxText {
		return "", &commerce.InputError{Field: field, Code: commerce.CodeInvalid, Message: "must be values of a facet"}
	}
	return s, nil
}

func parseDecimal(field, s string) (string, error) {
	return matched(field, s, decimalPattern, "a decimal number, 0 or more, such as 19.90")
}

func parseCode(field, s string) (string, error) {
	return matched(field, s, codePattern, "a code of letters, digits, dots, hyphens or underscores")
}

// parseToken checks what we made ourselves and clients hand back.
func parseToken(field, s string) (string, error) {
	return matched(field, s, tokenPattern, "a value of an earlier answer")
}

func matched(field, s string, pattern *regexp.Regexp, what string) (string, error) {
	if !pattern.MatchString(s) {
		return "", &commerce.InputError{Field: field, Code: commerce.CodeInvalid, Message: "must be " + what}
	}
	return s, nil
}
