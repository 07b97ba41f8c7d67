package transport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// row is what an upstream answers for a key: which key it is for is in the row.
type row struct {
	key  int
	text string
}

func rowOf(key int) row { return row{key, fmt.Sprint("row of ", key)} }

func keyOf(r row) int { return r.key }

var errPiece = errors.New("this piece failed")

// fate is what becomes of a key in the upstream.
type fate uint8

const (
	there fate = iota
	missing
	spoiled // its own failure, named by the piece
	fates
)

// scenario is one random batch and what the upstream makes of it.
type scenario struct {
	keys    []int
	fates   map[int]fate
	failing int // the piece that holds this key fails as a whole; -1: none
	size    int
	cancel  int // the caller leaves while this key is asked for; -1: never
	seed    uint64
}

func drawn(rnd *rand.Rand) scenario {
	s := scenario{fates: map[int]fate{}, failing: -1, cancel: -1, size: rnd.IntN(6), seed: rnd.Uint64()}
	for range rnd.IntN(24) {
		key := rnd.IntN(40)
		s.keys = append(s.keys, key) // some twice
		s.fates[key] = fate(rnd.IntN(int(fates)))
	}
	if len(s.keys) > 0 && rnd.IntN(2) == 0 {
		s.failing = s.keys[rnd.IntN(len(s.keys))]
	}
	if len(s.keys) > 0 && rnd.IntN(8) == 0 {
		s.cancel = s.keys[rnd.IntN(len(s.keys))]
	}
	return s
}

// load answers like an upstream at its worst: rows out of order, twice, of
// neighbors and of strangers, and nothing for what is missing.
func (s scenario) load(cancel func()) func(context.Context, []int) (map[int]row, error) {
	return func(_ context.Context, piece []int) (map[int]row, error) {
		if slices.Contains(piece, s.cancel) {
			cancel()
			return nil, context.Canceled
		}
		if slices.Contains(piece, s.failing) {
			return map[int]row{piece[0]: rowOf(piece[0])}, errPiece
		}
		rnd := rand.New(rand.NewPCG(s.seed, uint64(piece[0])))
		var rows []row
		errs := map[int]error{}
		for _, key := range piece {
			switch s.fates[key] {
			case there:
				for range 1 + rnd.IntN(2) {
					rows = append(rows, rowOf(key))
				}
			case spoiled:
				errs[key] = fmt.Errorf("%d: %w", key, errPiece)
			}
		}
		for range rnd.IntN(4) {
			rows = append(rows, row{1_000 + rnd.IntN(9), "a stranger's"}, row{s.keys[rnd.IntN(len(s.keys))], "a neighbor's"})
		}
		rnd.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		rows = slices.DeleteFunc(rows, func(r row) bool { return r.text == "a neighbor's" && slices.Contains(piece, r.key) })
		found := map[int]row{}
		if rnd.IntN(2) == 0 {
			found = Join(piece, rows, keyOf)
		} else {
			for _, r := range rows { // joins by key, and leaves the strangers in
				found[r.key] = r
			}
		}
		clear(piece) // the list is load's own
		if len(errs) > 0 {
			return found, &commerce.BatchError[int]{Errs: errs}
		}
		return found, nil
	}
}

// broken tells of each key whether it is in the piece that failed as a whole.
func (s scenario) broken() map[int]bool {
	size := s.size
	if size == 0 {
		size = commerce.MaxBatch
	}
	unique := []int{}
	for _, key := range s.keys {
		if !slices.Contains(unique, key) {
			unique = append(unique, key)
		}
	}
	keys := map[int]bool{}
	for piece := range slices.Chunk(unique, size) {
		for _, key := range piece {
			keys[key] = slices.Contains(piece, s.failing)
		}
	}
	return keys
}

// check compares what came with what the scenario says.
func (s scenario) check(found map[int]row, err error) error {
	left := s.cancel >= 0
	if left != errors.Is(err, context.Canceled) || found == nil {
		return fmt.Errorf("%d found, %w", len(found), err)
	}
	broken := s.broken()
	for key, r := range found {
		if _, asked := broken[key]; !asked || r != rowOf(key) {
			return fmt.Errorf("key %d got %+v", key, r)
		}
	}
	for key, failing := range broken {
		_, here := found[key]
		met := commerce.KeyError(err, key)
		failing = failing || s.fates[key] == spoiled
		switch {
		case left && met != nil: // a leaving caller is told so, whatever was there already
		case left, failing != (met != nil), failing && !errors.Is(met, errPiece), here != (s.fates[key] == there && !failing):
			return fmt.Errorf("key %d is here: %v, with %w", key, here, met)
		}
	}
	return nil
}

