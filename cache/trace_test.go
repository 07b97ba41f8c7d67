package cache

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/commerce"
)

// watched is a source that keeps the contexts it was called with.
type watched struct {
	source
	mu   sync.Mutex
	seen []context.Context
}

func (w *watched) Products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	w.mu.Lock()
	w.seen = append(w.seen, ctx)
	w.mu.Unlock()
	return w.source.Products(ctx, m, skus)
}

// causes are the spans that the calls were part of.
func (w *watched) causes() []trace.SpanContext {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []trace.SpanContext
	for _, ctx := range w.seen {
		list = append(list, trace.SpanContextFromContext(ctx))
	}
	return list
}

// requests begins spans of requests, and shows those that ended.
func requests(t *testing.T) (trace.Tracer, *tracetest.SpanRecorder) {
	t.Helper()
	ended := tracetest.NewSpanRecorder()
	return sdk.NewTracerProvider(sdk.WithSpanProcessor(ended)).Tracer("test"), ended
}

type private struct{}

func TestALoadIsPartOfTheTraceOfWhoBeganIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracer, _ := requests(t)
		upstream := &watched{}
		port := over(newCache(t, Config{}), upstream)
		ctx, span := tracer.Start(context.WithValue(t.Context(), private{}, "ann"), "request")
		_, _, err := ask(ctx, port, "A")
		require.NoError(t, err)
		require.Equal(t, []trace.SpanContext{span.SpanContext()}, upstream.causes())
		assert.Nil(t, upstream.seen[0].Value(private{}), "and nothing else is passed on")
		trace.SpanFromContext(upstream.seen[0]).SetName("changed")
		span.End()
		assert.Equal(t, "request", span.(sdk.ReadOnlySpan).Name(), "its ids, not itself")

		_, _, err = ask(t.Context(), port, "B")
		require.NoError(t, err)
		assert.False(t, upstream.causes()[1].IsValid(), "nobody's trace")
	})
}

func TestWhoJoinsALoadLinksToItsTrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracer, ended := requests(t)
		upstream := &watched{source: source{takes: 50 * time.Millisecond}}
		port := over(newCache(t, Config{}), upstream)
		var wg sync.WaitGroup
		want := func(name string, fields int, skus ...commerce.SKU) {
			ctx, span := tracer.Start(t.Context(), name)
			var within sync.WaitGroup
			for range fields {
				within.Go(func() {
					_, err := port.Products(ctx, us, skus)
					assert.NoError(t, err)
				})
			}
			wg.Go(func() {
				within.Wait()
				span.End()
			})
			synctest.Wait()
		}
		want("leader", 2, "A", "B", "C")
		want("joiner", 1, "A", "B", "C", "D")
		want("third", 1, "A", "D")
		_, err := port.Products(t.Context(), us, []commerce.SKU{"A"}) // without any trace
		require.NoError(t, err)
		wg.Wait()

		by := map[string]sdk.ReadOnlySpan{}
		for _, span := range ended.Ended() {
			by[span.Name()] = span
		}
		assert.Empty(t, by["leader"].Links(), "both its fields are of one request")
		assert.Equal(t, []sdk.Link{linkTo(by["leader"])}, by["joiner"].Links(), "once, however many keys")
		assert.ElementsMatch(t, []sdk.Link{linkTo(by["leader"]), linkTo(by["joiner"])}, by["third"].Links())
		assert.Equal(t, []trace.SpanContext{by["leader"].SpanContext(), by["joiner"].SpanContext()}, upstream.causes())
	})
}

func linkTo(span sdk.ReadOnlySpan) sdk.Link {
	return sdk.Link{SpanContext: span.SpanContext(), Attributes: []attribute.KeyValue{
		attribute.String("portico.link", "joined flight"),
		attribute.String("portico.system", "pim"),
		attribute.String("portico.operation", string(commerce.OpProducts)),
	}}
}

// A revalidation outlives the request that found the answer stale, and stays in its trace.
func TestARevalidationIsPartOfTheTraceThatCausedIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracer, ended := requests(t)
		upstream := &watched{}
		c := newCache(t, Config{})
		port := over(c, upstream)
		_, _, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		upstream.set(func(s *source) { s.takes = 50 * time.Millisecond })
		p := policies[commerce.OpProducts]
		time.Sleep(p.Fresh + time.Millisecond)

		leaving, leave := context.WithCancel(t.Context())
		ctx, span := tracer.Start(leaving, "request")
		_, _, err = ask(ctx, port, "A")
		require.NoError(t, err)
		leave()
		span.End()
		time.Sleep(time.Second)
		assert.Equal(t, span.SpanContext(), upstream.causes()[1])
		_, at, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		assert.Equal(t, commerce.StateFresh, at.State, "the request's end did not end it")
		assert.Equal(t, 2, upstream.count())
		assert.Empty(t, ended.Ended()[0].Links(), "nobody waited")
	})
}
