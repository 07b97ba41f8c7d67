package graphhttp

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// hostile makes a document that is built to cost much: fragments that spread
// each other, aliases, repeats, deep lists.
func hostile(r *rand.Rand, size int) string {
	var b strings.Builder
	b.WriteString("{...F0 ")
	for b.Len() < size/4 {
		switch r.IntN(5) {
		case 0:
			fmt.Fprintf(&b, "a%d:product(sku:\"A\"){sku}", r.IntN(20))
		case 1:
			b.WriteString(strings.Repeat("related{", r.IntN(40)))
		case 2:
			b.WriteString(strings.Repeat("sku ", r.IntN(200)))
		case 3:
			fmt.Fprintf(&b, "products(skus:%s){sku}", strings.Repeat("[", r.IntN(50)))
		case 4:
			b.WriteString("...on Query @skip(if:false){__typename}")
		}
	}
	b.WriteString(strings.Repeat("}", r.IntN(3)+1))
	n := r.IntN(40) + 1
	for i := range n {
		fmt.Fprintf(&b, "fragment F%d on Query{...F%d ...F%d __typename}", i, r.IntN(n+1), min(i+1, n))
	}
	return b.String()
}

// TestW3_DecisionIsCheap bounds the check's time over hostile documents. The
// bound is far above what it takes (well below 1 ms) and far below what one
// exponential walk costs.
func TestW3_DecisionIsCheap(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	worst := time.Duration(0)
	for range 2_000 {
		doc := hostile(r, r.IntN(32<<10))
		start := time.Now()
		_ = DefaultLimits.Check(doc)
		worst = max(worst, time.Since(start))
	}
	assert.Less(t, worst, time.Second)
}

// TestW3_FragmentChainIsRefused takes the document that cost gqlgen's own
// complexity check 14 seconds.
func TestW3_FragmentChainIsRefused(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("{...F0}")
	for i := range 18 {
		fmt.Fprintf(&b, "fragment F%d on Query{...F%d ...F%d}", i, i+1, i+1)
	}
	b.WriteString("fragment F18 on Query{__typename}")
	err := DefaultLimits.Check(b.String())
	if assert.NotNil(t, err) {
		assert.Equal(t, CodeLimit, err.Extensions["code"])
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(`{product(sku:"A"){sku}}`)
	f.Add(`query($a:Int=1)@x{...F}fragment F on Query{...F}`)
	f.Fuzz(func(_ *testing.T, doc string) {
		_ = DefaultLimits.Check(doc) // must not panic
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"query":"{__typename}","variables":{"a":[1]},"operationName":null}`))
	f.Add([]byte(`[{}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		params, err := decode(body)
		if err == nil && params.Query == "" {
			t.Fatal("a body without a query was taken")
		}
	})
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]string{
		"": jsonType, "*/*": jsonType, "application/*": jsonType, "text/html": "", "application/json;q=0": "",
		graphType: graphType, graphType + ";q=0.1, */*;q=0.01": graphType, "nonsense;;, application/json": jsonType,
		graphType + "; charset=latin1": "", "application/json;q=2": "",
	} {
		assert.Equal(t, want, negotiate(accept), accept)
	}
}
