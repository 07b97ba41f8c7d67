package rest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/bff-mobile/internal/encoding"
	"github.com/portico-bff/portico/bff-mobile/screen"
	"github.com/portico-bff/portico/schema/commerce"
)

// The same bytes have another tag for each customer of each tenant: a tag that is known tells
// nothing of what others have.
func TestM10_ATagIsOfOneCustomer(t *testing.T) {
	t.Parallel()
	tags := map[string]commerce.Principal{}
	for _, p := range []commerce.Principal{
		{Tenant: "default", Subject: "C1"},
		{Tenant: "default", Subject: "C2"},
		{Tenant: "other", Subject: "C1"},
		{Tenant: "defaultC", Subject: "1"},
		{Subject: "defaultC1"},
		{Tenant: "defaultC1"},
	} {
		tag := ownTag(p, "/v1/screens/account", "{}")
		assert.Equal(t, tag, ownTag(p, "/v1/screens/account", "{}"))
		assert.NotEqual(t, tag, ownTag(p, "/v1/screens/account{}"))
		assert.NotContains(t, tags, tag, "%v has that of %v", p, tags[tag])
		tags[tag] = p
	}
}

// A strong tag stands for one sequence of bytes: whatever made them differ makes another seed.
func TestM10_ASeedIsOfTheBytesThatAreSent(t *testing.T) {
	t.Parallel()
	q := asked{route: "/v1/screens/home", what: []string{"1", "2"}, viewer: screen.Viewer{Shopper: commerce.Shopper{Market: commerce.Market{Channel: "us"}}}}
	seeds := map[string]string{}
	note := func(what string, q asked, in encoding.Encoding, body string) {
		seed := string(q.seed(in, []byte(body)))
		assert.NotContains(t, seeds, seed, "%s is as %s", what, seeds[seed])
		seeds[seed] = what
	}
	note("a body", q, encoding.Identity, "a")
	note("another", q, encoding.Identity, "b")
	note("a coding", q, encoding.Gzip, "a")
	other := q
	other.what = []string{"12"}
	note("another question", other, encoding.Identity, "a")
	other = q
	other.viewer.Market.Locale = "de"
	note("another language", other, encoding.Identity, "a")
	other = q
	other.viewer.Group = "retail"
	note("another group", other, encoding.Identity, "a")
}
