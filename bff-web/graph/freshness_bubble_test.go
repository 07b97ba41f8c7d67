package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

// failing is an answer of n things of which each failed twice: in its null, which
// becomes null, and in its fail, with which the thing goes.
func failing(t testing.TB, n int, text string) (oc *graphql.OperationContext, data []byte, failed []ast.Path) {
	t.Helper()
	oc = bubbling(t, `{things{null{id fail{id}}} all:things{id fail{id}}}`)
	one := make([]string, n)
	for i := range one {
		one[i] = `{"null":{"id":"` + text + `","fail":null}}`
		failed = append(failed, pathOf("things", i, "null", "fail"), pathOf("all", i, "fail"))
	}
	list := "[" + strings.Join(one, ",") + "]"
	return oc, []byte(`{"things":` + list + `,"all":` + strings.ReplaceAll(strings.ReplaceAll(list, `{"null":`, ""), "}}", "}") + `}`), failed
}

// bubbling is the operation of a query over the schema of contracts.
func bubbling(t testing.TB, query string) *graphql.OperationContext {
	t.Helper()
	doc, errs := validated(t, parsedSchema(t, contracts), query)
	require.Empty(t, errs)
	return &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0]}
}

func pathOf(elements ...any) ast.Path {
	path := make(ast.Path, len(elements))
	for i, e := range elements {
		switch e := e.(type) {
		case string:
			path[i] = ast.PathName(e)
		case int:
			path[i] = ast.PathIndex(e)
		}
	}
	return path
}

// Memory is the count of what is read again: with 2,000 paths, an answer of 20 letters a
// thing and one of 2,000 are written with as many allocations, of a handful a path.
func TestBubblingReadsTheAnswerOnce(t *testing.T) { //nolint:paralleltest // allocations are counted
	counted := func(text string) float64 {
		oc, data, failed := failing(t, 1000, text)
		require.True(t, json.Valid(data))
		return testing.AllocsPerRun(1, func() { Bubble(oc, data, failed) })
	}
	short, long := counted("twenty letters of it"), counted(strings.Repeat("of", 1000))
	assert.InDelta(t, short, long, 16, "what is not on the way to a failure costs no memory")
	assert.Less(t, short, 5*2000.0)
}

func BenchmarkBubble(b *testing.B) {
	for _, paths := range []int{200, 2000} {
		b.Run(fmt.Sprint("paths=", paths), func(b *testing.B) {
			oc, data, failed := failing(b, paths/2, strings.Repeat("letters", 50))
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				Bubble(oc, data, failed)
			}
		})
	}
}

func TestWhatFailedTogetherGoesTogether(t *testing.T) {
	t.Parallel()
	oc, data, failed := failing(t, 3, "x")
	const want = `{"things":[{"null":null},{"null":null},{"null":null}],"all":null}`
	assert.Equal(t, want, string(Bubble(oc, data, failed)))
}

func marked(paths ...ast.Path) *mark {
	marks := &mark{}
	for _, path := range paths {
		marks.add(path)
	}
	return marks
}

// Whatever is marked, cut does what the decoder does place by place.
func TestCutIsNullAtEachPlace(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 5)) //nolint:gosec // seeded, so that a failure comes again
	for range 3000 {
		data := spaced(rng, 4)
		var paths []ast.Path
		for range rng.IntN(12) {
			paths = append(paths, somewhere(rng))
		}
		want := data
		for _, path := range paths {
			want = nullAt(want, path)
		}
		require.Equal(t, string(want), string(cut(data, marked(paths...))), "%s in %s", paths, data)
	}
}

var cutKeys = []string{"a", "b", "c_1"}

func somewhere(rng *rand.Rand) ast.Path {
	path := make(ast.Path, 1+rng.IntN(4))
	for i := range path {
		path[i] = ast.PathName(cutKeys[rng.IntN(len(cutKeys))])
		if rng.IntN(2) == 0 {
			path[i] = ast.PathIndex(rng.IntN(4))
		}
	}
	return path
}

// spaced is a JSON text with white space here and there.
func spaced(rng *rand.Rand, depth int) []byte {
	blank := func() string { return strings.Repeat(" ", rng.IntN(2)) + strings.Repeat("\n", rng.IntN(2)) }
	var out []string
	switch kind := rng.IntN(4); {
	case kind == 0 || depth == 0:
		scalars := []string{"null", "1", "-2.5e3", "true", `""`, `"x"`, `"\"]}"`, `"\\"`, `"[{,:\u0022"`, "[]", "{}"}
		return []byte(blank() + scalars[rng.IntN(len(scalars))] + blank())
	case kind == 1:
		for range rng.IntN(4) {
			out = append(out, string(spaced(rng, depth-1)))
		}
		return []byte(blank() + "[" + blank() + strings.Join(out, ",") + "]" + blank())
	default:
		for i, key := range cutKeys[:rng.IntN(len(cutKeys)+1)] {
			if i > 0 {
				key = blank() + `"` + key + `"` + blank()
			} else {
				key = `"` + key + `"`
			}
			out = append(out, key+":"+string(spaced(rng, depth-1)))
		}
		return []byte(blank() + "{" + blank() + strings.Join(out, ",") + "}" + blank())
	}
}

// FuzzCut holds that no text takes cut down, and that what is JSON stays so.
func FuzzCut(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,{"c":"\""}]},"b":[[0],null]}`))
	f.Add([]byte(`{"a":`))
	f.Add([]byte(`{"a"}]`))
	f.Add([]byte(`[,"\`))
	f.Add([]byte(` `))
	f.Fuzz(func(t *testing.T, data []byte) {
		got := cut(data, marked(pathOf("a", "b", 1), pathOf("b", 0), pathOf(1, "a"), pathOf(1, 1)))
		if json.Valid(data) && !json.Valid(got) {
			t.Fatalf("%s of %s", got, data)
		}
	})
}

// nullAt writes null at a path of data, with the decoder of the standard library: what cut
// is compared with.
func nullAt(data []byte, path ast.Path) []byte {
	dec := json.NewDecoder(bytes.NewReader(data))
	for _, element := range path {
		open, err := dec.Token()
		if _, nested := open.(json.Delim); err != nil || !nested {
			return data
		}
		if !forward(dec, element) {
			return data
		}
	}
	var old json.RawMessage
	if err := dec.Decode(&old); err != nil {
		return data
	}
	end := int(dec.InputOffset())
	begin := end - len(old)
	out := make([]byte, 0, len(data))
	out = append(out, data[:begin]...)
	out = append(out, "null"...)
	return append(out, data[end:]...)
}

// forward moves dec, just within an object or a list, to where the value of element is.
func forward(dec *json.Decoder, element ast.PathElement) bool {
	index, ordered := element.(ast.PathIndex)
	for i := 0; dec.More(); i++ {
		if ordered && i == int(index) {
			return true
		}
		if !ordered {
			key, err := dec.Token()
			if err != nil {
				return false
			}
			if name, ok := element.(ast.PathName); ok && key == string(name) {
				return true
			}
		}
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			return false
		}
	}
	return false
}
