//go:build e2e

package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestW10_TwoNodesOnOneRedisShareABudget has coupons guessed at two nodes, without Redis at last.
func TestW10_TwoNodesOnOneRedisShareABudget(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	redis.start()
	settings := append(patient(), "REDIS_URL="+redis.url(), "ORDER_TOKEN_KEY=a key that both nodes have, of 32 bytes or more",
		"RATE_LIMIT_EXEMPT=none", "RATE_LIMIT_ADDRESS_COUPONS=20")
	one, other := start(t, settings...), start(t, settings...)
	const guess = `mutation{cartCouponApply(input:{cartId:"g_none" code:"X"}){userErrors{code}}}`
	spend := func(post func() reply) (through int, last reply) {
		for range 100 {
			if last = post(); last.Status != http.StatusOK {
				return through, last
			}
			through++
		}
		return through, last
	}
	begun := time.Now()
	through, refused := spend(func() reply { return graphQL(t, one, guess, nil) })
	refilled := int(time.Since(begun) / (3 * time.Second)) // 20 a minute, while a busy machine spends them
	assert.InDelta(t, 20, through, float64(3+refilled))
	require.Equal(t, http.StatusTooManyRequests, refused.Status, refused.Raw)
	assert.Equal(t, "RATE_LIMITED", refused.text("errors", 0, "extensions", "code"))
	through, refused = spend(func() reply { return graphQL(t, other, guess, nil) })
	assert.Less(t, through, 20, "the other node's is the same budget")
	assert.Equal(t, http.StatusTooManyRequests, refused.Status)
	readable(t, other, "HL-U509-R")
	redis.stop()
	readable(t, one, "SO-B909-M")
	readable(t, other, "SO-B909-M")
}
