//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

// TestW10_TwoNodesOnOneRedisShareABudget has coupons guessed at two nodes, without Redis at last.
func TestW10_TwoNodesOnOneRedisShareABudget(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	redis.start()
	settings := append(patient(), "REDIS_URL="+redis.url(), "ORDER_TOKEN_KEY=a key that both nodes have, of 32 bytes or more",
		"RATE_LIMIT_EXEMPT=none", "TRUSTED_PROXIES=127.0.0.0/8", "RATE_LIMIT_ADDRESS_COUPONS=20")
	one, other := start(t, settings...), start(t, settings...)
	const guess = `mutation{cartCouponApply(input:{cartId:"g_none" code:"X"}){userErrors{code}}}`
	spend := func(node *stack.Stack, address string) (through int, last reply) {
		for range 100 {
			if last = graphQL(t, node, guess, nil, "X-Forwarded-For", address); last.Status != http.StatusOK {
				return through, last
			}
			through++
		}
		return through, last
	}
	shared := false
	for i := range 5 { // a node whose Redis is late, as on a busy machine, keeps to the budget alone
		address, begun := fmt.Sprintf("203.0.113.%d", i+1), time.Now()
		through, refused := spend(one, address)
		refilled := int(time.Since(begun) / (3 * time.Second)) // 20 a minute
		assert.InDelta(t, 20, through, float64(3+refilled))
		require.Equal(t, http.StatusTooManyRequests, refused.Status, refused.Raw)
		assert.Equal(t, "RATE_LIMITED", refused.text("errors", 0, "extensions", "code"))
		through, refused = spend(other, address)
		assert.Equal(t, http.StatusTooManyRequests, refused.Status)
		if shared = through < 10; shared {
			break
		}
	}
	assert.True(t, shared, "the other node's is the same budget")
	redis.stop()
	readable(t, one, "SO-B909-M")
	readable(t, other, "SO-B909-M")
}
