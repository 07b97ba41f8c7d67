package cache

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestWhatHasATagIsToldWithoutValues(t *testing.T) {
	t.Parallel()
	a := newAnswers(t, Config{})
	port := over(a.cache, &source{})
	_, err := port.Products(t.Context(), us, []commerce.SKU{"A", "B"})
	require.NoError(t, err)
	secret := entire("a secret body", "product:A")
	secret.Name = "Page"
	answer, _, err := a.Do(t.Context(), questionOf("a secret question"), making(secret))
	require.NoError(t, err)
	a.Alias(questionOf("its letters"), answer)
	do(t, a, questionOf("other"), making(entire("other", "product:B")))

	told := a.cache.Tagged("product:A", a)
	require.Len(t, told.Entries, 1)
	require.Len(t, told.Answers, 1, "an alias is not another answer")
	assert.Equal(t, commerce.OpProducts, told.Entries[0].Operation)
	assert.Equal(t, "web", told.Answers[0].Channel)
	assert.Equal(t, "Page", told.Answers[0].Name)
	assert.Equal(t, marketText(us), told.Answers[0].Market)
	assert.True(t, told.Answers[0].Alive)
	text, err := json.Marshal(told)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "secret")

	require.NoError(t, a.cache.Invalidate(t.Context(), "product:A"))
	told = a.cache.Tagged("product:A", a)
	for _, s := range append(told.Entries, told.Answers...) {
		assert.False(t, s.Alive)
		assert.Equal(t, "invalidated: product:A", s.Dead)
	}
	for i := range maxExplained + 5 {
		do(t, a, questionOf(fmt.Sprint(i)), making(entire("x", "product:C")))
	}
	told = a.cache.Tagged("product:C", a)
	assert.Len(t, told.Answers, maxExplained)
	assert.Equal(t, 5, told.More)
	assert.Empty(t, a.cache.Tagged("product:D", nil).Answers)
}
