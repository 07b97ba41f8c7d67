// Package watch wakes whoever watches tags, when one of them is invalidated: by this
// process, or by another that told it.
package watch

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// rest is how long the hub rests between two looks, and so how often a watcher is woken at
// most: what is invalidated meanwhile wakes
// its watchers once.
const rest = 100 * time.Millisecond

// most bounds the topics that are woken at once, each of which has systems asked by itself:
// when everything was dropped, as after a loss of Redis, the rest follows in the looks to come.
const most = 50

// Hub wakes watchers. A nil hub wakes nobody.
type Hub struct {
	order commerce.Invalidations
	rung  chan struct{} // holds one: that something was invalidated since the last look

	mu     sync.Mutex
	topics map[string]*topic // by their tags
	late   []*topic          // struck, and to be woken by the looks to come
}

// topic is what watchers of the same tags have in common.
type topic struct {
	tags     []commerce.Tag
	since    uint64 // the place in the order of invalidations up to which they know of all
	watchers map[*Watcher]struct{}
	late     bool // it is among the hub's
}

// New makes a hub that looks up in order what was invalidated.
func New(order commerce.Invalidations) *Hub {
	return &Hub{order: order, rung: make(chan struct{}, 1), topics: map[string]*topic{}}
}

// Ring says that something was invalidated. It never waits.
func (h *Hub) Ring() {
	select {
	case h.rung <- struct{}{}:
	default:
	}
}

// Run wakes watchers until ctx ends.
func (h *Hub) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.rung:
		}
		if h.look() {
			h.Ring()
		}
		timer.Reset(rest)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
	}
}

// look wakes those of whose tags one was invalidated since the last look: some of those who
// are late, and some of the others, so that a single change is not behind a great many. It
// tells whether it left any for later.
func (h *Hub) look() (more bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wakeLate()
	now := h.order.Now() // what is invalidated from here on may wake twice, and never not at all
	woken := 0
	for _, t := range h.topics { // in no order: nodes that share systems begin with others
		switch struck := h.order.Struck(t.since, t.tags...); {
		case !struck:
		case woken < most:
			t.wake()
			woken++
		case !t.late:
			t.late = true
			h.late = append(h.late, t)
		}
		t.since = now
	}
	return len(h.late) > 0
}

// wakeLate wakes as many of the late as may be woken at once. Some were woken meanwhile, or left.
func (h *Hub) wakeLate() {
	for woken := 0; woken < most && len(h.late) > 0; h.late = h.late[1:] {
		if t := h.late[0]; t.late && len(t.watchers) > 0 {
			t.wake()
			woken++
		}
	}
	if len(h.late) == 0 {
		h.late = nil
	}
}

// wake wakes all who watch t.
func (t *topic) wake() {
	t.late = false
	for w := range t.watchers {
		w.wake()
	}
}

// Watcher is woken when one of its tags is invalidated.
type Watcher struct {
	hub  *Hub
	key  string
	woke chan struct{} // holds one
}

// Watch watches tags from now on: a change that is told of after Watch returned wakes. The
// caller closes the watcher.
func (h *Hub) Watch(tags []commerce.Tag) *Watcher {
	w := &Watcher{hub: h, woke: make(chan struct{}, 1)}
	if h == nil {
		return w
	}
	w.key = keyOf(tags)
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[w.key]
	if t == nil {
		t = &topic{tags: slices.Clone(tags), since: h.order.Now(), watchers: map[*Watcher]struct{}{}}
		h.topics[w.key] = t
	}
	t.watchers[w] = struct{}{}
	return w
}

// keyOf is equal for the same tags in the same order.
func keyOf(tags []commerce.Tag) string {
	texts := make([]string, len(tags))
	for i, tag := range tags {
		texts[i] = string(tag)
	}
	return strings.Join(texts, " ") // which no tag holds
}

// Woken holds a value once one of the tags was invalidated, however often, since it was
// last received from.
func (w *Watcher) Woken() <-chan struct{} { return w.woke }

// Close ends the watch. It may be called twice.
func (w *Watcher) Close() {
	if w.hub == nil {
		return
	}
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	t := w.hub.topics[w.key]
	if t == nil {
		return
	}
	if delete(t.watchers, w); len(t.watchers) == 0 {
		delete(w.hub.topics, w.key)
	}
}

func (w *Watcher) wake() {
	select {
	case w.woke <- struct{}{}:
	default: // it will look anyway
	}
}
