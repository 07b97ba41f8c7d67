package elasticsearch

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/portico-bff/portico/connectors/transport"
)

// priceFacet is the code of the facet made of price ranges.
const (
	priceFacet = "price"
	priceLabel = "Price"
)

// off is a list setting that turns something off: an empty variable means its default.
var off = []string{"none"}

// model is the index's document model, read from the settings and checked.
type model struct {
	cfg        Config
	languages  map[string]string // by locale
	fallback   string
	currencies map[string]bool
	facets     []facet
	steps      []step
	names      map[[2]string]*names // by language and currency
}

// facet is a property to aggregate. labels is the field that holds id|label; empty without one.
type facet struct {
	code, label, field, labels string
}

// step is a price range: from is included, to is not and empty when open.
type step struct {
	value, from, to string
}

var (
	fieldPattern   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.@-]*$`)
	codePattern    = regexp.MustCompile(`^[a-z][A-Za-z0-9_-]{0,31}$`)
	weightPattern  = regexp.MustCompile(`^(.+?)(\^[0-9]{1,3}(\.[0-9]{1,2})?)?$`)
	decimalPattern = regexp.MustCompile(`^(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$`)
	currencyCode   = regexp.MustCompile(`^[A-Z]{3}$`)
)

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field    *string
		fallback string
	}{
		{&c.Index, "products"},
		{&c.SKUTextField, "sku.search"},
		{&c.SKUField, "sku"},
		{&c.NameField, "name.sort"},
		{&c.PriceField, "price.{currency}"},
		{&c.NewestField, "sell_start"},
		{&c.CategoryField, "category_ids"},
		{&c.StockField, "in_stock"},
	} {
		*d.field = cmp.Or(*d.field, d.fallback)
	}
	if len(c.Languages) == 0 {
		c.Languages = []string{"en"}
	}
	if len(c.Currencies) == 0 {
		c.Currencies = []string{"USD"}
	}
	if len(c.TextFields) == 0 {
		c.TextFields = []string{"name^3", "description.{language}"}
	}
	return c
}

func newModel(cfg Config) (model, error) {
	m := model{cfg: cfg, languages: map[string]string{}, currencies: map[string]bool{}}
	errs := []error{m.checkFields(), m.readFacets(), m.readSteps()}
	for _, entry := range cfg.Languages {
		locale, language, mapped := strings.Cut(entry, "=")
		if !mapped {
			language = locale
		}
		if locale == "" || !fieldPattern.MatchString(language) {
			errs = append(errs, transport.BadSetting("LANGUAGES", fmt.Sprintf("%q is neither language nor locale=language", entry)))
		}
		m.languages[locale] = language
		m.fallback = cmp.Or(m.fallback, language)
	}
	for _, code := range cfg.Currencies {
		if !currencyCode.MatchString(code) {
			errs = append(errs, transport.BadSetting("CURRENCIES", fmt.Sprintf("%q is not an ISO 4217 code", code)))
		}
		m.currencies[code] = true
	}
	m.names = map[[2]string]*names{}
	for currency := range m.currencies {
		for _, language := range m.languages {
			m.names[[2]string{language, currency}] = m.namesIn(language, currency)
		}
	}
	return m, errors.Join(errs...)
}

func (m *model) checkFields() error {
	var errs []error
	plain := strings.NewReplacer("{language}", "x", "{currency}", "x")
	type setting struct{ variable, name string }
	settings := []setting{
		{"SKU_TEXT_FIELD", m.cfg.SKUTextField},
		{"SKU_FIELD", m.cfg.SKUField},
		{"NAME_FIELD", m.cfg.NameField},
		{"PRICE_FIELD", m.cfg.PriceField},
		{"NEWEST_FIELD", m.cfg.NewestField},
		{"CATEGORY_FIELD", m.cfg.CategoryField},
		{"STOCK_FIELD", m.cfg.StockField},
	}
	for _, field := range m.cfg.TextFields {
		settings = append(settings, setting{"TEXT_FIELDS", weightPattern.ReplaceAllString(field, "$1")})
	}
	for _, s := range settings {
		if !fieldPattern.MatchString(plain.Replace(s.name)) {
			errs = append(errs, transport.BadSetting(s.variable, fmt.Sprintf("%q is not a field's name", s.name)))
		}
	}
	return errors.Join(errs...)
}

func (m *model) readFacets() error {
	if slices.Equal(m.cfg.Facets, off) {
		return nil
	}
	var errs []error
	for _, entry := range m.cfg.Facets {
		code, fields, _ := strings.Cut(entry, "=")
		field, labels, labeled := strings.Cut(fields, "/")
		known := slices.ContainsFunc(m.facets, func(f facet) bool { return f.code == code })
		if !codePattern.MatchString(code) || !fieldPattern.MatchString(field) || labeled && !fieldPattern.MatchString(labels) || code == priceFacet || known {
			errs = append(errs, transport.BadSetting("FACETS", fmt.Sprintf("%q is not code=field or code=field/labels with a code of its own", entry)))
			continue
		}
		m.facets = append(m.facets, facet{code: code, label: title(code), field: field, labels: labels})
	}
	return errors.Join(errs...)
}

// title writes a code as people read it: "color" as "Color".
func title(code string) string {
	first, size := utf8.DecodeRuneInString(code)
	return string(unicode.ToUpper(first)) + strings.NewReplacer("_", " ", "-", " ").Replace(code[size:])
}

func (m *model) readSteps() error {
	steps := m.cfg.PriceSteps
	if slices.Equal(steps, off) {
		return nil
	}
	for i, from := range steps {
		if !decimalPattern.MatchString(from) || i > 0 && compareDecimals(steps[i-1], from) >= 0 {
			return transport.BadSetting("PRICE_STEPS", "must be rising decimal numbers")
		}
		s := step{from: from}
		if i+1 < len(steps) {
			s.to = steps[i+1]
		}
		s.value = s.from + "-" + s.to
		m.steps = append(m.steps, s)
	}
	return nil
}

// compareDecimals compares two texts that decimalPattern matches, exactly.
func compareDecimals(a, b string) int {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	if !okX || !okY {
		return cmp.Compare(a, b)
	}
	return x.Cmp(y)
}

// language is the index's name for a locale, found along its parents: "fr-CA" is in "fr".
func (m *model) language(locale string) string {
	for tag := locale; tag != ""; {
		if language, ok := m.languages[tag]; ok {
			return language
		}
		cut := strings.LastIndexByte(tag, '-')
		if cut < 0 {
			break
		}
		tag = tag[:cut]
	}
	return m.fallback
}
