package cache

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Redis gave an invalidation its version, and before this process has read it back the
// table becomes too full: what Redis holds from before the version stays dead.
func TestC12_ATableThatForgetsKeepsWhatItWasJustTold(t *testing.T) {
	t.Parallel()
	table := newTagTable()
	table.limit = 2
	table.restart(placeOf(0))
	table.apply(placeOf(5), nil, false)
	tags := []commerce.Tag{"product:A"}
	table.strike(tags, true)
	table.issued(tags, placeOf(9))
	table.strike([]commerce.Tag{"b", "c", "d"}, false)
	require.LessOrEqual(t, len(table.marks), table.limit, "it has forgotten")
	assert.False(t, table.admits(tags, placeOf(8), table.stamp().local))
	assert.True(t, table.admits(tags, placeOf(9), table.stamp().local))
}

// As many sources as a sink holds may be fewer than there were, however good they are.
func TestC20_AnAnswerOfTooManySourcesIsNotKept(t *testing.T) {
	t.Parallel()
	for sources, kept := range map[int]bool{maxAnswerSources: true, maxAnswerSources + 1: false} {
		a := newAnswers(t, Config{})
		made := entire("x")
		made.Sources = slices.Repeat([]commerce.Source{good("product:A")}, sources)
		_, _, err := a.Do(t.Context(), questionOf("q"), func(context.Context) (Produced, error) { return made, nil })
		require.NoError(t, err)
		assert.Equal(t, kept, a.Kept(questionOf("q")) != nil, sources)
	}
}

// What those who wait need of an answer that is not whole is not held by one that is kept.
func TestC21_AnAnswerThatIsKeptHoldsNothingElse(t *testing.T) {
	t.Parallel()
	made := entire("x")
	made.Rest = "for those who wait"
	assert.Nil(t, Prove(made, time.Now(), 0).Rest)
	made.Whole = false
	assert.Equal(t, "for those who wait", Prove(made, time.Now(), 0).Rest)
}
