package cache

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// brought is what is to be sent by who brings n.
func (g *gatherer[T]) brought(item T, size int, how goes) []T {
	all, _ := g.bring(item, size, how)
	return all
}

func TestWhatIsBroughtWhileOneSendsGoesNext(t *testing.T) {
	t.Parallel()
	var g gatherer[int]
	how := goes{most: 3, pause: func() {}, turns: true}
	all, leads := g.bring(1, 1, how)
	assert.Equal(t, []int{1}, all)
	assert.True(t, leads)
	assert.Nil(t, g.brought(2, 1, how), "somebody sends")
	assert.Nil(t, g.brought(3, 1, how))
	all, leads = g.bring(4, 2, how)
	assert.Equal(t, []int{4}, all, "what does not fit goes by itself")
	assert.False(t, leads, "and who sends it leaves the rest to who leads")
	assert.True(t, g.waits())
	assert.Equal(t, []int{2, 3}, g.more(how))
	assert.Nil(t, g.brought(5, 1, how))
	assert.Equal(t, []int{5}, g.more(how))
	assert.Nil(t, g.more(how))
	assert.Equal(t, []int{6}, g.brought(6, 1, how), "nobody sends any more")
	assert.False(t, g.waits())
	assert.Equal(t, []int{7}, g.brought(7, 1, how))
}

// One leads at a time, however many send what did not fit, and what is brought in the pauses
// of who leads goes with it.
func TestOneLeads(t *testing.T) {
	t.Parallel()
	var g gatherer[int]
	how := goes{most: 3, pause: func() {}, turns: true}
	assert.Equal(t, []int{1}, g.brought(1, 1, how))
	assert.Equal(t, []int{9}, g.brought(9, 4, how), "it is too large to wait")
	assert.Nil(t, g.brought(2, 1, how), "the first sends still")
	pausing := how
	pausing.pause = func() { assert.Nil(t, g.brought(3, 1, how)) }
	assert.Equal(t, []int{2, 3}, g.more(pausing))
	assert.Nil(t, g.more(how))
	assert.Equal(t, []int{4}, g.brought(4, 1, how), "somebody is to send again")
}

// Who asks and takes no turns leads nobody.
func TestWithoutTurnsNobodyLeads(t *testing.T) {
	t.Parallel()
	var g gatherer[int]
	how := goes{most: 3, pause: func() {}}
	for n := range 3 {
		all, leads := g.bring(n, 1, how)
		assert.Equal(t, []int{n}, all)
		assert.False(t, leads)
	}
}
