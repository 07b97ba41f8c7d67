//go:build e2e

package e2e

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const misses = 500 // of each process, at once

// Nothing listens where Redis should be: each process asks for itself, once.
func TestC2_WithoutRedisOneCallAProcess(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	r, bin := newCatalogue(t), build(t, "./e2e/cachenode")
	nodes := []*cacheNode{newNode(t, bin, redis.url(), r), newNode(t, bin, redis.url(), r)}
	r.rename("sku", "name")
	r.slow(500 * time.Millisecond)
	for _, answers := range everywhere(nodes, "sku") {
		assert.Equal(t, slices.Repeat([]string{"name"}, misses), answers)
	}
	assert.LessOrEqual(t, r.asked("sku"), len(nodes))
}

// everywhere makes the misses at all nodes at once.
func everywhere(nodes []*cacheNode, sku string) [][]string {
	answers := make([][]string, len(nodes))
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() { answers[i] = node.names(sku, misses) })
	}
	wg.Wait()
	return answers
}

func (r *catalogue) slow(takes time.Duration) {
	r.set(func(r *catalogue) { r.takes = takes })
}
