package cache

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// addressOf is where c has a product in Redis.
func addressOf(c *Cache, sku commerce.SKU) string {
	own := wrapper{c, publicTraits(commerce.OpProducts)}.plan(commerce.OpProducts, codecOf[*commerce.Product]())
	prefix, _ := own.prefix(inMarket(us))
	return address(withArgs(prefix, string(sku)))
}

// schemes are the ways to one server.
var schemes = map[string]string{"standalone": "redis://", "cluster": "redis+cluster://"}

// A lease that never ends, or ends in an hour, is nobody's: nobody waits for it.
func TestC2_ALeaseThatDoesNotEndStarvesNobody(t *testing.T) {
	t.Parallel()
	for name, life := range map[string]time.Duration{"never": 0, "in an hour": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			c, counts := newCounted(t, urlOf(server))
			for _, text := range []string{strings.Repeat("9", 40) + "somebody", strings.Repeat("9", 40), "x"} {
				server.FlushAll()
				c.memory.values.InvalidateAll()
				settles(t, "it hears", func() bool { return c.news.current.Load() && server.Exists(newsStream) })
				lease := leaseAddress(addressOf(c, "A"))
				require.NoError(t, server.Set(lease, text))
				if life > 0 {
					server.SetTTL(lease, life)
				}
				upstream := &source{}
				p, _, err := ask(t.Context(), over(c, upstream), "A")
				require.NoError(t, err)
				assert.NotNil(t, p)
				c.work.Wait()
				assert.Equal(t, 1, upstream.count())
				assert.Empty(t, leasesAt(server), "it was taken, and given back")
			}
			assert.Zero(t, leaseCount(t, counts, "held"))
		})
	}
}

// What is no string, where an entry or a lease lies, is a miss of that key alone, and
// gone with its next answer.
func TestC15_ForeignTypesAreMissesOfTheirKeyAlone(t *testing.T) {
	t.Parallel()
	for name, scheme := range schemes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			url := commerce.Secret(scheme + server.Addr())
			a, b := newNode(t, url), newNode(t, url)
			upstream := &source{}
			_, err := over(a, upstream).Products(t.Context(), us, []commerce.SKU{"A"})
			require.NoError(t, err)
			a.work.Wait()
			_, err = server.Push(addressOf(a, "B"), "a list")
			require.NoError(t, err)
			server.HSet(leaseAddress(addressOf(a, "C")), "a", "hash")

			found, err := over(b, upstream).Products(t.Context(), us, []commerce.SKU{"A", "B", "C", "D"})
			require.NoError(t, err)
			assert.Len(t, found, 4)
			b.work.Wait()
			assert.Equal(t, []int{1, 3}, upstream.keys, "the first is from Redis")
			for _, gate := range []*breaker{&b.remote.reads, &b.remote.writes, &b.remote.leases} {
				assert.Zero(t, gate.failures)
			}
			assert.Empty(t, leasesAt(server))
			late := newNode(t, url)
			found, err = over(late, upstream).Products(t.Context(), us, []commerce.SKU{"A", "B", "C", "D"})
			require.NoError(t, err)
			assert.Len(t, found, 4)
			assert.Len(t, upstream.keys, 2, "all four are shared")
		})
	}
}

// A lease that is overwritten while its holder loads keeps none of the holder's others from being renewed or given back.
func TestC2_AForeignTypeInTheWayOfALeaseHarmsNoOther(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c, slow := newNode(t, urlOf(server)), newGate("slow")
	got := make(chan error, 1)
	go func() {
		_, err := over(c, slow).Products(t.Context(), us, []commerce.SKU{"A", "B"})
		got <- err
	}()
	<-slow.asked
	foreign, own := leaseAddress(addressOf(c, "A")), leaseAddress(addressOf(c, "B"))
	server.Del(foreign)
	server.HSet(foreign, "a", "hash")
	server.FastForward(leaseLife / 2)
	settles(t, "the other is renewed", func() bool { return server.TTL(own) > leaseLife/2 })
	close(slow.proceed)
	require.NoError(t, <-got)
	c.work.Wait()
	assert.Equal(t, []string{foreign}, leasesAt(server))
}
