package cache

import (
	"math"
	"slices"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// State is how the cache stands now. Counts are since the process began.
type State struct {
	Memory        MemoryState       `json:"memory"`
	Redis         *RedisState       `json:"redis"` // nil without Redis
	Invalidations InvalidationState `json:"invalidations"`
	Operations    []OperationState  `json:"operations"` // of configured systems, by name
}

// MemoryState is the first tier. Bytes are estimates.
type MemoryState struct {
	Entries      int   `json:"entries"`
	Absent       int   `json:"absent"` // entries that say that there is no such thing
	Bytes        int64 `json:"bytes"`
	BudgetBytes  int64 `json:"budgetBytes"`
	AbsentBudget int64 `json:"absentBudgetBytes"` // its part of the budget
	Evictions    int64 `json:"evictions"`         // for want of memory; not what was too old or invalidated
}

// RedisState is the second tier, as this process sees it.
type RedisState struct {
	Reads   string     `json:"reads"`   // "closed", or "open": not asked but for one probe a second
	Writes  string     `json:"writes"`  // alike; invalidations are written, too
	Leasing string     `json:"leasing"` // alike; while open, each process loads for itself
	Leases  LeaseState `json:"leases"`
}

// LeaseState counts keys that Redis did not have and that were about to be loaded, by
// what became of their lease.
type LeaseState struct {
	Granted   int64 `json:"granted"`   // this process loaded
	WaitedFor int64 `json:"waitedFor"` // another process was loading, and was waited for
	TakenOver int64 `json:"takenOver"` // this process loaded, since the other one was gone or knew too little
	Failed    int64 `json:"failed"`    // Redis could not be asked: this process loaded, maybe another as well
}

// InvalidationState is what is known of invalidations.
type InvalidationState struct {
	Own      int64          `json:"own"`      // tags that this process invalidated
	Others   int64          `json:"others"`   // tags that others did, as heard
	Known    int            `json:"known"`    // tags that are told apart
	Follower *FollowerState `json:"follower"` // nil without Redis
}

// FollowerState is how this process hears of others.
type FollowerState struct {
	Hearing     bool   `json:"hearing"`     // false: Redis is not read, since it may hold what others dropped
	LagMs       int64  `json:"lagMs"`       // since all that others told was known here; below 1000 in good health
	LastVersion string `json:"lastVersion"` // of the last invalidation heard; empty when none
	LastAgeMs   int64  `json:"lastAgeMs"`   // since then, by Redis's clock and ours
	Untold      int    `json:"untold"`      // tags that wait until Redis can be told
}

// OperationState is one operation. Memory, Redis and Upstream are the shares of the
// keys asked for, 0 to 1, that each answered; what is left was not for sharing at all.
type OperationState struct {
	Operation commerce.Operation `json:"operation"`
	System    string             `json:"system"`
	Scope     string             `json:"scope"`
	Asked     int64              `json:"asked"` // keys
	Memory    float64            `json:"memory"`
	Redis     float64            `json:"redis"`
	Upstream  float64            `json:"upstream"`
	Stale     int64              `json:"stale"`    // keys answered with what was too old to be fresh
	Absent    int64              `json:"absent"`   // keys that there is nothing for
	Failed    int64              `json:"failed"`   // keys whose load failed with nothing to stand in
	Late      int64              `json:"late"`     // keys that were not waited for any longer
	Uncached  int64              `json:"uncached"` // keys asked for one caller alone
	Shared    int64              `json:"shared"`   // keys that waited for a load somebody else had begun
	Loads     int64              `json:"loads"`    // keys that the system was asked for …
	Calls     int64              `json:"calls"`    // … in how many calls
	Renewals  int64              `json:"renewals"` // keys loaded anew with nobody waiting
	Entries   int                `json:"entries"`
	Bytes     int64              `json:"bytes"`
	Evictions int64              `json:"evictions"`
	Passed    int64              `json:"passed"` // keys that memory had no room for when they were new: Redis alone has them
	Ages      Ages               `json:"ages"`
}

// Ages counts keys that were answered by the age of what they were given: each up
// to its name, from the one before.
type Ages struct {
	Second   int64 `json:"1s,omitempty"`
	Seconds  int64 `json:"10s,omitempty"`
	Minute   int64 `json:"1m,omitempty"`
	Minutes  int64 `json:"5m,omitempty"`
	Quarter  int64 `json:"15m,omitempty"`
	Hour     int64 `json:"1h,omitempty"`
	Hours    int64 `json:"6h,omitempty"`
	Day      int64 `json:"24h,omitempty"`
	Moreover int64 `json:"more,omitempty"`
}

// Inspect looks at everything once: it takes as long as memory has entries.
func (c *Cache) Inspect() State {
	state := State{Memory: c.memory.state(), Invalidations: c.invalidationState(), Operations: []OperationState{}}
	if c.remote != nil {
		state.Redis = c.remote.state()
	}
	held := c.memory.held()
	for _, p := range c.metrics.known() {
		o := p.state()
		o.Entries, o.Bytes = held[p.name].entries, held[p.name].bytes
		o.Evictions = c.memory.evicted[p.name].Load()
		state.Memory.Evictions += o.Evictions
		state.Operations = append(state.Operations, o)
	}
	return state
}

func (r *remote) state() *RedisState {
	n := func(which int) int64 { return r.leased.sums[which].Load() }
	return &RedisState{
		Reads: r.reads.word(), Writes: r.writes.word(), Leasing: r.leases.word(),
		Leases: LeaseState{Granted: n(countGranted), WaitedFor: n(countHeld), TakenOver: n(countTaken), Failed: n(countFailed)},
	}
}

func (p *plan) state() OperationState {
	n := &p.counts
	o := OperationState{
		Operation: p.name, System: p.system, Scope: p.policy.Scope.String(),
		Stale: n.of(memoryStale, redisStale), Absent: n.of(memoryAbsent, upstreamAbsent),
		Failed: n.of(upstreamFailed), Late: n.of(upstreamLate), Uncached: n.of(uncached),
		Shared: n.shared.Load(), Loads: n.loads.Load(), Calls: n.calls.Load(), Renewals: n.renewals.Load(), Passed: n.passed.Load(),
		Ages: n.agesNow(),
	}
	memory, redis := n.of(memoryFresh, memoryStale, memoryAbsent), n.of(redisFresh, redisStale)
	upstream := n.of(upstreamFresh, upstreamAbsent, upstreamFailed, upstreamLate)
	o.Asked = memory + redis + upstream + o.Uncached
	o.Memory, o.Redis, o.Upstream = share(memory, o.Asked), share(redis, o.Asked), share(upstream, o.Asked)
	return o
}

// share is a part of all, to three digits.
func share(part, all int64) float64 {
	if all == 0 {
		return 0
	}
	return math.Round(1000*float64(part)/float64(all)) / 1000
}

// holding is what memory holds of an operation.
type holding struct {
	entries int
	bytes   int64
}

func (m *memory) held() map[commerce.Operation]holding {
	sums := map[commerce.Operation]holding{}
	m.each(func(key string, e *entry) {
		op := operationOf(key)
		sum := sums[op]
		sums[op] = holding{entries: sum.entries + 1, bytes: sum.bytes + int64(e.size)}
	})
	return sums
}

// each calls visit for whatever is in memory.
func (m *memory) each(visit func(key string, e *entry)) {
	for key, k := range m.values.All() {
		visit(key, k)
	}
	for key, k := range m.absent.All() {
		visit(key, k)
	}
}

func (m *memory) state() MemoryState {
	m.values.CleanUp() // sums are of what was seen to so far
	m.absent.CleanUp()
	return MemoryState{
		Entries: m.values.EstimatedSize() + m.absent.EstimatedSize(), Absent: m.absent.EstimatedSize(),
		Bytes:       int64(m.values.WeightedSize() + m.absent.WeightedSize()),
		BudgetBytes: int64(m.values.GetMaximum() + m.absent.GetMaximum()), AbsentBudget: int64(m.absent.GetMaximum()),
	}
}

func (c *Cache) invalidationState() InvalidationState {
	c.tags.mu.RLock()
	known, applied := len(c.tags.marks), c.tags.applied
	c.tags.mu.RUnlock()
	state := InvalidationState{Own: c.metrics.own.Load(), Others: c.metrics.others.Load(), Known: known}
	if c.news == nil {
		return state
	}
	follower := &FollowerState{Hearing: c.news.current.Load(), LagMs: c.news.lag().Milliseconds(), Untold: c.news.waiting()}
	if !applied.zero() {
		follower.LastVersion = applied.String()
		follower.LastAgeMs = max(0, time.Since(time.UnixMilli(int64(applied.ms))).Milliseconds())
	}
	state.Follower = follower
	return state
}

func (n *news) waiting() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.untold)
}

