package graph

import (
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// both is the two executors over one world.
type both struct {
	world    *world
	gqlgen   *executor.Executor
	compiled *compiled.Executor
}

func newBoth(t testing.TB, w *world) both {
	t.Helper()
	r := &Resolver{Ports: w.ports(), Orders: w, Log: slog.New(slog.DiscardHandler)}
	schema := generated.NewExecutableSchema(generated.Config{Resolvers: r})
	b := both{world: w, gqlgen: executor.New(schema)}
	b.gqlgen.SetErrorPresenter(r.Present)
	b.gqlgen.SetRecoverFunc(r.Recover)
	b.compiled = r.Compiled(schema.Schema(), 10)
	require.NoError(t, b.compiled.Mistakes())
	return b
}

// outcome is what an executor answered, in a form that compares.
type outcome struct {
	Ran       bool
	Data      string
	Errors    []string
	Freshness []string
	Failed    []string // paths that the answer may not do without
}

type ask struct {
	text      string
	variables map[string]any
}

// run executes q. With the compiled executor, Ran is false when it does not cover q.
func (b both) run(t testing.TB, q ask, compile bool) (out outcome) {
	t.Helper()
	shopper := commerce.Shopper{Market: commerce.Market{Channel: "us", Locale: "de", Currency: "EUR", Country: "DE"}, Principal: b.world.principal()}
	ctx := caller.WithPrincipal(caller.WithMarket(t.Context(), shopper.Market), shopper.Principal)
	ctx, loader := load.Start(graphql.StartOperationTrace(ctx), b.world.ports(), shopper, "retail")
	defer loader.Close()
	oc, errs := b.gqlgen.CreateOperationContext(ctx, &graphql.RawParams{Query: q.text, Variables: q.variables})
	require.Empty(t, errs, "%s\n%v", q.text, q.variables)
	var response *graphql.Response
	if compile {
		var whole []byte
		response, whole, out.Ran = b.compiled.RunWhole(ctx, oc)
		if whole != nil {
			require.Equal(t, `{"data":`+string(response.Data)+`}`, string(whole))
		}
		if !out.Ran {
			return out
		}
	} else {
		handler, ctx := b.gqlgen.DispatchOperation(ctx, oc)
		response, out.Ran = handler(ctx), true
	}
	if response == nil {
		return out
	}
	out.Data, out.Errors, out.Freshness = string(response.Data), texts(t, response.Errors), texts(t, loader.Freshness())
	out.Failed = texts(t, loader.Failed())
	return out
}

// texts are elements as JSON, sorted.
func texts[T any](t testing.TB, list []T) []string {
	t.Helper()
	var all []string
	for _, element := range list {
		text, err := json.Marshal(element)
		require.NoError(t, err)
		all = append(all, string(text))
	}
	slices.Sort(all)
	return all
}

// same executes a query both ways and wants the same answer.
func (b both) same(t testing.TB, q ask) (covered bool) {
	t.Helper()
	want, got := b.run(t, q, false), b.run(t, q, true)
	if !got.Ran {
		return false
	}
	if !assert.Equal(t, want, got, "seed %d\n%s\n%v", b.world.seed, q.text, q.variables) {
		t.FailNow()
	}
	return true
}

// TestCompiledEqualsGenerated executes random queries over random shops both ways:
// data byte for byte, errors and the freshness report must be the same. A seed that
// failed is run alone with DIFFERENTIAL_SEED.
func TestCompiledEqualsGenerated(t *testing.T) {
	t.Parallel()
	first, n := rand.Uint64(), 3000
	if s := os.Getenv("DIFFERENTIAL_SEED"); s != "" {
		var err error
		first, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		n = 1
	}
	t.Logf("seeds from %d", first)
	refused := 0
	for i := range n {
		w := newWorld(first + uint64(i))
		b := newBoth(t, w)
		if q := w.query(b); !b.same(t, q) {
			refused++
		}
	}
	assert.Zero(t, refused, "queries that are not covered")
}

func FuzzCompiledEqualsGenerated(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		w := newWorld(seed)
		b := newBoth(t, w)
		assert.True(t, b.same(t, w.query(b)), "not covered: seed %d", seed)
	})
}

// query is the world's random query.
func (w *world) query(b both) ask {
	g := &generator{world: w, schema: b.schema(), rng: rand.New(rand.NewPCG(w.seed, 2)), declared: map[string]string{}, values: map[string]any{}} //nolint:gosec // test data
	return g.operation()
}

func (b both) schema() *schemaOf {
	return &schemaOf{generated.NewExecutableSchema(generated.Config{}).Schema()}
}
