package watch

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/schema/commerce"
)

// struck is an order of invalidations.
type struck struct {
	mu   sync.Mutex
	list []commerce.Tag
}

func (s *struck) strike(tag commerce.Tag) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, tag)
}

func (s *struck) Now() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(len(s.list))
}

func (s *struck) Struck(since uint64, tags ...commerce.Tag) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.list[since:], func(tag commerce.Tag) bool { return slices.Contains(tags, tag) })
}

func TestWhoWatchesATagIsWokenOnceForAllOfAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		order := &struck{}
		order.strike("a") // before anybody watched
		hub := New(order)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { hub.Run(ctx); close(done) }()
		a, also, b := hub.Watch([]commerce.Tag{"a", "all"}), hub.Watch([]commerce.Tag{"a", "all"}), hub.Watch([]commerce.Tag{"b", "all"})
		woken := func() []int { return []int{len(a.Woken()), len(also.Woken()), len(b.Woken())} }
		hub.Ring()
		synctest.Wait()
		assert.Equal(t, []int{0, 0, 0}, woken(), "nothing was invalidated since")
		time.Sleep(rest)
		for range 3 {
			order.strike("a")
			hub.Ring()
		}
		synctest.Wait()
		time.Sleep(rest)
		assert.Equal(t, []int{1, 1, 0}, woken())
		<-a.Woken()
		also.Close()
		also.Close()
		order.strike("all")
		hub.Ring()
		time.Sleep(2 * rest)
		assert.Equal(t, []int{1, 1, 1}, woken(), "the one that was closed is not woken again")
		a.Close()
		b.Close()
		assert.Empty(t, hub.topics, "nothing is kept of who left")
		cancel()
		<-done
	})
}

func TestWithoutAHubNobodyIsWoken(t *testing.T) {
	t.Parallel()
	var none *Hub
	w := none.Watch([]commerce.Tag{"a"})
	assert.Empty(t, w.Woken())
	w.Close()
}
