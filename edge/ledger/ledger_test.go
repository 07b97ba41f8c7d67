package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestMain(m *testing.M) {
	// go-redis looks for a server that is gone once a second, and sees only then that its client was closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// ledgers are both kinds; pass lets time pass in them.
func ledgers(t *testing.T, test func(t *testing.T, l ledger.Ledger)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, ledger.NewMemory())
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		l, _ := onRedis(t)
		test(t, l)
	})
}

func onRedis(t *testing.T) (*ledger.Redis, *miniredis.Miniredis) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return ledger.NewRedis(client), server
}

func TestLedgerClaimsReplacesAndDrops(t *testing.T) {
	t.Parallel()
	ledgers(t, func(t *testing.T, l ledger.Ledger) {
		ctx := t.Context()
		held, claimed, err := l.Claim(ctx, "k", "a", time.Minute)
		require.NoError(t, err)
		assert.True(t, claimed)
		assert.Equal(t, "a", held)
		held, claimed, err = l.Claim(ctx, "k", "b", time.Minute)
		require.NoError(t, err)
		assert.False(t, claimed)
		assert.Equal(t, "a", held)

		ok, err := l.Replace(ctx, "k", "b", "c", time.Minute)
		require.NoError(t, err)
		assert.False(t, ok, "somebody else's record stays")
		ok, err = l.Replace(ctx, "k", "a", "c", time.Minute)
		require.NoError(t, err)
		assert.True(t, ok)
		ok, err = l.Replace(ctx, "new", "a", "d", time.Minute)
		require.NoError(t, err)
		assert.True(t, ok, "a record that ran out may be written again")

		ok, err = l.Drop(ctx, "k", "a")
		require.NoError(t, err)
		assert.False(t, ok)
		ok, err = l.Drop(ctx, "k", "c")
		require.NoError(t, err)
		assert.True(t, ok)
		held, err = l.Get(ctx, "k")
		require.NoError(t, err)
		assert.Empty(t, held)
		held, err = l.Get(ctx, "new")
		require.NoError(t, err)
		assert.Equal(t, "d", held)
	})
}

func TestLedgerHasOneWinner(t *testing.T) {
	t.Parallel()
	ledgers(t, func(t *testing.T, l ledger.Ledger) {
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				held, claimed, err := l.Claim(t.Context(), "k", fmt.Sprint(i), time.Minute)
				for (errors.Is(err, commerce.ErrUnavailable) || errors.Is(err, commerce.ErrTimeout)) && t.Context().Err() == nil { // a busy machine's Redis is late
					held, claimed, err = l.Claim(t.Context(), "k", fmt.Sprint(i), time.Minute)
				}
				if assert.NoError(t, err) && (claimed || held == fmt.Sprint(i)) {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		assert.Equal(t, int64(1), won.Load())
	})
}

func TestRedisRecordsRunOut(t *testing.T) {
	t.Parallel()
	l, server := onRedis(t)
	_, _, err := l.Claim(t.Context(), "k", "a", time.Minute)
	require.NoError(t, err)
	server.FastForward(61 * time.Second)
	_, claimed, err := l.Claim(t.Context(), "k", "b", time.Minute)
	require.NoError(t, err)
	assert.True(t, claimed)
}

func TestRedisDownIsUnavailable(t *testing.T) {
	t.Parallel()
	l, server := onRedis(t)
	server.Close()
	_, _, err := l.Claim(t.Context(), "k", "a", time.Minute)
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	_, err = l.Replace(t.Context(), "k", "a", "b", time.Minute)
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	_, err = l.Drop(t.Context(), "k", "a")
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	_, err = l.Get(t.Context(), "k")
	require.ErrorIs(t, err, commerce.ErrUnavailable)
}

func TestRedisPassesCancellationOn(t *testing.T) {
	t.Parallel()
	l, _ := onRedis(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := l.Claim(ctx, "k", "a", time.Minute)
	require.ErrorIs(t, err, context.Canceled)
}

func TestMemoryRecordsRunOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := ledger.NewMemory()
		_, _, err := l.Claim(t.Context(), "k", "a", time.Minute)
		require.NoError(t, err)
		time.Sleep(61 * time.Second)
		held, err := l.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.Empty(t, held)
	})
}

func TestMemoryIsBoundedAndRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := ledger.NewMemory()
		value := strings.Repeat("x", 1<<20)
		var refused error
		n := 0
		for ; refused == nil && n < 100; n++ {
			_, _, refused = l.Claim(t.Context(), fmt.Sprint(n), value, time.Minute)
		}
		require.ErrorIs(t, refused, commerce.ErrUnavailable)
		assert.Equal(t, 64, n, "64 MiB, less what a record costs beside its value")
		held, err := l.Get(t.Context(), "0")
		require.NoError(t, err)
		assert.Equal(t, value, held, "nothing was forgotten to make room")
		time.Sleep(2 * time.Minute)
		_, claimed, err := l.Claim(t.Context(), "late", value, time.Minute)
		require.NoError(t, err)
		assert.True(t, claimed)
	})
}

func TestKeysDoNotCollideOrTell(t *testing.T) {
	t.Parallel()
	assert.NotEqual(t, ledger.Key("s", "ab", "c"), ledger.Key("s", "a", "bc"))
	assert.NotEqual(t, ledger.Key("s", "a"), ledger.Key("s", "a", ""))
	assert.NotEqual(t, ledger.Key("s", "t"), ledger.Key("t", "s"))
	assert.NotContains(t, ledger.Key("s", "canary"), "canary")
	assert.NotEqual(t, ledger.Token(), ledger.Token())
}

func TestOnlyWhatIsHeldIsExtended(t *testing.T) {
	t.Parallel()
	ledgers(t, func(t *testing.T, l ledger.Ledger) {
		ctx := t.Context()
		extended, err := l.Extend(ctx, "k", "a", time.Minute)
		require.NoError(t, err)
		assert.False(t, extended, "nothing is there")
		_, _, err = l.Claim(ctx, "k", "a", time.Minute)
		require.NoError(t, err)
		extended, err = l.Extend(ctx, "k", "b", time.Minute)
		require.NoError(t, err)
		assert.False(t, extended, "another's")
		extended, err = l.Extend(ctx, "k", "a", time.Hour)
		require.NoError(t, err)
		assert.True(t, extended)
		held, err := l.Get(ctx, "k")
		require.NoError(t, err)
		assert.Equal(t, "a", held)
	})
}

// What runs long is held for as long as its holder says, also where there is no Redis.
func TestMemoryHoldsWhatIsExtended(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := ledger.NewMemory()
		_, _, err := l.Claim(t.Context(), "k", "a", time.Minute)
		require.NoError(t, err)
		for range 3 {
			time.Sleep(50 * time.Second)
			extended, err := l.Extend(t.Context(), "k", "a", time.Minute)
			require.NoError(t, err)
			require.True(t, extended)
		}
		_, claimed, err := l.Claim(t.Context(), "k", "b", time.Minute)
		require.NoError(t, err)
		assert.False(t, claimed, "it is held still")
		time.Sleep(61 * time.Second)
		_, claimed, err = l.Claim(t.Context(), "k", "b", time.Minute)
		require.NoError(t, err)
		assert.True(t, claimed)
	})
}

// A full ledger finds what ran out behind many records that are to be kept for days.
func TestMemoryFindsRoomBehindWhatIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := ledger.NewMemory()
		claim := func(key string, bytes int, ttl time.Duration) error {
			_, _, err := l.Claim(t.Context(), key, strings.Repeat("x", bytes), ttl)
			return err
		}
		const kept = 100
		for i := range kept {
			require.NoError(t, claim(fmt.Sprint("kept ", i), 1, time.Hour))
		}
		for i := 0; claim(fmt.Sprint("short ", i), 1<<20, time.Minute) == nil; i++ {
		}
		time.Sleep(2 * time.Minute)
		refused := 0
		for claim("late", 1<<20, time.Minute) != nil && refused < kept {
			refused++
		}
		assert.Less(t, refused, kept/10, "each write looks at some")
		for i := range kept {
			held, err := l.Get(t.Context(), fmt.Sprint("kept ", i))
			require.NoError(t, err)
			assert.NotEmpty(t, held)
		}
	})
}

// Small records are counted with what they take beside their texts.
func TestMemoryIsBoundedInRecords(t *testing.T) {
	t.Parallel()
	l, most := ledger.NewMemory(), 64<<20/256
	n := 0
	for ; n <= most; n++ {
		if _, _, err := l.Claim(t.Context(), strconv.Itoa(n), "x", time.Hour); err != nil {
			require.ErrorIs(t, err, commerce.ErrUnavailable)
			break
		}
	}
	assert.LessOrEqual(t, n, most)
	assert.Greater(t, n, most/2)
}
