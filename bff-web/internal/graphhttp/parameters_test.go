package graphhttp

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bodies that both ways of reading agree about, and whether the quick one may leave them
// to the other.
var bodies = map[string]bool{
	`{"documentId":"sha256:00","variables":{"sku":"MUG-RED","n":-1.5e+3,"deep":[1,[],{},{"a":null}],"t":true,"f":false}}`: false,
	"\t{\r\n \"query\" : \"{ a }\" , \"operationName\" : null,\"extensions\":{} } ":                                       false,
	`{"query":"query {\n a(b: \"\u00e4\ud83d\ude00\ud800\")\n}","variables":{"":{"\u0061":1,"a":2,"a":3}}}`:               false,
	`{"query":"ä","variables":{"n":0,"m":-0,"x":0.10,"big":123456789012345678901234567890}}`:                              false,
	`{}`: false, `{"variables":null}`: false,
	`{"qu\u0065ry":"{a}"}`: true, `{"query":"{a}","query":"{b}"}`: true, `{"Query":"{a}"}`: true,
	`{"query":1}`: true, `{"variables":[]}`: true, `{"variables":"x"}`: true, `{"documentId":{}}`: true,
	`{"query":"a"}x`: true, `{"query":"a",}`: true, `{,}`: true, `{"query":"a"`: true, `{"query":"a" "documentId":"b"}`: true,
	`[{"query":"a"}]`: true, ``: true, ` `: true, `null`: true, `"x"`: true, "{\"query\":\"a\nb\"}": true, "{\"query\":\"\xff\"}": true,
	`{"query":"\x"}`: true, `{"query":"\u12"}`: true, `{"variables":{"a":01}}`: true, `{"variables":{"a":1.}}`: true,
	`{"variables":{"a":.1}}`: true, `{"variables":{"a":+1}}`: true, `{"variables":{"a":1e}}`: true, `{"variables":{"a":-}}`: true,
	`{"variables":{"a":nul}}`: true, `{"variables":{"a":truex}}`: true, `{"variables":{"a":[1,]}}`: true, `{"variables":{"a":[,1]}}`: true,
	`{"variables":{"a" 1}}`: true, `{"variables":{a:1}}`: true, `{"variables":{"a":1,}}`: true, `{"query":"a\`: true, "\x00": true, "{}\x00": true,
	"\ufeff{}": true, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}},"documentId":""}`: false,
}

// agree has both ways read a body.
func agree(t *testing.T, body []byte) (quick bool) {
	t.Helper()
	want, err := strictly(body)
	got, quick := (&scan{text: body}).read()
	if quick {
		require.NoError(t, err, "%q", body)
		require.Equal(t, want, got, "%q", body)
	}
	return quick
}

func TestBodiesAreReadAsTheyEverWere(t *testing.T) {
	t.Parallel()
	for body, odd := range bodies {
		assert.Equal(t, !odd, agree(t, []byte(body)), body)
	}
	for _, depth := range []int{9_000, 9_998, 9_999, 10_000, 10_001} {
		body := `{"variables":{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}}`
		_, err := strictly([]byte(body))
		assert.Equal(t, err == nil, agree(t, []byte(body)), depth)
	}
}

// Every body that is a letter off, and every body that a client's encoder writes.
func TestRandomBodiesAreReadAsTheyEverWere(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 9))
	const letters = "{}[]\",:\\ntrue0-9.eE+ \x00\n\xff"
	quick := 0
	for body := range bodies {
		for range 400 {
			b := []byte(body)
			for range 1 + rng.IntN(3) {
				at := rng.IntN(len(b) + 1)
				switch rng.IntN(3) {
				case 0:
					b = append(b[:at:at], append([]byte{letters[rng.IntN(len(letters))]}, b[at:]...)...)
				case 1:
					b = append(b[:at:at], b[min(at+1, len(b)):]...)
				default:
					if at < len(b) {
						b[at] = letters[rng.IntN(len(letters))]
					}
				}
			}
			if agree(t, b) {
				quick++
			}
		}
	}
	assert.Greater(t, quick, 300)
	for range 2000 {
		body, err := json.Marshal(map[string]any{"query": word(rng), "variables": tree(rng, 4), "extensions": map[string]any{}})
		require.NoError(t, err)
		_, isObject := tree(rng, 0).(map[string]any)
		assert.False(t, isObject)
		agree(t, body)
	}
}

func word(rng *rand.Rand) string {
	var b strings.Builder
	for range rng.IntN(12) {
		b.WriteRune([]rune("ab\"\\/\n\t\u2028ä😀<&>\x7f")[rng.IntN(14)])
	}
	return b.String()
}

func tree(rng *rand.Rand, depth int) any {
	if depth == 0 {
		return []any{nil, true, false, word(rng), rng.NormFloat64(), rng.Int64()}[rng.IntN(6)]
	}
	if rng.IntN(3) == 0 {
		list := make([]any, rng.IntN(4))
		for i := range list {
			list[i] = tree(rng, depth-1)
		}
		return list
	}
	object := map[string]any{}
	for range rng.IntN(4) {
		object[word(rng)] = tree(rng, depth-1)
	}
	return object
}

// What is read shares no memory with the body, which may be used again.
func TestParametersAreCopies(t *testing.T) {
	t.Parallel()
	body := []byte(`{"query":"q","documentId":"d","operationName":"o","variables":{"k":["v",1]},"extensions":{"e":"f"}}`)
	p, err := decode(body)
	require.NoError(t, err)
	want := fmt.Sprint(*p)
	for i := range body {
		body[i] = '#'
	}
	assert.Equal(t, want, fmt.Sprint(*p))
}

func FuzzParameters(f *testing.F) {
	for body := range bodies {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) { agree(t, body) })
}

func BenchmarkParameters(b *testing.B) {
	body := []byte(`{"documentId":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","variables":{"sku":"MUG-RED"}}`)
	for name, read := range map[string]func([]byte) (*parameters, error){"one pass": decode, "strictly": strictly} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := read(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
