package watch

import (
	"context"
	"fmt"
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

// After a loss of Redis all that is watched was perhaps changed: the systems are not asked for
// all of it at once, and a change of one thing meanwhile is not behind the others.
func TestWhatIsDroppedAtOnceIsReadOneAfterTheOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		order := &struck{}
		hub := New(order)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { hub.Run(ctx); close(done) }()
		const many = 20*most + 1
		watchers := make([]*Watcher, many)
		for i := range watchers {
			watchers[i] = hub.Watch([]commerce.Tag{"all", commerce.Tag(fmt.Sprint("order:", i))})
		}
		taken := make([]int, many)
		take := func() (now int) {
			synctest.Wait()
			for i, w := range watchers {
				select {
				case <-w.Woken():
					taken[i]++
					now++
				default:
				}
			}
			return now
		}
		order.strike("all")
		hub.Ring()
		assert.Equal(t, most, take())
		last := slices.Index(taken, 0) // is late
		order.strike(commerce.Tag(fmt.Sprint("order:", last)))
		hub.Ring()
		time.Sleep(rest)
		assert.LessOrEqual(t, take(), most+1)
		assert.Equal(t, 1, taken[last], "a change of its own is not behind the others")
		for gone := range watchers[:most] { // who leaves is waited for by nobody
			watchers[gone].Close()
		}
		for times := 1; times <= 2; times++ {
			for range many/most + 1 {
				time.Sleep(rest)
				assert.LessOrEqual(t, take(), most)
			}
			for i := most; i < many; i++ {
				assert.Equal(t, times, taken[i], i)
			}
			time.Sleep(10 * rest)
			assert.Zero(t, take(), "and all of it once")
			assert.Empty(t, hub.late)
			order.strike("all")
			hub.Ring()
			assert.Equal(t, most, take())
		}
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
