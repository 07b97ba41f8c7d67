//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestC12_InvalidationReachesTheOtherProcess(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	redis.start()
	r, bin := newCatalogue(t), build(t, "./e2e/cachenode")
	one, other := newNode(t, bin, redis.url(), r), newNode(t, bin, redis.url(), r)
	shared(t, r, one, other)
	follows(t, "C12", r, one, other)
}

// A process that is cut off from Redis, and that nothing reaches, gives what was said
// not to be so as fresh for five seconds at most, and what is read steadily is new by then.
func TestC12_CutOffWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	const most = 5 * time.Second
	redis := newRedis(t)
	redis.start()
	r, bin := newCatalogue(t), build(t, "./e2e/cachenode")
	far := newLink(t, linksOnly(t), "far", "127.0.0.1:"+redis.port)
	one, other := newNode(t, bin, redis.url(), r), newNode(t, bin, far.url(), r)
	shared(t, r, one, other)
	r.rename("steady", "old")
	r.rename("seldom", "old")
	require.Equal(t, "old", other.name("steady"))
	require.Equal(t, "old", other.name("seldom"))
	far.cut()
	cut := time.Now()
	r.rename("steady", "new")
	r.rename("seldom", "new")
	one.invalidate("steady", "seldom")
	for other.name("steady") == "old" {
		require.Less(t, time.Since(cut), 2*most)
		time.Sleep(5 * time.Millisecond)
	}
	figure(t, "C12", "cut off from Redis: what is read steadily is new after %v", time.Since(cut).Round(time.Millisecond))
	assert.LessOrEqual(t, time.Since(cut), most+5*tolerance)
	time.Sleep(time.Until(cut.Add(most)))
	seen, ok := other.look(t.Context(), "seldom")
	require.True(t, ok)
	assert.True(t, seen.name == "new" || seen.state == "stale", "%+v: as fresh no longer", seen)
	require.Eventually(t, func() bool { return other.name("seldom") == "new" }, time.Minute, 10*time.Millisecond, "and renewed once it was read")
}

// rumour is a catalogue whose products are renamed to ever higher numbers, and said to
// be, while others read.
type rumour struct {
	*catalogue
	said map[string]*atomic.Int64 // the number that invalidations have returned for
	skus []string
}

func newRumour(r *catalogue) *rumour {
	u := &rumour{catalogue: r, said: map[string]*atomic.Int64{}}
	for i := range 10 {
		sku := fmt.Sprint("sku-", i)
		r.rename(sku, "0")
		u.said[sku], u.skus = &atomic.Int64{}, append(u.skus, sku)
	}
	return u
}

// follows renames and invalidates at each of both nodes, which are read from all the
// while: where it was said nobody is given what was, and the other follows soon.
func follows(t *testing.T, item string, r *catalogue, one, other *cacheNode) {
	t.Helper()
	rounds := 50
	if *cacheFull {
		rounds = 1000
	}
	u, number := newRumour(r), int64(0)
	for _, who := range []struct {
		name        string
		says, hears *cacheNode
	}{{"one way", one, other}, {"the other way", other, one}} {
		ctx, cancel := context.WithCancel(t.Context())
		reading := u.readers(ctx, who.says, who.hears)
		var took []time.Duration
		for i := range rounds {
			number++
			took = append(took, u.round(t, u.skus[i%len(u.skus)], number, who.says, who.hears))
		}
		cancel()
		reads, old := reading()
		figure(t, item, "%s: %d invalidations while %d reads were answered: the other process followed after %v at p50, %v at p99, %v at most; %d old answers where it was said",
			who.name, rounds, reads, quantile(took, 0.5), quantile(took, 0.99), quantile(took, 1), old)
		assert.Zero(t, old, "%s: old answers after an invalidation returned", who.name)
		assert.LessOrEqual(t, quantile(took, 0.99), time.Second+tolerance, who.name)
	}
}

// round answers after what time who hears gives the new name.
func (u *rumour) round(t *testing.T, sku string, number int64, says, hears *cacheNode) time.Duration {
	t.Helper()
	text := strconv.FormatInt(number, 10)
	u.rename(sku, text)
	says.invalidate(sku)
	begun := time.Now()
	u.said[sku].Store(number)
	require.Equal(t, text, says.name(sku), "at once where it was said")
	for hears.name(sku) != text {
		require.Less(t, time.Since(begun), time.Minute)
	}
	return time.Since(begun)
}

// readers read from both nodes until ctx ends. What they answer then tells how many
// answers there were, and how many at says were older than what it had been told when
// they were asked for.
func (u *rumour) readers(ctx context.Context, says, hears *cacheNode) (ended func() (reads, old int64)) {
	var wg sync.WaitGroup
	var reads, old atomic.Int64
	for _, node := range []*cacheNode{says, says, hears, hears} {
		wg.Go(func() {
			for ctx.Err() == nil {
				sku := u.skus[rand.IntN(len(u.skus))]
				least := u.said[sku].Load()
				status, raw, err := exchange(ctx, http.MethodGet, node.base+"/names?sku="+sku, "")
				number, wrong := strconv.ParseInt(string(raw), 10, 64)
				if err != nil || status != http.StatusOK || wrong != nil {
					continue
				}
				reads.Add(1)
				if node == says && number < least {
					old.Add(1)
				}
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	return func() (int64, int64) {
		wg.Wait()
		return reads.Load(), old.Load()
	}
}
