package quick_test

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/quick"
)

// texts are read as an answer's are: each may be the one before.
type texts []string

func (l *texts) ReadQuick(r *quick.Reader) bool {
	last := ""
	for r.Array(); r.More(); {
		last = r.TextLike(last)
		*l = append(*l, last)
	}
	return r.OK()
}

// Readers are used again, by whoever comes next, and so are the bodies that they read. What
// was read stays what it was.
func TestTextsOutliveTheirReaders(t *testing.T) {
	t.Parallel()
	words := []string{
		"", "blue", "kg", `a"b\`, "\n\t\x01", "\u2028é😀", "</script>",
		strings.Repeat("x", 32), strings.Repeat("y", 33), strings.Repeat("z", 128), strings.Repeat("w", 129), strings.Repeat(`"q`, 3000),
	}
	const readers, answers, remembered = 4, 400, 40
	var all sync.WaitGroup
	for n := range readers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			var want, got []texts
			for at := range answers {
				list := make(texts, 1+random.IntN(30))
				for i := range list {
					list[i] = words[random.IntN(len(words))]
					if random.IntN(2) == 0 {
						list[i] += strconv.Itoa(n) + "-" + strconv.Itoa(at) + "-" + strconv.Itoa(i)
					}
				}
				body, err := json.Marshal(list)
				if !assert.NoError(t, err) {
					return
				}
				var read texts
				assert.True(t, quick.Unmarshal(body, &read))
				for i := range body {
					body[i] = 'X' // another answer is read into it
				}
				want, got = append(want, list), append(got, read)
				if len(want) > remembered {
					want, got = want[1:], got[1:]
				}
				if !assert.Equal(t, want, got) {
					return
				}
			}
		})
	}
	all.Wait()
}

// Nor does what one reader refused, in the middle of a text or deep down, spoil the next.
func TestRefusedAnswersLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{`["a\`, `["\u12`, `["a`, `[["a"]]`, strings.Repeat("[", 100), `{"a":1}`, `["a",]`, "[\"a\x01\"]", `["a"] 1`, ""} {
		var none, read texts
		require.False(t, quick.Unmarshal([]byte(bad), &none), bad)
		require.True(t, quick.Unmarshal([]byte(`["b","\"c"]`), &read), "after %s", bad)
		require.Equal(t, texts{"b", `"c`}, read, "after %s", bad)
	}
}
