package quick_test

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/connectors/quick/quicktest"
)

// groups are lists of texts, those that came lately made once.
type groups struct {
	list   [][]string
	lately *quick.Lately[[]string]
	read   int // not made before
}

func (g *groups) ReadQuick(r *quick.Reader) bool {
	for r.Array(); r.More(); {
		group, again := g.lately.Again(r)
		if !again {
			here := r.Here()
			group = []string{}
			for r.Array(); r.More(); {
				group = append(group, r.Text())
			}
			g.lately.Keep(r, here, group)
			g.read++
		}
		g.list = append(g.list, group)
	}
	return r.OK()
}

func TestWhatCameLatelyIsReadOnce(t *testing.T) {
	t.Parallel()
	g := groups{lately: &quick.Lately[[]string]{}}
	require.True(t, quick.Unmarshal([]byte(`[["a","b"], ["a"],["a","b"] ,["a","\u0062"],["a"],[],["a","b","c"],[]]`), &g))
	assert.Equal(t, [][]string{{"a", "b"}, {"a"}, {"a", "b"}, {"a", "b"}, {"a"}, {}, {"a", "b", "c"}, {}}, g.list)
	assert.Equal(t, 5, g.read)
	assert.Same(t, &g.list[0][0], &g.list[2][0])
}

// A later answer in the memory of the one before it is read for what it is.
func TestWhatCameInAnotherAnswerIsNotMeant(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 2))
	lately := &quick.Lately[[]string]{}
	body := make([]byte, 0, 4096)
	for at := range 2_000 {
		list := make([][]string, random.IntN(40))
		for i := range list {
			list[i] = make([]string, random.IntN(3))
			for j := range list[i] {
				list[i][j] = strconv.Itoa(random.IntN(5))
			}
		}
		data, err := json.Marshal(list)
		require.NoError(t, err)
		body = append(body[:0], data...)
		if at%3 == 0 {
			body = body[:len(body)-1] // refused at its end
		}
		g := groups{list: [][]string{}, lately: lately}
		require.Equal(t, at%3 != 0, quick.Unmarshal(body, &g))
		require.Equal(t, list, g.list)
		if at%2 == 0 {
			lately.Forget()
		}
	}
}

// Numbers and words begin with others of their kind: none of them is compared.
func TestNumbersAreNotTakenForOthers(t *testing.T) {
	t.Parallel()
	var n numbers
	require.True(t, quick.Unmarshal([]byte(`[1,12,1,123,12,null,1e5]`), &n))
	assert.Equal(t, numbers{"1", "12", "1", "123", "12", "", "1e5"}, n)
	require.True(t, quicktest.Agree(t, []byte(`["1","12","1\"","1"]`), func() quick.Value { return &words{} }))
}

type numbers []string

func (n *numbers) ReadQuick(r *quick.Reader) bool {
	var lately quick.Lately[string]
	for r.Array(); r.More(); {
		text, again := lately.Again(r)
		if !again {
			here := r.Here()
			text = r.NumberText()
			lately.Keep(r, here, text)
		}
		*n = append(*n, text)
	}
	return r.OK()
}

// words are texts, those that came lately made once.
type words []string

func (w *words) ReadQuick(r *quick.Reader) bool {
	var lately quick.Lately[string]
	*w = words{}
	for r.Array(); r.More(); {
		text, again := lately.Again(r)
		if !again {
			here := r.Here()
			text = r.Text()
			lately.Keep(r, here, text)
		}
		*w = append(*w, text)
	}
	return r.OK()
}

func FuzzLately(f *testing.F) {
	f.Add([]byte(`["a","a\"","a\\","a\\","a\"",null,"\u0061","a"]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		quicktest.Agree(t, data, func() quick.Value { return &words{} })
	})
}
