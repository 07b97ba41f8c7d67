package rest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/encoding"
	"github.com/portico-bff/portico/bff-mobile/screen"
	"github.com/portico-bff/portico/schema/commerce"
)

// A tag is not for the bytes alone: where two answers of other markets, price groups, codings,
// devices or fields happen to be the same bytes, they have tags of their own.
func TestM10_SeedsDifferWhereverWhatIsAskedDoes(t *testing.T) {
	t.Parallel()
	us := commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}
	of := func(change ...func(*asked)) *asked {
		q := &asked{route: "/v1/screens/home", what: []string{"480", "960", ""}, form: form{encoding.Brotli}, viewer: screen.Viewer{Shopper: commerce.Shopper{Market: us}, Group: "retail"}}
		for _, each := range change {
			each(q)
		}
		return q
	}
	type kind struct {
		*asked

		in   encoding.Encoding
		body string
	}
	kinds := map[string]kind{
		"as it is":       {of(), encoding.Brotli, "{}"},
		"channel":        {of(func(q *asked) { q.viewer.Market.Channel = "eu" }), encoding.Brotli, "{}"},
		"locale":         {of(func(q *asked) { q.viewer.Market.Locale = "fr" }), encoding.Brotli, "{}"},
		"currency":       {of(func(q *asked) { q.viewer.Market.Currency = "EUR" }), encoding.Brotli, "{}"},
		"country":        {of(func(q *asked) { q.viewer.Market.Country = "FR" }), encoding.Brotli, "{}"},
		"moved":          {of(func(q *asked) { q.viewer.Market.Channel, q.viewer.Market.Locale = "use", "n" }), encoding.Brotli, "{}"},
		"price group":    {of(func(q *asked) { q.viewer.Group = "trade" }), encoding.Brotli, "{}"},
		"asked coding":   {of(func(q *asked) { q.form = form{encoding.Gzip} }), encoding.Brotli, "{}"},
		"coding":         {of(), encoding.Identity, "{}"},
		"route":          {of(func(q *asked) { q.route = "/v1/screens/search" }), encoding.Brotli, "{}"},
		"width":          {of(func(q *asked) { q.what = []string{"320", "960", ""} }), encoding.Brotli, "{}"},
		"fields":         {of(func(q *asked) { q.what = []string{"480", "960", "page"} }), encoding.Brotli, "{}"},
		"fewer words":    {of(func(q *asked) { q.what = []string{"480", "960"} }), encoding.Brotli, "{}"},
		"words together": {of(func(q *asked) { q.what = []string{"480960", ""} }), encoding.Brotli, "{}"},
		"bytes":          {of(), encoding.Brotli, "{ }"},
	}
	seeds := map[string]string{}
	for name, k := range kinds {
		seed := string(k.seed(k.in, []byte(k.body)))
		require.Equal(t, seed, string(k.seed(k.in, []byte(k.body))), name)
		require.NotContains(t, seeds, seed, "%s and %s have one seed", name, seeds[seed])
		seeds[seed] = name
	}
}

// Two principals have no tag in common, even of the same bytes.
func TestM10_OwnTagsDifferByPrincipal(t *testing.T) {
	t.Parallel()
	tags := map[string]commerce.Principal{}
	for _, p := range []commerce.Principal{{}, {Tenant: "a"}, {Subject: "a"}, {Tenant: "a", Subject: "b"}, {Tenant: "ab"}, {Subject: "ab"}, {Tenant: "b", Subject: "a"}} {
		tag := ownTag(p, "same")
		require.NotContains(t, tags, tag, "%v and %v", p, tags[tag])
		tags[tag] = p
		require.NotEqual(t, tag, ownTag(p, "other"))
		require.NotEqual(t, ownTag(p, "sa", "me"), tag)
	}
}
