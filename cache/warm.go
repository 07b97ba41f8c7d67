package cache

import (
	"context"
	"sync"
	"time"
	"unsafe"

	"github.com/portico-bff/portico/schema/commerce"
)

// Most calls find all they ask for in memory, fresh. For them alone there is a
// short way, which takes nothing but the map that is answered: keys are built in a
// borrowed buffer, and sources are collected in a borrowed list.

// scratch is what a call borrows.
type scratch struct {
	key     []byte
	sources []commerce.Source // of this call; behind its end lie those of earlier ones, until the pool lets go of it
	ages    histogram
	reports bool // whether anyone wants to know the sources
}

var scratches = sync.Pool{New: func() any { return &scratch{} }}

func (s *scratch) giveBack() {
	s.sources, s.ages = s.sources[:0], histogram{}
	scratches.Put(s)
}

// warm answers keys from memory when it holds each of them, current; otherwise
// false, and nothing has happened.
func (b *batch[K, V]) warm(ctx context.Context, who asker, keys []K) (map[K]V, bool) {
	if b.plan.policy.Fresh == 0 || len(keys) == 0 || ctx.Err() != nil {
		return nil, false
	}
	s, _ := scratches.Get().(*scratch)
	defer s.giveBack()
	var shared bool
	if s.key, shared = b.plan.appendPrefix(s.key[:0], who); !shared {
		return nil, false
	}
	sink, prefix, now := commerce.SinkOf(ctx), len(s.key), time.Now()
	s.reports = sink != nil
	var values map[K]V // none for a miss
	for _, k := range keys {
		v, ok := b.hit(s, prefix, k, now)
		if !ok {
			return nil, false
		}
		if values == nil {
			values = make(map[K]V, len(keys))
		}
		values[k] = v
	}
	if len(values) != len(keys) {
		return nil, false // some were asked for twice
	}
	b.cache.metrics.requests.Add(ctx, int64(len(keys)), b.plan.warm...)
	b.plan.counts.warm(len(keys), &s.ages)
	sink.Report(s.sources...)
	return values, true
}

// hit is one key's answer from memory, when it is there and current.
func (b *batch[K, V]) hit(s *scratch, prefix int, k K, now time.Time) (value V, ok bool) {
	text := b.text(k)
	s.key = appendField(s.key[:prefix], text)
	e := b.cache.memory.value(view(s.key))
	if e == nil || !b.cache.tags.alive(e) {
		return value, false
	}
	switch b.cache.judge(b.plan, e, now) {
	case current:
	case aging:
		if b.cache.due(b.plan, e, now) {
			return value, false
		}
	default:
		return value, false
	}
	if value, ok = e.value.(V); !ok {
		return value, false
	}
	age := e.age(now)
	s.ages.add(age)
	if s.reports {
		s.sources = append(s.sources, commerce.Source{
			System: b.plan.system, Operation: b.plan.name, Key: text, State: commerce.StateFresh,
			Age: age, Fresh: b.cache.left(b.plan, e, now), Scope: b.plan.policy.Scope, Way: commerce.WayMemory, Tags: e.tags, Kept: e,
		})
	}
	return value, true
}

// view is b as a string, for looking up only: it changes when b does.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