// word is the breaker's state for people.
func (b *breaker) word() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakAfter {
		return "closed"
	}
	return "open"
}

// AnswersState is how a channel's whole answers stand. Counts are since the process
// began. Nil answers have a zero state.
type AnswersState struct {
	Hit         int64 `json:"hit"`
	Miss        int64 `json:"miss"`
	Shared      int64 `json:"shared"`
	Bypass      int64 `json:"bypass"`
	Proven      int64 `json:"proven"`
	UnderWay    int   `json:"underWay"`
	Entries     int   `json:"entries"`
	Recipes     int   `json:"recipes"`     // of what answers were made, see [Answers.Proof]
	Bytes       int64 `json:"bytes"`       // of both
	BudgetBytes int64 `json:"budgetBytes"` // alike
	Evictions   int64 `json:"evictions"`
}

// Inspect looks at the answers.
func (a *Answers) Inspect() AnswersState {
	if a == nil {
		return AnswersState{}
	}
	a.mu.Lock()
	underWay := len(a.flights)
	a.mu.Unlock()
	a.table.CleanUp()
	state := AnswersState{
		Hit: a.counted(Hit), Miss: a.counted(Miss), Shared: a.counted(Shared), Bypass: a.counted(Bypass), Proven: a.counted(Proven),
		UnderWay: underWay, Entries: a.table.EstimatedSize(), Bytes: int64(a.table.WeightedSize()),
		BudgetBytes: int64(a.table.GetMaximum()), Evictions: a.evicted.Load(),
	}
	if t := a.recipes.Load(); t != nil {
		t.CleanUp()
		state.Recipes = t.EstimatedSize()
		state.Bytes += int64(t.WeightedSize())
		state.BudgetBytes += int64(t.GetMaximum())
	}
	return state
}

// Operations are those whose answers the cache may keep or share, by name.
func Operations() []commerce.Operation {
	var list []commerce.Operation
	for op := range policies {
		list = append(list, op)
	}
	slices.Sort(list)
	return list
}
