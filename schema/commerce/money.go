package commerce

import (
	"strings"
	"sync"

	"github.com/bojanz/currency"
)

// Money is an exact decimal amount with its ISO 4217 currency. The zero value
// is no amount at all. Arithmetic refuses to mix currencies.
type Money = currency.Amount

// NewMoney reads a decimal text such as "19.90" in an ISO 4217 currency.
// It fails on anything that is not a plain decimal number or a known currency.
func NewMoney(amount, code string) (Money, error) {
	return currency.NewAmount(amount, code)
}

// FormatMoney writes m as people of locale (BCP 47) read it: "1.234,50 €".
// An unknown locale falls back along CLDR's parents to English.
func FormatMoney(m Money, locale string) string { return written.write(m, locale) }

func areDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func format(m Money, locale string) string {
	return currency.NewFormatter(currency.NewLocale(locale)).Format(m)
}

// moneyForm is what the looks of an amount that is not negative depend on, but for
// the digits themselves: where it is read, its currency, and its digits before and
// behind the point, without zeros at the end.
type moneyForm struct {
	locale, currency string
	whole, fraction  int
}

// place stands for a digit in the text of a form: the library is asked to write ones.
const place = '1'

// moneyForms are the texts of forms as the library writes them. Writing an amount anew
// costs it microseconds, a list of products has a hundred, and all of them are of few forms.
type moneyForms struct {
	mu    sync.RWMutex
	texts map[moneyForm]string // empty for a form that only the library can write
}

var written = moneyForms{texts: map[moneyForm]string{}}

// write fills the digits of m into its form, or leaves m to the library.
func (w *moneyForms) write(m Money, locale string) string {
	whole, fraction, _ := strings.Cut(m.Number(), ".")
	fraction = strings.TrimRight(fraction, "0")
	const most = 18 // digits; whoever has more is rare and not worth a form
	if len(whole)+len(fraction) > most || !areDigits(whole) || !areDigits(fraction) {
		return format(m, locale)
	}
	text := w.form(moneyForm{locale, m.CurrencyCode(), len(whole), len(fraction)})
	if text == "" {
		return format(m, locale)
	}
	const usual = 32 // bytes, on the stack
	filled := make([]byte, 0, usual)
	for i := range len(text) {
		c := text[i]
		if c == place {
			if whole == "" {
				whole = fraction
			}
			c, whole = whole[0], whole[1:]
		}
		filled = append(filled, c)
	}
	return string(filled)
}

// form is empty for what only the library can write.
func (w *moneyForms) form(f moneyForm) string {
	const most = 1 << 10 // the locales and currencies of a shop; no more, whoever asks
	w.mu.RLock()
	text, ok := w.texts[f]
	full := len(w.texts) >= most
	w.mu.RUnlock()
	if ok || full {
		return text
	}
	text = f.ones()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.texts) < most {
		f.locale, f.currency = strings.Clone(f.locale), strings.Clone(f.currency)
		w.texts[f] = text
	}
	return text
}

// ones is an amount of this form with nothing but ones for digits, as the library writes
// it; empty when it writes other digits.
func (f moneyForm) ones() string {
	number := strings.Repeat(string(place), f.whole)
	if f.fraction > 0 {
		number += "." + strings.Repeat(string(place), f.fraction)
	}
	m, err := NewMoney(number, f.currency)
	if err != nil {
		return ""
	}
	text := format(m, f.locale)
	if strings.Count(text, string(place)) != f.whole+f.fraction {
		return ""
	}
	return text
}

// IsCurrency tells whether code is a currency of ISO 4217.
func IsCurrency(code string) bool { return currency.IsValid(code) }
