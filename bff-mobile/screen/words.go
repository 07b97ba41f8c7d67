package screen

import (
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// days is how the people of a language write a day, as CLDR's medium dates of their usual
// calendar have it: {d}, {dd}, {mm}, {m} (by name) and {y} stand for its parts.
type days struct {
	form   string
	months string // names, with blanks between; numbers where there are none
	era    int    // years that are added to those of the common era
}

const monthNumbers = "1 2 3 4 5 6 7 8 9 10 11 12"

// dayForms are by language, or by language and script.
var dayForms = map[string]days{
	"en":      {"{m} {d}, {y}", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", 0},
	"fr":      {"{d} {m} {y}", "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.", 0},
	"he":      {"{d} ב{m} {y}", "ינו׳ פבר׳ מרץ אפר׳ מאי יוני יולי אוג׳ ספט׳ אוק׳ נוב׳ דצמ׳", 0},
	"th":      {"{d} {m} {y}", "ม.ค. ก.พ. มี.ค. เม.ย. พ.ค. มิ.ย. ก.ค. ส.ค. ก.ย. ต.ค. พ.ย. ธ.ค.", 543},
	"ar":      {"{dd}\u200f/{mm}\u200f/{y}", monthNumbers, 0},
	"zh-Hant": {"{y}年{m}月{d}日", monthNumbers, 0},
}

// Day writes the day of a time, in UTC, as people of locale read it; in ISO 8601 for a
// language that is not known here.
func Day(at time.Time, locale string) string {
	at = at.UTC()
	form, known := dayForms[locale]
	if !known {
		language, _, _ := strings.Cut(locale, "-")
		if form, known = dayForms[language]; !known {
			return at.Format(time.DateOnly)
		}
	}
	return form.of(at)
}

// of puts a day's parts into the form, each for its letter.
func (d days) of(at time.Time) string {
	var to [64]byte
	text := to[:0]
	for rest := d.form; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		text = append(text, before...)
		if !found {
			break
		}
		var part string
		part, rest, _ = strings.Cut(after, "}")
		switch part {
		case "d":
			text = strconv.AppendInt(text, int64(at.Day()), 10)
		case "dd":
			text = at.AppendFormat(text, "02")
		case "mm":
			text = at.AppendFormat(text, "01")
		case "m":
			text = append(text, d.month(at.Month())...)
		case "y":
			text = strconv.AppendInt(text, int64(at.Year()+d.era), 10)
		}
	}
	return string(text)
}

// month is a month's name.
func (d days) month(m time.Month) string {
	names := d.months
	for range m - time.January {
		_, names, _ = strings.Cut(names, " ")
	}
	name, _, _ := strings.Cut(names, " ")
	return name
}

// count writes a whole number as people of locale read it.
func count(n int, locale string) string { return commerce.FormatNumber(strconv.Itoa(n), locale) }

// mean writes an average to one decimal place as people of locale read it; nothing for none.
func mean(average float64, locale string) string {
	if average == 0 {
		return ""
	}
	return commerce.FormatNumber(strconv.FormatFloat(average, 'f', 1, 64), locale)
}
