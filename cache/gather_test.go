package cache

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhatIsBroughtWhileOneSendsGoesNext(t *testing.T) {
	t.Parallel()
	var g gatherer[int]
	how := goes{most: 3, pause: func() {}, turns: true}
	assert.Equal(t, []int{1}, g.bring(1, 1, how))
	assert.Nil(t, g.bring(2, 1, how), "somebody sends")
	assert.Nil(t, g.bring(3, 1, how))
	assert.Equal(t, []int{4}, g.bring(4, 2, how), "what does not fit goes by itself")
	assert.Equal(t, []int{2, 3}, g.more(false, how))
	assert.Nil(t, g.bring(5, 1, how))
	assert.Equal(t, []int{5}, g.more(false, how))
	assert.Nil(t, g.more(false, how))
	assert.Equal(t, []int{6}, g.bring(6, 1, how), "nobody sends any more")
	assert.Nil(t, g.bring(7, 1, how))
	assert.Nil(t, g.more(true, how), "who failed sends nothing more")
	assert.Equal(t, []int{7, 8}, g.bring(8, 1, how), "and what waited is not lost")
}

// Who went by itself comes back for more, too, and may find that the other took it.
func TestWhoFindsNothingLeadsNoMore(t *testing.T) {
	t.Parallel()
	var g gatherer[int]
	how := goes{most: 3, pause: func() {}, turns: true}
	assert.Equal(t, []int{1}, g.bring(1, 1, how))
	assert.Nil(t, g.bring(2, 1, how))
	other := how
	other.pause = func() { assert.Equal(t, []int{2}, g.more(false, how)) }
	assert.Nil(t, g.more(false, other))
	assert.Equal(t, []int{3}, g.bring(3, 1, how), "somebody is to send again")
}
