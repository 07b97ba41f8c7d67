package screen

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// As Intl.DateTimeFormat(locale, {dateStyle: "medium", timeZone: "UTC"}) writes them.
func TestDaysAreWrittenAsPeopleReadThem(t *testing.T) {
	t.Parallel()
	for locale, want := range map[string][2]string{
		"en": {"Jan 3, 2026", "Sep 30, 2026"}, "en-GB": {"Jan 3, 2026", "Sep 30, 2026"}, "fr": {"3 janv. 2026", "30 sept. 2026"}, "fr-CH": {"3 janv. 2026", "30 sept. 2026"},
		"he": {"3 בינו׳ 2026", "30 בספט׳ 2026"}, "th": {"3 ม.ค. 2569", "30 ก.ย. 2569"}, "ar": {"03\u200f/01\u200f/2026", "30\u200f/09\u200f/2026"},
		"zh-Hant": {"2026年1月3日", "2026年9月30日"}, "xx": {"2026-01-03", "2026-09-30"}, "": {"2026-01-03", "2026-09-30"},
	} {
		assert.Equal(t, want[0], Day(time.Date(2026, 1, 4, 1, 0, 0, 0, time.FixedZone("", 2*3600)), locale), locale)
		assert.Equal(t, want[1], Day(time.Date(2026, 9, 30, 23, 59, 59, 0, time.UTC), locale), locale)
	}
}

func TestNumbersAreToldInWords(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "12,345", count(12345, "en"))
	assert.Equal(t, "4,3", mean(4.25+0.01, "fr"))
	assert.Equal(t, "5", mean(5, "en"))
	assert.Empty(t, mean(0, "en"))
}