func (s scenario) run(parent context.Context) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	traits := readTraits
	traits.BatchSize = s.size
	asked := slices.Clone(s.keys)
	found, err := Batch(ctx, traits, s.keys, s.load(cancel))
	if !slices.Equal(asked, s.keys) {
		return errors.New("the caller's list was changed")
	}
	return s.check(found, err)
}

// TestN17_EveryKeyGetsItsOwn has 100,000 random batches answered shuffled, with holes, twice, with
// strangers, with pieces and single keys that fail, and with callers who leave.
func TestN17_EveryKeyGetsItsOwn(t *testing.T) {
	t.Parallel()
	const seed, batches = 17, 100_000
	rnd := rand.New(rand.NewPCG(seed, 0))
	for n := range batches {
		s := drawn(rnd)
		if err := s.run(t.Context()); err != nil {
			require.NoError(t, err, "seed %d batch %d: %+v", seed, n, s)
		}
	}
}

func FuzzBatchJoin(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{3, 2, 1, 9}, byte(2), byte(1))
	f.Add([]byte{5, 5, 0}, []byte{}, byte(0), byte(0))
	f.Fuzz(func(t *testing.T, keys, answered []byte, size, failing byte) {
		traits := readTraits
		traits.BatchSize = int(size)
		var calls atomic.Int64
		found, err := Batch(t.Context(), traits, keys, func(_ context.Context, piece []byte) (map[byte]int, error) {
			calls.Add(1)
			if slices.Contains(piece, failing) {
				return nil, errPiece
			}
			places := make([]int, len(answered))
			for i := range places {
				places[i] = i
			}
			return Join(piece, places, func(i int) byte { return answered[i] }), nil
		})
		for key, place := range found {
			require.Contains(t, keys, key)
			require.Equal(t, slices.Index(answered, key), place, "the first row of a key counts")
		}
		for _, key := range keys {
			_, here := found[key]
			met := commerce.KeyError(err, key)
			require.False(t, here && met != nil)
			if met == nil {
				require.Equal(t, slices.Contains(answered, key), here)
			}
		}
		require.Equal(t, slices.Contains(keys, failing), err != nil)
		require.LessOrEqual(t, calls.Load(), int64(len(keys)))
	})
}

func TestBatchSplitsByTheTraits(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ keys, size, calls int }{
		{0, 10, 0},
		{1, 10, 1},
		{10, 10, 1},
		{11, 10, 2},
		{commerce.MaxBatch, 0, 1},
		{commerce.MaxBatch + 1, -1, 2},
	} {
		keys := make([]int, tc.keys)
		for i := range keys {
			keys[i] = i
		}
		traits := readTraits
		traits.BatchSize = tc.size
		var calls, atOnce, most atomic.Int64
		found, err := Batch(t.Context(), traits, append(keys, keys...), func(_ context.Context, piece []int) (map[int]row, error) {
			calls.Add(1)
			highest(&most, atOnce.Add(1))
			defer atOnce.Add(-1)
			return Join(piece, []row{rowOf(piece[0])}, keyOf), nil
		})
		require.NoError(t, err)
		assert.EqualValues(t, tc.calls, calls.Load(), "%+v", tc)
		assert.Len(t, found, tc.calls)
		assert.LessOrEqual(t, most.Load(), int64(piecesAtOnce))
	}
}

// highest keeps the largest n.
func highest(most *atomic.Int64, n int64) {
	for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
	}
}

// A slow piece holds up nobody but the queue behind it, and all goroutines have ended afterwards.
func TestPiecesRunAFewAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		traits := readTraits
		traits.BatchSize = 1
		begun := time.Now()
		var running, most atomic.Int64
		_, err := Batch(t.Context(), traits, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, func(context.Context, []int) (map[int]row, error) {
			highest(&most, running.Add(1))
			time.Sleep(time.Second)
			running.Add(-1)
			return nil, nil //nolint:nilnil // nothing was found
		})
		require.NoError(t, err)
		assert.EqualValues(t, piecesAtOnce, most.Load())
		assert.Equal(t, 3*time.Second, time.Since(begun))
		synctest.Wait()
	})
}

func TestADeadlineEndsABatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		traits := readTraits
		traits.BatchSize = 1
		asked := atomic.Int64{}
		found, err := Batch(ctx, traits, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, func(ctx context.Context, piece []int) (map[int]row, error) {
			asked.Add(1)
			select {
			case <-time.After(time.Second):
				return Join(piece, []row{rowOf(piece[0])}, keyOf), nil
			case <-ctx.Done():
				return nil, Failed(traits, commerce.ErrTimeout, ctx.Err())
			}
		})
		assert.Len(t, found, piecesAtOnce, "what came in time stands")
		assert.EqualValues(t, 2*piecesAtOnce, asked.Load(), "the last one is not begun")
		for key := 1 + piecesAtOnce; key <= 9; key++ {
			met := commerce.KeyError(err, key)
			require.ErrorIs(t, met, commerce.ErrTimeout)
			assert.Equal(t, readTraits.Operation, callError(t, met).Operation)
			assert.Equal(t, commerce.ReasonTimeout, callError(t, met).Reason)
		}
	})
}

