package cache

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// world is a few processes with one Redis and one upstream, each step of which
// happens when the schedule says so. No clock has a part in it.
type world struct {
	r      *rand.Rand
	truth  [keysInWorld]int // the upstream's value of each key, rising
	stream []told           // what Redis holds; the ID of each is its place
	cut    int              // how much of the stream was trimmed
	redis  map[int]fact     // entries, by key
	nodes  []*process

	adopted int // answers taken over from Redis
}

const keysInWorld = 4

type told struct {
	tags []commerce.Tag
	by   int
	then [keysInWorld]int // what every answer has to be at least, once this is known
}

// fact is an answer with what its load knew of.
type fact struct {
	value int
	at    version
}

type process struct {
	id      int
	table   *tagTable
	read    int // how much of the stream it has taken
	memory  [keysInWorld]*entry
	least   [keysInWorld]int // what it may answer at least
	loads   []*loading
	untold  []told
	waiting []told // published, and the version not noted yet
}

// loading is a load in one of its stages.
type loading struct {
	key, stage, value int
	stamp             stamp
	remote            bool // whether it looks into Redis
	found             fact
}

func worldTags(key int) []commerce.Tag {
	return []commerce.Tag{commerce.Tag(fmt.Sprint("key:", key)), commerce.Tag(fmt.Sprint("group:", key%2)), commerce.TagAll}
}

func placeOf(n int) version { return version{1, uint64(n + 1)} }

func newWorld(seed uint64) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 1)), redis: map[int]fact{}}
	w.stream = append(w.stream, told{by: -1}) // it was begun
	for i := range 3 {
		p := &process{id: i, table: newTagTable()}
		p.table.limit = 1 + w.r.IntN(6)
		w.nodes = append(w.nodes, p)
		w.restart(p)
	}
	return w
}

// change changes some keys upstream and invalidates them at p by one of their tags.
func (w *world) change(p *process) {
	key := w.r.IntN(keysInWorld)
	tag := worldTags(key)[min(2, w.r.IntN(8)/3)]
	var then [keysInWorld]int
	for k := range keysInWorld {
		for _, t := range worldTags(k) {
			if t == tag {
				w.truth[k]++
				then[k] = w.truth[k]
			}
		}
	}
	p.table.strike([]commerce.Tag{tag}, true)
	p.knows(then)
	p.untold = append(p.untold, told{tags: []commerce.Tag{tag}, by: p.id, then: then})
}

func (p *process) knows(then [keysInWorld]int) {
	for k, v := range then {
		p.least[k] = max(p.least[k], v)
	}
}

// publish puts an invalidation of p into the stream, or lets p learn its version.
func (w *world) publish(p *process) {
	if len(p.waiting) > 0 {
		p.table.issued(p.waiting[0].tags, p.waiting[0].at())
		p.waiting = p.waiting[1:]
	} else if len(p.untold) > 0 {
		next := p.untold[0]
		p.untold = p.untold[1:]
		w.stream = append(w.stream, next)
		next.then[0] = len(w.stream) - 1 // from here on only its place counts
		p.waiting = append(p.waiting, next)
	}
}

func (t told) at() version { return placeOf(t.then[0]) }

// follow takes one entry of the stream, or begins anew where it was trimmed.
func (w *world) follow(p *process) {
	if p.read < w.cut {
		w.restart(p)
	} else if p.read < len(w.stream) {
		next := w.stream[p.read]
		p.table.apply(placeOf(p.read), next.tags, next.by == p.id)
		p.knows(next.then)
		p.read++
	}
}

func (w *world) restart(p *process) {
	for _, t := range w.stream {
		p.knows(t.then)
	}
	p.table.restart(placeOf(w.cut))
	for p.read = w.cut; p.read < len(w.stream); p.read++ {
		p.table.apply(placeOf(p.read), w.stream[p.read].tags, w.stream[p.read].by == p.id)
	}
}

// replace ends the process and starts it anew, knowing nothing.
func (w *world) replace(p *process) {
	limit := p.table.limit
	*p = process{id: p.id, table: newTagTable()}
	p.table.limit = limit
	w.restart(p)
}

