package market_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/schema/commerce"
)

// What is listed can be chosen, and nobody who has the list changes what can be.
func TestListIsWhatCanBeChosen(t *testing.T) {
	t.Parallel()
	r := defaults(t)
	list := r.List()
	require.Len(t, list.Channels, 3)
	assert.Equal(t, commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}, list.Channels[0])
	for _, c := range list.Channels {
		m, err := r.Resolve(market.Hints{Channel: c.Channel})
		require.NoError(t, err)
		assert.Equal(t, c, m)
	}
	assert.Equal(t, []string{"en", "fr", "he", "th", "ar", "zh-Hant"}, list.Locales)
	for _, currency := range list.Currencies {
		_, err := r.Resolve(market.Hints{Currency: currency})
		assert.NoError(t, err)
	}
	for _, country := range list.Countries {
		_, err := r.Resolve(market.Hints{Country: country})
		assert.NoError(t, err)
	}
	list.Currencies[0], list.Countries[0], list.Locales[0] = "XXX", "XX", "xx"
	assert.NotEqual(t, list, r.List())
}
