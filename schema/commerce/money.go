package commerce

import "github.com/bojanz/currency"

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
func FormatMoney(m Money, locale string) string {
	return currency.NewFormatter(currency.NewLocale(locale)).Format(m)
}

// IsCurrency tells whether code is a currency of ISO 4217.
func IsCurrency(code string) bool { return currency.IsValid(code) }