func TestACallerWhoLeavesABatchIsToldSo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, keys := range [][]int{{1}, {1, 2, 3}} {
		traits := readTraits
		traits.BatchSize = 2
		found, err := Batch(ctx, traits, keys, func(context.Context, []int) (map[int]row, error) {
			t.Error("nothing is begun for somebody who has left")
			return nil, errPiece
		})
		assert.Empty(t, found)
		require.Equal(t, context.Canceled, err)
	}
}

// What is asked by nobody any more must not look like what does not exist.
func TestOneKeysCancellationIsNoOthersAbsence(t *testing.T) {
	t.Parallel()
	traits := readTraits
	traits.BatchSize = 1
	found, err := Batch(t.Context(), traits, []int{1, 2}, func(_ context.Context, piece []int) (map[int]row, error) {
		if piece[0] == 1 {
			return nil, &commerce.BatchError[int]{Errs: map[int]error{1: context.Canceled}}
		}
		return map[int]row{2: rowOf(2)}, nil
	})
	assert.Equal(t, map[int]row{2: rowOf(2)}, found)
	require.ErrorIs(t, commerce.KeyError(err, 1), context.Canceled)
	require.NoError(t, commerce.KeyError(err, 2))
}

func TestTheOneCauseIsTheError(t *testing.T) {
	t.Parallel()
	traits := readTraits
	traits.BatchSize = 2
	failing := func(err error) func(context.Context, []int) (map[int]row, error) {
		return func(_ context.Context, piece []int) (map[int]row, error) {
			if err == nil {
				return nil, fmt.Errorf("piece %d: %w", piece[0], errPiece)
			}
			return nil, err
		}
	}
	_, err := Batch(t.Context(), traits, []int{1, 2, 3}, failing(errPiece))
	require.Equal(t, errPiece, err)
	batch := &commerce.BatchError[int]{}
	_, err = Batch(t.Context(), traits, []int{1, 2, 3}, failing(nil))
	require.ErrorAs(t, err, &batch, "two causes")
	require.Len(t, batch.Errs, 3)
	_, err = Batch(t.Context(), traits, []int{1, 2}, failing(&commerce.BatchError[int]{Errs: map[int]error{1: errPiece}}))
	require.ErrorAs(t, err, &batch, "the other key was asked, and is not there")
	require.NoError(t, commerce.KeyError(err, 2))
}

// A panic in a piece belongs to the caller, whose recovery it must reach with all goroutines ended.
func TestAPanicInAPieceIsTheCallers(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]int{{1}, {1, 2, 3, 4, 5, 6}} {
		traits := readTraits
		traits.BatchSize = 1
		value := func() (value any) {
			defer func() { value = recover() }()
			_, err := Batch(t.Context(), traits, keys, func(_ context.Context, piece []int) (map[int]row, error) {
				if piece[0] == 1 {
					panic(errPiece)
				}
				return map[int]row{}, nil
			})
			return err
		}()
		err, ok := value.(error)
		require.True(t, ok)
		require.ErrorIs(t, err, errPiece)
		if len(keys) > 1 {
			assert.ErrorContains(t, err, "batch_test.go", "the stack is where it happened")
		}
	}
}

// A goroutine that is ended, as a failing test does, has answered nothing.
func TestAPieceThatEndsItsGoroutineHasFailed(t *testing.T) {
	t.Parallel()
	traits := readTraits
	traits.BatchSize = 1
	_, err := Batch(t.Context(), traits, []int{1, 2}, func(_ context.Context, piece []int) (map[int]row, error) {
		if piece[0] == 1 {
			runtime.Goexit()
		}
		return map[int]row{}, nil
	})
	require.ErrorIs(t, commerce.KeyError(err, 1), commerce.ErrUnavailable)
	require.NoError(t, commerce.KeyError(err, 2))
}

func BenchmarkBatchOfOnePiece(b *testing.B) {
	keys := make([]int, commerce.MaxBatch)
	rows := make([]row, len(keys))
	for i := range keys {
		keys[i], rows[i] = i, rowOf(i)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = Batch(b.Context(), readTraits, keys, func(_ context.Context, piece []int) (map[int]row, error) {
			return Join(piece, rows, keyOf), nil
		})
	}
}
