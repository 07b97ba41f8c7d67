package market_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/schema/commerce"
)

func defaults(t testing.TB, environ ...string) *market.Resolver {
	t.Helper()
	var cfg market.Config
	require.NoError(t, config.Decode(environ, "", &cfg))
	r, err := market.New(cfg)
	require.NoError(t, err)
	return r
}

func TestResolve(t *testing.T) {
	t.Parallel()
	r := defaults(t)
	cases := []struct {
		hints market.Hints
		want  commerce.Market
	}{
		{market.Hints{}, commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}},
		{market.Hints{Channel: "eu"}, commerce.Market{Channel: "eu", Locale: "fr", Currency: "EUR", Country: "FR"}},
		{market.Hints{Channel: "eu", Currency: "GBP", Country: "DE", AcceptLanguage: "th"}, commerce.Market{Channel: "eu", Locale: "th", Currency: "GBP", Country: "DE"}},
	}
	for _, tc := range cases {
		m, err := r.Resolve(tc.hints)
		require.NoError(t, err)
		assert.Equal(t, tc.want, m)
	}
}

func TestAcceptLanguageIsNegotiatedAndNeverFails(t *testing.T) {
	t.Parallel()
	r := defaults(t)
	cases := map[string]string{
		"":                                    "en",
		"fr":                                  "fr",
		"FR-ca":                               "fr",
		"en-GB,en;q=0.9,fr;q=0.8":             "en",
		"de;q=0.9, fr;q=0.5":                  "fr",
		"fr;q=0, en;q=0.1":                    "en",
		"zh-TW":                               "zh-Hant",
		"zh-Hant-HK":                          "zh-Hant",
		"iw":                                  "he",
		"sw":                                  "en",
		"*":                                   "en",
		";;;":                                 "en",
		"fr;q=nonsense":                       "en",
		"\x00\xff":                            "en",
		"<script>":                            "en",
		"fr," + strings.Repeat("x", 99):       "en",
		"fr," + strings.Repeat("de,", 5_000):  "fr",
		strings.Repeat("a-", 50_000):          "en",
		strings.Repeat("en-", 10_000) + ",fr": "en",
		"ar;q=0.1," + strings.Repeat("sw,", 1_000): "ar",
	}
	for header, want := range cases {
		m, err := r.Resolve(market.Hints{AcceptLanguage: header})
		require.NoError(t, err)
		assert.Equal(t, want, m.Locale, "%.40q", header)
	}
}

func TestUnknownValuesNameTheirHeader(t *testing.T) {
	t.Parallel()
	r := defaults(t)
	cases := map[string]market.Hints{
		"X-Channel":  {Channel: "canary"},
		"X-Currency": {Currency: "usd"},
		"X-Country":  {Country: "ZZ"},
	}
	for header, hints := range cases {
		_, err := r.Resolve(hints)
		require.ErrorIs(t, err, commerce.ErrInvalid)
		input, ok := errors.AsType[*commerce.InputError](err)
		require.True(t, ok)
		assert.Equal(t, header, input.Field)
		assert.Equal(t, commerce.CodeUnsupported, input.Code)
		assert.NotContains(t, err.Error(), "canary")
	}
}

func TestPriceGroup(t *testing.T) {
	t.Parallel()
	r := defaults(t, "DEFAULT_PRICE_GROUPS=eu=outlet")
	us, eu := commerce.Market{Channel: "us"}, commerce.Market{Channel: "eu"}
	assert.Equal(t, commerce.PriceGroup("retail"), r.PriceGroup(us, commerce.Principal{}))
	assert.Equal(t, commerce.PriceGroup("outlet"), r.PriceGroup(eu, commerce.Principal{}))
	assert.Equal(t, commerce.PriceGroup("wholesale"), r.PriceGroup(eu, commerce.Principal{PriceGroup: "wholesale"}))
	assert.Equal(t, commerce.PriceGroup("retail"), r.PriceGroup(commerce.Market{}, commerce.Principal{}))
}

func TestNewReportsEverythingWrong(t *testing.T) {
	t.Parallel()
	err := market.Config{
		Channels:    []string{"us=en/USD/US", "us=en/USD/US", "eu=de/EUR/FR", "uk", "A=en/USD/US", "x=en/USD"},
		Locales:     []string{"en", "not a locale"},
		Currencies:  []string{"USD", "EUR", "XYZ"},
		Countries:   []string{"US", "FR", "usa"},
		PriceGroups: []string{"us=VIP", "mars=retail"},
	}.Validate()
	for _, text := range []string{
		`CHANNELS entry "us=en/USD/US" is there twice`, `CHANNELS entry "eu=de/EUR/FR" uses de, which LOCALES does not list`,
		`CHANNELS entry "uk" must look like`, `CHANNELS entry "A=en/USD/US" must`, `CHANNELS entry "x=en/USD" must`,
		`LOCALES entry "not a locale"`, `CURRENCIES entry "XYZ"`, `COUNTRIES entry "usa"`,
		`DEFAULT_PRICE_GROUPS entry "us=VIP"`, `DEFAULT_PRICE_GROUPS entry "mars=retail"`,
	} {
		assert.ErrorContains(t, err, text)
	}
	require.ErrorContains(t, market.Config{}.Validate(), "CHANNELS must name at least one channel")
}

func FuzzAcceptLanguage(f *testing.F) {
	f.Add("fr;q=0.5,en")
	f.Add("zh-Hant-TW-x-y;q=1,*;q=0")
	r := defaults(f)
	known := map[string]bool{"en": true, "fr": true, "he": true, "th": true, "ar": true, "zh-Hant": true}
	f.Fuzz(func(t *testing.T, header string) {
		m, err := r.Resolve(market.Hints{AcceptLanguage: header})
		if err != nil || !known[m.Locale] {
			t.Fatalf("%q: %v %v", header, m, err)
		}
	})
}

func ExampleResolver_Resolve() {
	r, err := market.New(market.Config{
		Channels: []string{"us=en/USD/US", "eu=fr/EUR/FR"}, Locales: []string{"en", "fr"},
		Currencies: []string{"USD", "EUR"}, Countries: []string{"US", "FR"},
	})
	if err != nil {
		panic(err)
	}
	m, _ := r.Resolve(market.Hints{Channel: "eu", AcceptLanguage: "en-GB,en;q=0.8"})
	fmt.Println(m.Channel, m.Locale, m.Currency, m.Country)
	// Output: eu en EUR FR
}
