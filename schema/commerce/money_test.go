package commerce_test

import (
	"testing"

	"github.com/bojanz/currency"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func byTheLibrary(m commerce.Money, locale string) string {
	return currency.NewFormatter(currency.NewLocale(locale)).Format(m)
}

func TestMoneyIsWrittenAsTheLibraryWritesIt(t *testing.T) {
	t.Parallel()
	numbers := []string{
		"0", "0.00", "-0.00", "0.5", "5", "19.90", "19.05", "100", "999.999", "1234.5", "-1234.5", "12345.67", "123456.7", "1234567.89",
		"111111111111", "1234567890123.45", "0.000001", "0.0000001", "0.9999999", "1E+3", "1E-9", "1e20", "100.000", "1000000",
	}
	for _, locale := range []string{"en", "de", "de-AT", "de-CH", "es", "pl", "fr", "hi", "en-IN", "ar-EG", "fa", "bn", "pt-PT", "ja", "zz", ""} {
		for _, code := range []string{"EUR", "USD", "CHF", "JPY", "KWD", "PLN", "INR"} {
			for _, number := range numbers {
				m, err := commerce.NewMoney(number, code)
				require.NoError(t, err)
				for range 2 { // the second time it is known how it looks
					require.Equal(t, byTheLibrary(m, locale), commerce.FormatMoney(m, locale), "%s %s in %q", number, code, locale)
				}
			}
		}
	}
	assert.Equal(t, byTheLibrary(commerce.Money{}, "de"), commerce.FormatMoney(commerce.Money{}, "de"))
}

func FuzzFormatMoney(f *testing.F) {
	f.Add("1234.50", "EUR", "de")
	f.Add("-0.1", "INR", "hi")
	f.Add("1E+3", "EGP", "ar-EG")
	f.Fuzz(func(t *testing.T, number, code, locale string) {
		m, err := commerce.NewMoney(number, code)
		if err != nil || len(number) > 100 {
			return
		}
		if exponent := m.Number(); len(exponent) > 200 { // what a number of megabytes looks like is nobody's question
			return
		}
		assert.Equal(t, byTheLibrary(m, locale), commerce.FormatMoney(m, locale))
		assert.Equal(t, byTheLibrary(m, locale), commerce.FormatMoney(m, locale))
	})
}

func BenchmarkFormatMoney(b *testing.B) {
	m, err := commerce.NewMoney("1234.50", "EUR")
	require.NoError(b, err)
	b.Run("library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			byTheLibrary(m, "de")
		}
	})
	b.Run("form", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			commerce.FormatMoney(m, "de")
		}
	})
}
