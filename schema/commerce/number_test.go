package commerce_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestNumbersAreWrittenAsPeopleReadThem(t *testing.T) {
	t.Parallel()
	for locale, want := range map[string][3]string{
		"en": {"1,234,567", "4.5", "0"}, "fr": {"1\u202f234\u202f567", "4,5", "0"}, "he": {"1,234,567", "4.5", "0"}, "th": {"1,234,567", "4.5", "0"},
		"ar": {"1,234,567", "4.5", "0"}, "ar-EG": {"١٬٢٣٤٬٥٦٧", "٤٫٥", "٠"}, "zh-Hant": {"1,234,567", "4.5", "0"}, "de": {"1.234.567", "4,5", "0"}, "xx": {"1,234,567", "4.5", "0"},
	} {
		for i, number := range []string{"1234567", "4.5", "0"} {
			assert.Equal(t, want[i], commerce.FormatNumber(number, locale), locale)
		}
	}
	assert.Equal(t, "many", commerce.FormatNumber("many", "en"))
}

// Small numbers do not ask the library. It writes them alike: those of a thousand and more
// end in the same digits.
func TestSmallNumbersAreWrittenAsTheLibraryDoes(t *testing.T) {
	t.Parallel()
	for _, locale := range []string{"en", "fr", "he", "th", "ar", "ar-EG", "fa", "zh-Hant", "xx", ""} {
		for n := range 1000 {
			padded := commerce.FormatNumber(strconv.Itoa(n)+".0", locale)
			assert.Equal(t, padded, commerce.FormatNumber(strconv.Itoa(n), locale), locale)
			long := commerce.FormatNumber(strconv.Itoa(5000+n), locale)
			assert.True(t, strings.HasSuffix(long, padded), "%s: %s, %s", locale, long, padded)
		}
		assert.Equal(t, commerce.FormatNumber("7", locale), commerce.FormatNumber("007", locale))
	}
	assert.Empty(t, commerce.FormatNumber("", "en"))
}

func BenchmarkFormatNumber(b *testing.B) {
	for _, number := range []string{"87", "1234"} {
		b.Run(number, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				commerce.FormatNumber(number, "fr")
			}
		})
	}
}
