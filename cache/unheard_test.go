package cache

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	peer "github.com/alicebob/miniredis/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// unheardCache is a process with others that a test lets it hear, and no Redis.
func unheardCache(t *testing.T, cfg Config) (c *Cache, hear func()) {
	t.Helper()
	c = newCache(t, cfg)
	c.news = &news{table: c.tags, began: time.Now()}
	return c, func() { c.news.heardAt.Store(int64(time.Since(c.news.began))) }
}

// What is read steadily is new within five seconds of when others were heard last,
// nobody waits for it, and once they are heard again it lasts as long as ever.
func TestC12_UnheardWhatIsReadSteadilyIsNewWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, hear := unheardCache(t, Config{Unheard: 5 * time.Second})
		upstream := &source{value: numbered, takes: 20 * time.Millisecond}
		port := over(c, upstream)
		_, _, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		oldest := time.Duration(0)
		read := func(long time.Duration, each func()) {
			for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				each()
				begun := time.Now()
				_, at, err := ask(t.Context(), port, "A")
				require.NoError(t, err)
				require.Zero(t, time.Since(begun))
				require.Equal(t, commerce.StateFresh, at.State)
				oldest = max(oldest, at.Age)
			}
		}
		read(2*time.Minute, hear)
		require.Equal(t, 1, upstream.count(), "who hears others renews nothing for that")
		read(5*time.Second, func() {})
		oldest = 0
		read(time.Minute, func() {})
		assert.LessOrEqual(t, oldest, 5*time.Second)
		loads := upstream.count()
		assert.LessOrEqual(t, loads, 1+1+65/4)
		read(2*time.Minute, hear)
		assert.Equal(t, loads, upstream.count())
	})
}

// What was not read for a while is given at once, called stale, and loaded anew in one
// call with what else the read asks for; when that fails, after five seconds again.
func TestC12_UnheardWhatWasNotReadIsGivenAsStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, hear := unheardCache(t, Config{Unheard: 5 * time.Second})
		upstream := &source{value: numbered}
		port := over(c, upstream)
		both := []commerce.SKU{"A", "B"}
		read := func() (name string, states []commerce.State) {
			ctx, sink := commerce.WithSink(t.Context())
			begun := time.Now()
			found, err := port.Products(ctx, us, both)
			require.NoError(t, err)
			require.Zero(t, time.Since(begun))
			synctest.Wait()
			for _, s := range sink.Sources() {
				states = append(states, s.State)
			}
			return found["A"].Name, states
		}
		fresh, stale := []commerce.State{commerce.StateFresh, commerce.StateFresh}, []commerce.State{commerce.StateStale, commerce.StateStale}
		read()
		time.Sleep(20 * time.Second)
		hear()
		_, states := read()
		require.Equal(t, fresh, states)
		time.Sleep(5 * time.Second)
		name, states := read()
		require.Equal(t, "1", name)
		require.Equal(t, stale, states)
		require.Equal(t, []int{2, 2}, upstream.keys)
		name, states = read()
		require.Equal(t, "2", name)
		require.Equal(t, fresh, states)

		time.Sleep(5 * time.Second)
		upstream.set(func(s *source) {
			s.err = &commerce.CallError{Kind: commerce.ErrUnavailable, Reason: commerce.ReasonUnavailable}
		})
		for range 100 { // for ten seconds
			name, states = read()
			require.Equal(t, "2", name)
			require.Equal(t, stale, states)
			time.Sleep(100 * time.Millisecond)
		}
		require.Equal(t, 2+2, upstream.count(), "left alone for five seconds after each failure")
		hear()
		_, states = read()
		require.Equal(t, fresh, states, "nothing was invalidated by anyone")
	})
}

func TestC12_UnheardAnswersEndWithTheirParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Unheard: 5 * time.Second, AnswerBytes: 1 << 20}
		c, hear := unheardCache(t, cfg)
		a, err := NewAnswers(c, cfg, "web", nil)
		require.NoError(t, err)
		defer a.Close()
		port := over(c, &source{})
		asked := func() Result {
			_, result, err := a.Do(t.Context(), questionOf("q"), func(ctx context.Context) (Produced, error) {
				ctx, sink := commerce.WithSink(ctx)
				_, err := port.Products(ctx, us, []commerce.SKU{"A"})
				return Produced{Body: []byte("x"), Whole: true, Sources: sink.Sources()}, err
			})
			require.NoError(t, err)
			return result
		}
		require.Equal(t, Miss, asked())
		time.Sleep(time.Second)
		hear()
		time.Sleep(2 * time.Second)
		require.Equal(t, Hit, asked())
		time.Sleep(3 * time.Second)
		require.Equal(t, Miss, asked(), "five seconds after others were heard")
		synctest.Wait()
		require.Equal(t, Miss, asked(), "what it was made of was stale")
		time.Sleep(2 * time.Second)
		require.Equal(t, Hit, asked())
		a.table.InvalidateAll()
		require.Equal(t, Miss, asked(), "made of what is two seconds old")
		time.Sleep(2500 * time.Millisecond)
		require.Equal(t, Miss, asked(), "which is nearly five now: it is loaded anew")
	})
}

// Waiting for invalidations fails, whatever else Redis does: they are asked for.
func TestC12_WithoutPushOthersAreToldWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(*peer.Peer){
		"refused": func(p *peer.Peer) { p.WriteError("NOPERM this user has no permissions to run the 'xread' command") },
		"cut":     func(p *peer.Peer) { p.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			server.Server().SetPreHook(func(p *peer.Peer, command string, _ ...string) bool {
				if command != "XREAD" {
					return false
				}
				cut(p)
				return true
			})
			upstream := &catalogAt{}
			skus, tags := manySKUs(10)
			a, b := newCache(t, Config{RedisURL: urlOf(server)}), newCache(t, Config{RedisURL: urlOf(server)})
			there := over(b, upstream)
			var took []time.Duration
			for range 3 {
				olderThan(t, there, skus, 0)
				least := upstream.now.Add(1)
				begun := time.Now()
				invalidate(t, a, tags...)
				require.Eventually(t, func() bool { return olderThan(t, there, skus, least) == 0 }, time.Minute, 10*time.Millisecond)
				took = append(took, time.Since(begun))
			}
			assert.Less(t, slices.Min(took), 5*time.Second, "a busy machine makes some of them late: %v", took)
			assert.True(t, b.news.current.Load(), "it knows all that it is told, if late, and reads Redis")
		})
	}
}

// One process reaches Redis, the other does not: what is read there all the time is new
// soon nevertheless.
func TestC12_WithoutRedisWhatIsReadIsNewSoon(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	near := newLink(t, server.Addr())
	upstream := &catalogAt{}
	skus, tags := manySKUs(10)
	a, b := newCache(t, Config{RedisURL: urlOf(server)}), newCache(t, Config{RedisURL: near.url(), Unheard: hearing})
	there := over(b, upstream)
	olderThan(t, there, skus, 0)
	near.point("")
	loses(t, b)
	least := upstream.now.Add(1)
	invalidate(t, a, tags...)
	settles(t, "it was loaded anew", func() bool { return olderThan(t, there, skus, least) == 0 })
}
