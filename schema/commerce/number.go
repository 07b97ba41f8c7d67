package commerce

import (
	"strings"
	"sync"

	"github.com/bojanz/currency"
)

// FormatNumber writes a plain decimal text such as "1234.5" as people of locale (BCP 47) read
// it, with its digits and separators: "1.234,5". An unknown locale falls back as
// [FormatMoney]'s does; what is no decimal number stays as it is.
func FormatNumber(number, locale string) string {
	const some = "USD" // a number has no currency, and none is shown
	amount, err := currency.NewAmount(number, some)
	if err != nil {
		return number
	}
	return strings.Trim(numberFormatter(locale).Format(amount), besideNumbers)
}

// besideNumbers is what separates a number from its currency, or sets its direction: where
// there is none, nothing.
const besideNumbers = " \u00a0\u200e\u200f\u061c"

var numberFormatters sync.Map // of a locale's text: *currency.Formatter, which is only read

func numberFormatter(locale string) *currency.Formatter {
	if known, ok := numberFormatters.Load(locale); ok {
		return known.(*currency.Formatter) //nolint:forcetypeassert // nothing else is in there
	}
	f := currency.NewFormatter(currency.NewLocale(locale))
	f.CurrencyDisplay, f.MinDigits, f.MaxDigits = currency.DisplayNone, 0, 6
	numberFormatters.Store(strings.Clone(locale), f)
	return f
}
