package commerce_test

import (
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
