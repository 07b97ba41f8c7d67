package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
)

// noted is where lines go, and how they came.
type noted struct {
	mu     sync.Mutex
	pieces []string
	fail   error
}

func (n *noted) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail != nil {
		return 0, n.fail
	}
	n.pieces = append(n.pieces, string(p))
	return len(p), nil
}

func (n *noted) all() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.pieces, "")
}

func (n *noted) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.pieces)
}

func TestLinesWaitToBeWrittenTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &noted{}
		s := newSink(out, lineWait)
		for round := range 3 {
			for i := range 10 {
				_, err := fmt.Fprintf(s, "line %d %d\n", round, i)
				require.NoError(t, err)
				time.Sleep(time.Millisecond)
			}
			assert.Equal(t, round, out.count(), "they wait")
			time.Sleep(lineWait)
			synctest.Wait()
			assert.Equal(t, round+1, out.count(), "and are written in one piece, in time")
		}
		assert.True(t, strings.HasPrefix(out.all(), "line 0 0\nline 0 1\n"))
		assert.Equal(t, 30, strings.Count(out.all(), "\n"))
	})
}

func TestManyLinesDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &noted{}
		s := newSink(out, lineWait)
		line := []byte(strings.Repeat("x", 1023) + "\n")
		for range sinkSize / len(line) {
			_, err := s.Write(line)
			require.NoError(t, err)
		}
		assert.Len(t, out.all(), sinkSize, "no more than fits is kept")
		_, err := s.Write(bytes.Repeat(line, 200))
		require.NoError(t, err)
		assert.Len(t, out.all(), sinkSize+200*len(line))
		assert.LessOrEqual(t, cap(s.lines), 2*sinkSize, "what a long line took is given back")
	})
}

func TestWarningsDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &noted{}
		s := newSink(out, lineWait)
		log := slog.New(naming{slog.NewJSONHandler(s, nil), s})
		log.Info("first")
		assert.Empty(t, out.all())
		log.With(slog.Int("a", 1)).WithGroup("g").Warn("second")
		assert.Equal(t, 2, strings.Count(out.all(), "\n"), "nor what came before them")
		tel := &Telemetry{channel: "web", sink: s, log: log}
		kinds := &durations{}
		tel.logRequest(t.Context(), kinds.of("GET", "/", 200), &Request{Status: 200})
		assert.Equal(t, 2, strings.Count(out.all(), "\n"))
		tel.logRequest(t.Context(), kinds.of("GET", "/", 500), &Request{Status: 500})
		assert.Equal(t, 4, strings.Count(out.all(), "\n"))
	})
}

// A process that stops tells everything, and what is told after that as well.
func TestNothingIsLostAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &noted{}
		tel, err := New(Config{Out: out}, "web")
		require.NoError(t, err)
		tel.sink.wait = lineWait // as standard output has it
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 500 {
					tel.ObserveRequest(t.Context(), Request{Method: "POST", Route: "/graphql", Status: 200})
				}
			})
		}
		wg.Wait()
		require.NoError(t, tel.Close(t.Context()))
		assert.Equal(t, 4000, strings.Count(out.all(), "\n"))
		tel.Log().Info("stopped")
		assert.Equal(t, 4001, strings.Count(out.all(), "\n"))
		for line := range strings.Lines(out.all()) {
			require.True(t, json.Valid([]byte(line)), line)
		}
	})
}

func TestALogThatCannotBeWrittenStopsNothing(t *testing.T) {
	t.Parallel()
	out := &noted{fail: errors.New("disk full")}
	s := newSink(out, 0)
	_, err := s.Write([]byte("lost\n"))
	require.ErrorIs(t, err, out.fail)
	out.fail = nil
	_, err = s.Write([]byte("kept\n"))
	require.NoError(t, err)
	assert.Equal(t, "kept\n", out.all())
}

var times = regexp.MustCompile(`^\{"time":"[0-9T:.+Z-]+",`)

// The line that is put together by hand is the one that slog writes, letter for letter.
func TestLinesAreAsSlogWritesThem(t *testing.T) {
	t.Parallel()
	out := &noted{}
	tel, err := New(Config{Out: out}, "web")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tel.Close(context.Background())) })
	rng, plainOnes := rand.New(rand.NewPCG(1, 2)), 0
	words := []string{"", "a", "GET", "/v1/carts/:id", "hit", strings.Repeat("x", 80), `"`, `a\b`, "<&>", "ä", "\x00", "a\nb", "\xff", "\x7f", "\u2028"}
	word := func() string {
		if rng.IntN(3) > 0 {
			return words[rng.IntN(6)]
		}
		return words[rng.IntN(len(words))]
	}
	for range 5000 {
		r := Request{
			Method: word(), Route: word(), Operation: word(), Answer: word(), RequestID: word(),
			Status: 100 * rng.IntN(7), Duration: time.Duration(rng.Int64N(1 << rng.IntN(60))), Bytes: rng.Int64N(1 << 40),
		}
		ctx := t.Context()
		if rng.IntN(2) == 0 {
			ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, byte(rng.IntN(256))}, SpanID: trace.SpanID{1}}))
		}
		by, isPlain := tel.line(nil, ctx, tel.durations.of(r.Method, r.Route, r.Status), &r)
		if !isPlain {
			continue
		}
		plainOnes++
		out.pieces = nil
		tel.log.LogAttrs(ctx, levelOf(r.Status), "request", r.attrs()...)
		require.Regexp(t, times, string(by))
		require.Equal(t, times.ReplaceAllString(out.all(), ""), times.ReplaceAllString(string(by), ""))
	}
	assert.Greater(t, plainOnes, 1000)
	of := tel.durations.of("GET", "/", 200)
	_, isPlain := tel.line(nil, t.Context(), of, &Request{Err: errors.New("boom")})
	assert.False(t, isPlain)
	_, isPlain = tel.line(nil, t.Context(), of, &Request{Ended: "gone"})
	assert.False(t, isPlain, "the other way to write it says so")
}

// The time of a line is as slog writes it, wherever that is.
func TestTimesAreAsTheTimePackageWritesThem(t *testing.T) {
	t.Parallel()
	var c clock
	rng := rand.New(rand.NewPCG(3, 4))
	zones := []*time.Location{time.UTC, time.Local, time.FixedZone("", 5*3600+1800), time.FixedZone("", -12*3600)}
	at := time.Date(2026, 10, 25, 0, 59, 59, 0, time.UTC)
	for range 20_000 {
		at = at.Add(time.Duration(rng.Int64N(int64(3 * time.Second))))
		if rng.IntN(3) == 0 {
			at = at.Truncate([]time.Duration{time.Second, time.Millisecond, 10 * time.Microsecond}[rng.IntN(3)])
		}
		here := at.In(zones[rng.IntN(len(zones))])
		require.Equal(t, here.Format(time.RFC3339Nano), string(c.append(nil, here)))
	}
}

func BenchmarkObserveRequest(b *testing.B) {
	tel, err := New(Config{Out: &discarding{}}, "web")
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, tel.Close(context.Background())) })
	r := Request{Method: "POST", Route: "/graphql", Operation: "ProductPage", Answer: "hit", Status: 200, Duration: 123456, Bytes: 1234, RequestID: "0123456789abcdef0123456789abcdef"}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		tel.ObserveRequest(ctx, r)
	}
}

type discarding struct{}

func (*discarding) Write(p []byte) (int, error) { return len(p), nil }
