package limits

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const lateFrom = 5 * time.Millisecond

// weather is how late a process is said to be, at a time that is moved by hand.
type weather struct {
	late time.Duration
	seen int
	at   time.Time
}

func (w *weather) gate(most int) *Gate {
	return NewGate(GateConfig{
		Most: most, LateFrom: lateFrom, Late: func() (time.Duration, int) { return w.late, w.seen }, Now: func() time.Time { return w.at },
	})
}

// fill lets in as many of a class as there is room for.
func fill(g *Gate, c Class) (n int) {
	for g.Enter(c) {
		n++
	}
	return n
}

func drain(g *Gate, c Class, n int) {
	for range n {
		g.Leave(c)
	}
}

func TestM9_ReadsAreRefusedFirst(t *testing.T) {
	t.Parallel()
	w := &weather{}
	g := w.gate(100)
	require.Equal(t, 80, fill(g, Read))
	require.InDelta(t, 1, g.Pressure(), 1e-9)
	require.Equal(t, 20, fill(g, Write), "head room is left")
	require.False(t, g.Enter(Order), "the ceiling is everyone's")
	for range 1_000 {
		require.True(t, g.Enter(Cheap))
	}
	require.Equal(t, 100, g.InFlight())
	g.Leave(Cheap)
	require.Equal(t, 100, g.InFlight())
	drain(g, Read, 80)
	require.Equal(t, 80, fill(g, Order))
	drain(g, Order, 100)
	require.Zero(t, g.InFlight())
	require.Zero(t, g.Pressure())
}

func TestM9_AProcessThatIsLateServesFewerAtOnce(t *testing.T) {
	t.Parallel()
	w := &weather{late: time.Second, seen: 1_000}
	g := w.gate(500)
	last := 501
	for range 40 {
		w.at = w.at.Add(lookEvery)
		n := fill(g, Read)
		require.True(t, n < last || n <= leastServed, "%d after %d", n, last)
		last = n
		drain(g, Read, n)
	}
	require.Positive(t, last)
	require.LessOrEqual(t, last, leastServed)
	orders := fill(g, Order)
	require.True(t, leastServed <= orders && orders <= leastServed+2, orders)
	drain(g, Order, orders)

	w.late = 0
	for range 60 {
		w.at = w.at.Add(lookEvery)
		drain(g, Read, fill(g, Read))
	}
	require.Equal(t, 400, fill(g, Read), "six seconds later all is as before")
}

// The limit falls from what was served: one that is far above it would take its time.
func TestM9_TheLimitFallsFromWhatWasServed(t *testing.T) {
	t.Parallel()
	w := &weather{late: time.Second, seen: 1_000}
	g := w.gate(10_000)
	for range 100 {
		require.True(t, g.Enter(Read))
	}
	w.at = w.at.Add(lookEvery)
	require.False(t, g.Enter(Order))
	drain(g, Read, 100)
	require.Equal(t, 70, fill(g, Order))
}

func TestM9_FewWaitsOrShortOnesAreNoSign(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]*weather{"few": {late: time.Second, seen: leastSeen - 1}, "short": {late: lateFrom - 1, seen: 1_000}} {
		g := w.gate(100)
		for range 10 {
			w.at = w.at.Add(lookEvery)
			n := fill(g, Order)
			require.Equal(t, 100, n, name)
			drain(g, Order, n)
		}
	}
}

// A process that starts, or whose neighbors take the machine, is late whatever it serves:
// refusing requests would not help it, and the next ones may come all at once.
func TestM9_WithFewInsideTheLimitStays(t *testing.T) {
	t.Parallel()
	w := &weather{late: time.Second, seen: 1_000}
	g := w.gate(500)
	for inside := range leastServed + 1 {
		for range 10 {
			w.at = w.at.Add(lookEvery)
			for range inside {
				require.True(t, g.Enter(Read))
			}
			drain(g, Read, inside)
		}
	}
	w.at = w.at.Add(lookEvery)
	require.Equal(t, 400, fill(g, Read))
	w.at = w.at.Add(lookEvery)
	require.False(t, g.Enter(Read), "now it is what is inside")
	require.Equal(t, 280, g.limit)
	drain(g, Read, 400)
}

func TestASmallCeilingStays(t *testing.T) {
	t.Parallel()
	w := &weather{late: time.Second, seen: 1_000}
	g := w.gate(2)
	for range 10 {
		w.at = w.at.Add(lookEvery)
		require.Equal(t, 2, fill(g, Read))
		drain(g, Read, 2)
	}
}

func TestTheLongestTenth(t *testing.T) {
	t.Parallel()
	h := &metrics.Float64Histogram{Counts: []uint64{90, 0, 10, 0}, Buckets: []float64{0, 0.001, 0.01, 0.1, 1}}
	late, seen := tenth(h, nil)
	require.Equal(t, 10*time.Millisecond, late)
	require.Equal(t, 100, seen)
	h.Counts = []uint64{190, 0, 10, 1} // since then 100 were on time and one was not
	late, seen = tenth(h, []uint64{90, 0, 10, 0})
	require.Zero(t, late)
	require.Equal(t, 101, seen)
	late, seen = tenth(h, h.Counts)
	require.Zero(t, late)
	require.Zero(t, seen)
}

// What Go tells is there, and is about the time since it was asked.
func TestTheProcessTellsHowLateItIs(t *testing.T) { //nolint:paralleltest // is about the whole process
	late := ProcessLateness()
	late()
	total := 0
	require.Eventually(t, func() bool {
		var wg sync.WaitGroup
		for range 1_000 {
			wg.Go(runtime.Gosched)
		}
		wg.Wait()
		wait, seen := late()
		assert.GreaterOrEqual(t, wait, time.Duration(0))
		total += seen
		return total >= leastSeen
	}, time.Minute, time.Millisecond)
}

func BenchmarkGate(b *testing.B) {
	g := NewGate(GateConfig{Most: 512, LateFrom: lateFrom, Late: ProcessLateness(), Now: time.Now})
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if g.Enter(Read) {
				g.Leave(Read)
			}
		}
	})
}
