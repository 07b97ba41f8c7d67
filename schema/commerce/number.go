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
	w := writerOf(locale)
	if w.plain && isSmall(number) {
		return number
	}
	return w.write(number)
}

// isSmall tells whether number is a whole one of so few digits that none are grouped, as most
// of what is counted on a screen is.
func isSmall(number string) bool {
	const most = 3
	return number != "" && len(number) <= most && areDigits(number) && (number[0] != '0' || len(number) == 1)
}

// besideNumbers is what separates a number from its currency, or sets its direction: where
// there is none, nothing.
const besideNumbers = " \u00a0\u200e\u200f\u061c"

// numberWriter writes the numbers of a locale. It is only read.
type numberWriter struct {
	formatter *currency.Formatter
	plain     bool // its digits are 0 to 9
}

func (w *numberWriter) write(number string) string {
	const some = "USD" // a number has no currency, and none is shown
	amount, err := currency.NewAmount(number, some)
	if err != nil {
		return number
	}
	return strings.Trim(w.formatter.Format(amount), besideNumbers)
}

var numberWriters sync.Map // of a locale's text: *numberWriter

func writerOf(locale string) *numberWriter {
	if known, ok := numberWriters.Load(locale); ok {
		return known.(*numberWriter) //nolint:forcetypeassert // nothing else is in there
	}
	w := &numberWriter{formatter: currency.NewFormatter(currency.NewLocale(locale))}
	w.formatter.CurrencyDisplay, w.formatter.MinDigits, w.formatter.MaxDigits = currency.DisplayNone, 0, 6
	const one = "1" // digits come from one set
	w.plain = w.write(one) == one
	numberWriters.Store(strings.Clone(locale), w)
	return w
}