// load moves one load of p a stage on: what it knows of, Redis, the upstream, memory, Redis.
func (w *world) load(p *process) {
	if len(p.loads) < 3 {
		p.loads = append(p.loads, &loading{key: w.r.IntN(keysInWorld), stamp: p.table.stamp(), remote: w.r.IntN(2) == 0})
		return
	}
	n := w.r.IntN(len(p.loads))
	l := p.loads[n]
	l.stage++
	e := (&entry{}).tagged(worldTags(l.key), l.stamp)
	switch {
	case l.stage == 1 && l.remote:
		l.found = w.redis[l.key]
	case l.stage == 2 && l.remote && !l.found.at.zero():
		if p.table.admits(e.tags, l.found.at, l.stamp.local) {
			e.value, e.stamp.global = l.found.value, l.found.at
			p.memory[l.key], l.stage = e, 5
			w.adopted++
		}
	case l.stage == 3:
		l.value = w.truth[l.key]
	case l.stage == 4:
		e.value = l.value
		if !p.table.alive(e) {
			l.stage = 5
			break
		}
		p.memory[l.key] = e
	case l.stage == 5 && !l.stamp.global.zero():
		w.redis[l.key] = fact{value: l.value, at: l.stamp.global}
	}
	if l.stage >= 5 {
		p.loads = append(p.loads[:n], p.loads[n+1:]...)
	}
}

// step does one thing and checks every answer that any process would give.
func (w *world) step() error {
	p := w.nodes[w.r.IntN(len(w.nodes))]
	switch n := w.r.IntN(40); {
	case n < 4:
		w.change(p)
	case n < 10:
		w.publish(p)
	case n < 16:
		w.follow(p)
	case n == 16:
		w.cut = min(len(w.stream)-1, w.cut+w.r.IntN(4))
	case n == 17 && len(p.untold)+len(p.waiting) == 0:
		w.replace(p)
	default:
		w.load(p)
	}
	for _, p := range w.nodes {
		for key, e := range p.memory {
			if e != nil && p.table.alive(e) && e.value.(int) < p.least[key] {
				return fmt.Errorf("process %d answers %d for key %d where %d is known", p.id, e.value, key, p.least[key])
			}
		}
	}
	return nil
}

func TestC11_WhatBeganBeforeAnInvalidationIsNeverFresh(t *testing.T) {
	t.Parallel()
	kept, adopted := 0, 0
	for seed := range uint64(100_000 / sparing) {
		w := newWorld(seed)
		for range 80 {
			require.NoError(t, w.step(), "seed %d", seed)
		}
		for _, p := range w.nodes {
			for _, e := range p.memory {
				if e != nil && p.table.alive(e) {
					kept++
				}
			}
		}
		adopted += w.adopted
	}
	// Dropping everything would be right as well, and worth nothing.
	assert.Greater(t, kept, 20_000/sparing)
	assert.Greater(t, adopted, 1000/sparing)
}

func TestTheTableIsBoundedAndForgetsTowardsDropping(t *testing.T) {
	t.Parallel()
	table := newTagTable()
	table.limit = 100
	before := (&entry{}).tagged([]commerce.Tag{"untouched"}, table.stamp())
	require.True(t, table.alive(before))
	table.strike([]commerce.Tag{"pending"}, true)
	for i := range 1000 {
		table.apply(placeOf(i), []commerce.Tag{commerce.Tag(fmt.Sprint(i))}, false)
	}
	assert.LessOrEqual(t, len(table.marks), 101)
	assert.False(t, table.alive(before), "what is no longer told apart is dead")
	assert.False(t, table.admits([]commerce.Tag{"x"}, placeOf(500), table.stamp().local), "here and in Redis")
	assert.False(t, table.admits([]commerce.Tag{"pending"}, placeOf(5000), table.stamp().local), "what Redis was not told stays known")
	assert.True(t, table.admits([]commerce.Tag{"x"}, placeOf(999), table.stamp().local))
}

func TestVersionsAreOrderedAsRedisOrdersThem(t *testing.T) {
	t.Parallel()
	a, ok := parseVersion("5-10")
	require.True(t, ok)
	b, ok := parseVersion("18446744073709551615-0")
	require.True(t, ok)
	assert.True(t, a.before(b) && !b.before(a) && a.before(a.next()))
	assert.Equal(t, "5-11", a.next().String())
	assert.Equal(t, b, latest(a, b))
	for _, bad := range []string{"", "5", "-", "5-", "-5", "a-1", "5--1", "18446744073709551616-0"} {
		_, ok := parseVersion(bad)
		assert.False(t, ok, bad)
	}
}

// The cost does not depend on how many answers the tag takes with it.
func BenchmarkC12_Invalidate(b *testing.B) {
	for _, entries := range []int{10, 1_000_000} {
		b.Run(fmt.Sprint(entries), func(b *testing.B) {
			c := newCache(b, Config{L1Bytes: 2 << 30})
			p, tags := policies[commerce.OpProducts], []commerce.Tag{"category:all", commerce.TagAll}
			value := &commerce.Product{}
			for i := range entries {
				key := fmt.Sprint(i)
				c.memory.put(key, newEntry(value, time.Now(), p).tagged(tags, c.tags.stamp()), p.life())
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Invalidate(b.Context(), "category:all"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
