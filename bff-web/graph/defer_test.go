package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/schema/commerce"
)

// merged is what a client makes of an answer in parts: by itself, with nothing of ours but
// the parts.
type merged struct {
	data      any
	errors    map[string]bool // as JSON
	freshness map[string]bool
	parts     int        // that came later
	nulls     []ast.Path // of them, where null came
}

// add merges a part as the proposal says: its data into the object at its path, which must
// be there.
func (m *merged) add(t testing.TB, p *compiled.Part) {
	t.Helper()
	var data any
	if p.Data != nil {
		require.NoError(t, json.Unmarshal(p.Data, &data), "%s", p.Data)
	}
	for _, e := range p.Errors {
		text, err := json.Marshal(e)
		require.NoError(t, err)
		m.errors[string(text)] = true
	}
	if m.parts++; m.parts == 1 {
		m.data = data
		return
	}
	at := m.data
	for _, step := range p.Path {
		switch step := step.(type) {
		case ast.PathName:
			object, ok := at.(map[string]any)
			require.True(t, ok, "no object for %v", p.Path)
			at = object[string(step)]
		case ast.PathIndex:
			list, ok := at.([]any)
			require.True(t, ok && int(step) < len(list), "no list for %v", p.Path)
			at = list[step]
		}
	}
	object, ok := at.(map[string]any)
	require.True(t, ok, "no object at %v", p.Path)
	if data == nil {
		m.nulls = append(m.nulls, p.Path)
		return
	}
	own, ok := data.(map[string]any)
	require.True(t, ok)
	mergeInto(object, own)
}

func mergeInto(object, more map[string]any) {
	for key, v := range more {
		object[key] = mergeValue(object[key], v)
	}
}

func mergeValue(known, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if object, ok := known.(map[string]any); ok {
			mergeInto(object, v)
			return object
		}
	case []any:
		if list, ok := known.([]any); ok && len(list) == len(v) {
			for i := range v {
				list[i] = mergeValue(list[i], v[i])
			}
			return list
		}
	case nil:
		if known != nil {
			return known
		}
	}
	return v
}

// asked is an operation that is about to run. The caller closes the loader.
func (b both) asked(t testing.TB, q ask) (context.Context, *load.Loader, *graphql.OperationContext) {
	t.Helper()
	shopper := commerce.Shopper{Market: commerce.Market{Channel: "us", Locale: "de", Currency: "EUR", Country: "DE"}, Principal: b.world.principal()}
	ctx := caller.WithPrincipal(caller.WithMarket(t.Context(), shopper.Market), shopper.Principal)
	ctx, loader := load.Start(graphql.StartOperationTrace(ctx), b.world.ports(), shopper, "retail")
	oc, errs := b.gqlgen.CreateOperationContext(ctx, &graphql.RawParams{Query: q.text, Variables: q.variables})
	require.Empty(t, errs, "%s\n%v", q.text, q.variables)
	return ctx, loader, oc
}

// atOnce executes q as for a client that takes one part.
func (b both) atOnce(t testing.TB, q ask) (data any, errs, freshness []string) {
	t.Helper()
	ctx, loader, oc := b.asked(t, q)
	defer loader.Close()
	response, covered := b.compiled.Run(ctx, oc)
	require.True(t, covered, "not covered: %s", q.text)
	require.NoError(t, json.Unmarshal(Bubble(oc, response.Data, loader.Failed()), &data))
	return data, texts(t, response.Errors), texts(t, loader.Freshness())
}

// inParts executes q as for a client that takes parts.
func (b both) inParts(t testing.TB, q ask) merged {
	t.Helper()
	ctx, loader, oc := b.asked(t, q)
	defer loader.Close()
	m := merged{errors: map[string]bool{}, freshness: map[string]bool{}}
	over := false
	covered := b.compiled.RunParts(ctx, oc, compiled.Receiver{
		Begin: func(ctx context.Context) context.Context {
			ctx, _ = load.From(ctx).Part(ctx)
			return ctx
		},
		Settle: func(ctx context.Context, parts []compiled.Part) (cut []ast.Path) {
			failed := load.From(ctx).Failed()
			for i := range parts {
				p := &parts[i]
				if len(failed) > 0 && p.Data != nil {
					var nulls []ast.Path
					p.Data, nulls = BubbleIn(p.Set, p.Path, p.Data, failed)
					cut = append(cut, nulls...)
				}
			}
			return cut
		},
		Take: func(ctx context.Context, parts []compiled.Part, more bool) bool {
			require.False(t, over, "parts behind the last")
			over = !more
			for i := range parts {
				m.add(t, &parts[i])
			}
			for _, text := range texts(t, load.From(ctx).Freshness()) {
				m.freshness[text] = true
			}
			return true
		},
	})
	require.True(t, covered, "not covered: %s", q.text)
	require.True(t, over, "the last part is missing")
	return m
}

