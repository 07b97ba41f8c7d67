package cache

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Letters are of a request's memory, which the next request is read into: what is found by
// them is found by what they were.
func TestC19_LettersOutliveTheRequestTheyCameWith(t *testing.T) {
	t.Parallel()
	a := newAnswers(t, Config{})
	one, result, err := a.Do(t.Context(), questionOf("one"), making(entire("one")))
	require.NoError(t, err)
	require.Equal(t, Miss, result)
	buffer := AppendLetters(nil, []byte("GET /one"))
	a.AliasLetters(buffer, one)
	next := AppendLetters(buffer[:0], []byte("GET /two")) // in the same memory
	require.Same(t, &buffer[0], &next[0])
	assert.Nil(t, a.KeptLetters(next, time.Now()), "nobody asked for it before")
	found := a.KeptLetters(AppendLetters(nil, []byte("GET /one")), time.Now())
	require.NotNil(t, found)
	assert.Equal(t, "one", string(found.Body))
}
