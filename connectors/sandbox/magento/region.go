package magento

import (
	"slices"
	"strconv"
	"strings"
)

// region is a state or province with the id that Magento's installation gives it.
type region struct {
	ID         int
	Code, Name string
}

// regionTable lists, by country, "code name" ids counting up from the first.
var regionTable = map[string]struct {
	first int
	list  string
}{
	"US": {1, "AL Alabama|AK Alaska|AS American Samoa|AZ Arizona|AR Arkansas|AE Armed Forces Africa|AA Armed Forces Americas|AE Armed Forces Canada|" +
		"AE Armed Forces Europe|AE Armed Forces Middle East|AP Armed Forces Pacific|CA California|CO Colorado|CT Connecticut|DE Delaware|" +
		"DC District of Columbia|FM Federated States Of Micronesia|FL Florida|GA Georgia|GU Guam|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|" +
		"IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MH Marshall Islands|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|" +
		"MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|" +
		"NC North Carolina|ND North Dakota|MP Northern Mariana Islands|OH Ohio|OK Oklahoma|OR Oregon|PW Palau|PA Pennsylvania|PR Puerto Rico|" +
		"RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VI Virgin Islands|VA Virginia|" +
		"WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming"},
	"CA": {66, "AB Alberta|BC British Columbia|MB Manitoba|NL Newfoundland and Labrador|NB New Brunswick|NS Nova Scotia|NT Northwest Territories|" +
		"NU Nunavut|ON Ontario|PE Prince Edward Island|QC Quebec|SK Saskatchewan|YT Yukon Territory"},
}

// countryTable is where the shop sells to.
var countryTable = []struct{ code, three, name string }{
	{"AU", "AUS", "Australia"},
	{"AT", "AUT", "Austria"},
	{"BE", "BEL", "Belgium"},
	{"CA", "CAN", "Canada"},
	{"FR", "FRA", "France"},
	{"DE", "DEU", "Germany"},
	{"IE", "IRL", "Ireland"},
	{"IL", "ISR", "Israel"},
	{"IT", "ITA", "Italy"},
	{"NL", "NLD", "Netherlands"},
	{"ES", "ESP", "Spain"},
	{"CH", "CHE", "Switzerland"},
	{"TH", "THA", "Thailand"},
	{"GB", "GBR", "United Kingdom"},
	{"US", "USA", "United States"},
}

func regionsOf(country string) []region {
	entry, ok := regionTable[country]
	if !ok {
		return nil
	}
	var list []region
	for i, text := range strings.Split(entry.list, "|") {
		code, name, _ := strings.Cut(text, " ")
		list = append(list, region{entry.first + i, code, name})
	}
	return list
}

type countryWire struct {
	ID               string       `json:"id"`
	TwoLetter        string       `json:"two_letter_abbreviation"`
	ThreeLetter      string       `json:"three_letter_abbreviation"`
	NameLocale       string       `json:"full_name_locale"`
	NameEnglish      string       `json:"full_name_english"`
	AvailableRegions []regionWire `json:"available_regions,omitempty"`
}

type regionWire struct {
	ID   string `json:"id"`
	Code string `json:"code"`
	Name string `json:"name"`
}

func wireCountry(i int) countryWire {
	c := countryTable[i]
	out := countryWire{ID: c.code, TwoLetter: c.code, ThreeLetter: c.three, NameLocale: c.name, NameEnglish: c.name}
	for _, r := range regionsOf(c.code) {
		out.AvailableRegions = append(out.AvailableRegions, regionWire{strconv.Itoa(r.ID), r.Code, r.Name})
	}
	return out
}

func (s *shop) countries(*call) (any, error) {
	list := make([]countryWire, len(countryTable))
	for i := range countryTable {
		list[i] = wireCountry(i)
	}
	return list, nil
}

func (s *shop) country(c *call) (any, error) {
	if i := countryIndex(c.args["countryId"]); i >= 0 {
		return wireCountry(i), nil
	}
	return nil, notFound("The country isn't available.")
}

func countryIndex(code string) int {
	for i, c := range countryTable {
		if c.code == code {
			return i
		}
	}
	return -1
}

// findRegion answers the region with the id, or with the code when the id is 0.
func findRegion(country string, id int, code string) (region, bool) {
	list := regionsOf(country)
	i := slices.IndexFunc(list, func(r region) bool {
		if id != 0 {
			return r.ID == id
		}
		return code != "" && r.Code == code
	})
	if i < 0 {
		return region{}, false
	}
	return list[i], true
}