// deferring is a random query that defers fragments.
func (w *world) deferring(b both) ask {
	g := &generator{
		world: w, schema: b.schema(), rng: rand.New(rand.NewPCG(w.seed, 2)), //nolint:gosec // test data
		declared: map[string]string{}, values: map[string]any{}, defers: 2,
	}
	return g.operation()
}

// sameInParts wants the parts of a query to be its answer in one.
func (b both) sameInParts(t testing.TB, q ask) merged {
	t.Helper()
	want, errs, freshness := b.atOnce(t, q)
	got := b.inParts(t, q)
	about := fmt.Sprintf("seed %d\n%s\n%v", b.world.seed, q.text, q.variables)
	if len(errs) == 0 {
		require.Equal(t, want, got.data, about)
		require.Empty(t, got.errors, about)
		require.Equal(t, setOf(freshness), got.freshness, about)
		return got
	}
	require.True(t, holds(got.data, want), "lost: %v\nin %v\n%s", want, got.data, about)
	for _, e := range errs {
		require.True(t, got.errors[e] || got.gone(t, e), "%s of %v: %s", e, slices.Collect(maps.Keys(got.errors)), about)
	}
	return got
}

func setOf(list []string) map[string]bool {
	set := map[string]bool{}
	for _, text := range list {
		set[text] = true
	}
	return set
}

// gone tells whether the object, or the fragment, in which an error was met is null: what was
// deferred of it does not come.
func (m *merged) gone(t testing.TB, failed string) bool {
	t.Helper()
	var e struct{ Path ast.Path }
	require.NoError(t, json.Unmarshal([]byte(failed), &e))
	if slices.ContainsFunc(m.nulls, func(at ast.Path) bool { return len(at) <= len(e.Path) && slices.Equal(e.Path[:len(at)], at) }) {
		return true
	}
	data := m.data
	for _, step := range e.Path {
		if data == nil {
			return true
		}
		switch step := step.(type) {
		case ast.PathName:
			object, _ := data.(map[string]any)
			data = object[string(step)]
		case ast.PathIndex:
			list, _ := data.([]any)
			if int(step) >= len(list) {
				return false
			}
			data = list[int(step)]
		}
	}
	return false
}

// holds tells whether got has all that want has. Where want is null, got may have more: a
// null goes up no further than to the fragment in which it was met.
func holds(got, want any) bool {
	switch want := want.(type) {
	case nil:
		return true
	case map[string]any:
		own, ok := got.(map[string]any)
		for key, v := range want {
			if !ok || !holds(own[key], v) {
				return false
			}
		}
		return true
	case []any:
		own, ok := got.([]any)
		if !ok || len(own) != len(want) {
			return false
		}
		for i := range want {
			if !holds(own[i], want[i]) {
				return false
			}
		}
		return true
	}
	return got == want
}

// TestPartsAreTheWholeAnswer executes random queries over random shops in parts and at once:
// merged, the parts must be the answer, with its errors and its freshness report. A seed that
// failed is run alone with DIFFERENTIAL_SEED.
func TestPartsAreTheWholeAnswer(t *testing.T) {
	t.Parallel()
	first, n := rand.Uint64(), 1000
	if s := os.Getenv("DIFFERENTIAL_SEED"); s != "" {
		var err error
		first, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		n = 1
	}
	t.Logf("seeds from %d", first)
	divided, parts, nulls := 0, 0, 0
	for i := range n {
		w := newWorld(first + uint64(i))
		b := newBoth(t, w)
		m := b.sameInParts(t, w.deferring(b))
		if m.parts > 1 {
			divided++
		}
		parts, nulls = parts+m.parts-1, nulls+len(m.nulls)
	}
	t.Logf("%d of %d queries came in parts, %d parts later, %d of them null", divided, n, parts, nulls)
	if n > 1 {
		assert.Greater(t, divided, n/10, "queries that defer anything")
		assert.Positive(t, nulls)
	}
}

func FuzzPartsAreTheWholeAnswer(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		w := newWorld(seed)
		b := newBoth(t, w)
		b.sameInParts(t, w.deferring(b))
	})
}
