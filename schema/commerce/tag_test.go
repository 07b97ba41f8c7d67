package commerce_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestTagsNameTheirSubject(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]commerce.Tag{
		"product:BK-M68":      commerce.TagProduct("BK-M68"),
		"sku:A":               commerce.TagSKU("A"),
		"price:A":             commerce.TagPrice("A"),
		"stock:A":             commerce.TagStock("A"),
		"reviews:A":           commerce.TagReviews("A"),
		"related:A":           commerce.TagRelated("A"),
		"page:home":           commerce.TagPage("home"),
		"category:bikes":      commerce.TagCategory("bikes"),
		"op:catalog.products": commerce.TagOperation(commerce.OpProducts),
		"system:odoo":         commerce.TagSystem("odoo"),
	} {
		assert.Equal(t, want, string(got))
		parsed, err := commerce.ParseTag(want)
		require.NoError(t, err)
		assert.Equal(t, got, parsed)
	}
}

// Whatever an upstream calls its things, the tag is one: short, visible, alike
// for the same subject and different for another.
func TestOddSubjectsAreHashed(t *testing.T) {
	t.Parallel()
	seen := map[commerce.Tag]string{}
	for _, subject := range []string{"a b", "a\nb", "é", "\x00", strings.Repeat("x", 200), strings.Repeat("x", 201), "a b "} {
		tag := commerce.TagCategory(commerce.CategoryID(subject))
		_, err := commerce.ParseTag(string(tag))
		require.NoError(t, err, subject)
		assert.Equal(t, tag, commerce.TagCategory(commerce.CategoryID(subject)))
		assert.True(t, strings.HasPrefix(string(tag), "category:"))
		assert.NotContains(t, seen, tag, subject)
		seen[tag] = subject
	}
}

// What is computed from what connectors keep is dropped with it, and before it.
func TestPricesDroppedByHandTakeReferenceDataAlong(t *testing.T) {
	t.Parallel()
	for _, with := range []commerce.Tag{"price:A", "sku:A", "op:pricing.prices"} {
		assert.Equal(t, []commerce.Tag{commerce.TagReference, "stock:B", with}, commerce.WithReference([]commerce.Tag{"stock:B", with}))
	}
	for _, without := range []commerce.Tag{"stock:A", "product:A", "search", "all", "system:odoo", "prices:A"} {
		assert.Equal(t, []commerce.Tag{without}, commerce.WithReference([]commerce.Tag{without}))
	}
}

func TestParseTagRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", " ", "a b", "a\n", "é", "a\x7f", strings.Repeat("x", commerce.MaxTag+1)} {
		_, err := commerce.ParseTag(bad)
		input, ok := errors.AsType[*commerce.InputError](err)
		require.True(t, ok, "%q", bad)
		assert.Equal(t, "tags", input.Field)
	}
	_, err := commerce.ParseTag(strings.Repeat("x", commerce.MaxTag))
	require.NoError(t, err)
}

func TestATagIsAppendedAsItIsMade(t *testing.T) {
	t.Parallel()
	for _, subject := range []string{"", "A", "a b", "ü", strings.Repeat("x", 200)} {
		for _, kind := range []string{"sku", "product"} {
			assert.Equal(t, "before"+string(commerce.TagOf(kind, subject)), string(commerce.AppendTag([]byte("before"), kind, subject)))
		}
	}
}
