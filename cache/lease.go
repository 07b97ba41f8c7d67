package cache

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/portico-bff/portico/schema/commerce"
)

// What several processes miss at once, one of them loads: the one that Redis gave
// the key's lease to. The others look whether the answer has come, and take the
// lease over when its holder is gone.
//
// A lease spares work and guards nothing. Its holder may be stopped for longer than
// the lease lasts and store its answer when another has long stored its own. That
// does no harm, because an answer says which invalidations its load knew of: nobody
// takes over one whose load did not know of all that were applied (see
// [tagTable.admits]), whoever stored it and whenever; and among answers that knew the
// same, the older one says how old it is. So no fencing token has to be checked.
//
// A process that holds leases loads, gives them back, and only then waits for those
// of others: no two wait for each other.

const (
	// By Redis's clock; no process's has a part in it. Whoever waits for a holder that is gone
	// has to load within what is left of their hard timeout.
	leaseLife  = 400 * time.Millisecond
	leaseRenew = 100 * time.Millisecond // how often while loading
	leaseLook  = 25 * time.Millisecond  // how soon who waits looks again, at least …
	leasePlay  = 50 * time.Millisecond  // … and how much later at most
)

// leaseAddress is where the lease of an entry lies: in a cluster, on the node that
// has the entry, so that one script sees both and a pipeline keeps their order.
func leaseAddress(entry string) string { return leasePrefix + entry + "}" }

const leasePrefix = "portico:lease:{"

// berth is where an entry lies, and where its lease does.
type berth struct{ entry, lease string }

// berthOf is the berth of what is stored under key.
func berthOf(key string) berth {
	const most = len(leasePrefix) + 64
	b := appendAddress(append(make([]byte, 0, most), leasePrefix...), key)
	lease := string(append(b, '}'))
	return berth{entry: lease[len(leasePrefix) : len(lease)-1], lease: lease}
}

// leaseState is what became of asking for a lease.
type leaseState int64

const (
	leaseHeld    leaseState = iota // by another
	leaseGranted                   // to who asked
	leaseStolen                    // to who asked: its holder's load knew of too little
	leaseFree                      // its last holder found nothing that can be shared: there is none
	leaseArrived                   // there is an answer that who asked has not seen
)

// askScript answers a state and a text for each pair of entry and lease in KEYS.
// ARGV: the asker's token, the lease's life in ms; then for each pair the checksum of
// the entry that the asker has seen and the least version that a holder has to know of.
// Who has seen none is given what there is, and looks for the lease only when there is nothing.
// A lease holds the version that its holder's load knew of, of 40 digits, and the
// holder's token; without a token it only says that nothing will come. It ends: what
// does not, or later than a lease, or is no string, is nobody's and in nobody's way, and
// what is no string is no entry.
const askScript = `
local out = {}
for i = 1, #KEYS, 2 do
  local seen, state, text = ARGV[i+2], 0, ''
  local sum
  if seen == '' then sum = redis.pcall('get', KEYS[i]) else sum = redis.pcall('getrange', KEYS[i], -8, -1) end
  if type(sum) == 'table' then
    if not string.find(sum.err, 'WRONGTYPE') then return sum end
    sum = ''
  end
  if sum and sum ~= '' and sum ~= seen then
    state, text = 4, seen == '' and sum or redis.call('get', KEYS[i])
  else
    local held = redis.call('mget', KEYS[i+1])[1]
    if held then
      local left = redis.call('pttl', KEYS[i+1])
      if left < 0 or left > tonumber(ARGV[2]) then held = false end
    end
    if not held or string.sub(held, 1, 40) < ARGV[i+3] then
      redis.call('set', KEYS[i+1], ARGV[1], 'PX', ARGV[2])
      state = held and 2 or 1
    elseif #held == 40 then
      state = 3
    end
  end
  out[i], out[i+1] = state, text
end
return out`

// renewScript makes the leases in KEYS that ARGV's token still holds last ARGV's ms
// again, and answers how many.
const renewScript = `
local n = 0
for _, key in ipairs(KEYS) do
  if redis.call('mget', key)[1] == ARGV[1] then n = n + redis.call('pexpire', key, ARGV[2]) end
end
return n`

// releaseScript ends the leases in KEYS that ARGV's token still holds. Those whose
// place in the rest of ARGV is not empty say for a while that nothing will come.
const releaseScript = `
for i, key in ipairs(KEYS) do
  if redis.call('mget', key)[1] == ARGV[1] then
    if ARGV[i+2] == '' then redis.call('del', key)
    else redis.call('set', key, ARGV[i+2], 'PX', ARGV[2]) end
  end
end
return 0`

// wanted is an entry that somebody asks for the lease of.
type wanted struct {
	berth
	seen  string  // the checksum of what was found there
	least version // what a holder has to know of for its answer to be of use
}

// leaseReply is what Redis answered for one of them.
type leaseReply struct {
	state leaseState
	text  string // the entry that arrived
}

// least is the version of the last invalidation of tags that is known here.
func (t *tagTable) least(tags []commerce.Tag) version {
	t.mu.RLock()
	defer t.mu.RUnlock()
	last := t.floor.global
	for _, tag := range tags {
		last = latest(last, t.marks[tag].global)
	}
	return last
}

// checksumOf is how one entry under an address is told from another.
func checksumOf(entry string) string {
	return entry[max(0, len(entry)-sumSize):]
}

// order is v as digits, which compare as versions do.
func (v version) order() string {
	const digits = 20
	var b [2 * digits]byte
	for i, n := range [...]uint64{v.ms, v.seq} {
		for at := (i+1)*digits - 1; at >= i*digits; at-- {
			b[at] = byte('0' + n%10)
			n /= 10
		}
	}
	return string(b[:])
}

// leasing tells whether leases may be asked for together with entries: not in a cluster,
// which would run a script for each key.
func (r *remote) leasing() bool {
	return !r.cluster && !r.writes.isOpen() && !r.leases.isOpen()
}

// inquiry is what a load wants to know of Redis, and what it was told.
type inquiry struct {
	token   string
	list    []wanted
	replies []leaseReply
	err     error
	done    chan struct{}
}

// lease asks for the leases of list, and for the entries that nobody has looked at yet,
// together with what other loads ask for at the time. refused is why it got no answer
// from a Redis that can be reached; false with no such reason means that none could be asked.
func (r *remote) lease(ctx context.Context, token string, list []wanted) (replies []leaseReply, refused error, ok bool) {
	// A lease is worth something only where its holder can store the answer.
	now := time.Now()
	if r.writes.isOpen() || !r.reads.allow(now) || !r.leases.allow(now) {
		return nil, nil, false
	}
	a := &inquiry{token: token, list: list, done: make(chan struct{})}
	if all := r.asks.bring(a, len(list), soon); all != nil {
		r.askAll(ctx, all)
	}
	<-a.done
	if a.err == nil {
		return a.replies, nil, true
	}
	if redisAnswered(a.err) {
		refused = a.err
	}
	return nil, refused, false
}

// askAll asks for all in one round trip.
func (r *remote) askAll(ctx context.Context, all []*inquiry) {
	for _, a := range all {
		a.err = errLeaseReply
		defer close(a.done)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.wait)
	defer cancel()
	defer context.AfterFunc(r.life, cancel)()
	pipe := r.client.Pipeline()
	cmds := make([][]*redis.Cmd, len(all))
	for i, a := range all {
		cmds[i] = r.askFor(ctx, pipe, a)
	}
	_, err := pipe.Exec(ctx)
	for i, a := range all {
		a.replies, a.err = repliesOf(cmds[i])
		if a.err == nil && len(a.replies) != len(a.list) {
			a.err = errLeaseReply
		}
		err = errors.Join(err, a.err)
	}
	if err == nil || !redisAnswered(err) {
		r.settled(ctx, "get", &r.reads, err)
	}
	r.settled(ctx, "lease", &r.leases, err)
}

// redisAnswered tells whether err is what Redis said, and not that it said nothing.
func redisAnswered(err error) bool {
	_, said := errors.AsType[redis.Error](err)
	return said || errors.Is(err, errLeaseReply)
}

// askFor adds to pipe what a wants to know.
func (r *remote) askFor(ctx context.Context, pipe redis.Pipeliner, a *inquiry) (cmds []*redis.Cmd) {
	step := len(a.list)
	if r.cluster {
		step = 1 // a script's keys have to lie together
	}
	for piece := range slices.Chunk(a.list, step) {
		keys := script(askScript, 2*len(piece), 2+2*len(piece))
		for i := range piece {
			keys = appendKey(appendKey(keys, &piece[i].entry), &piece[i].lease)
		}
		args := append(keys, a.token, leaseLife.Milliseconds())
		least, order := version{}, any(noOrder)
		for i := range piece {
			if w := &piece[i]; w.least != least { // hardly ever
				least, order = w.least, w.least.order()
			}
			args = append(args, &piece[i].seen, order)
		}
		cmds = append(cmds, evaluate(ctx, pipe, args))
	}
	return cmds
}

// noOrder is the order of what is before every version.
var noOrder = version{}.order()

// firstKey is the place of a script's first key among the words of its command.
const firstKey = 3

// script begins the command that has text run with so many keys, and room for arguments.
func script(text string, keys, args int) []any {
	return append(make([]any, 0, firstKey+keys+args), "eval", text, keys)
}

// appendKey adds a key. The first, by which a cluster's node is found, has to be a string;
// of others a pointer does, which need not be copied to where strings lie.
func appendKey(words []any, key *string) []any {
	if len(words) == firstKey {
		return append(words, *key)
	}
	return append(words, key)
}

func evaluate(ctx context.Context, pipe redis.Pipeliner, words []any) *redis.Cmd {
	cmd := redis.NewCmd(ctx, words...)
	cmd.SetFirstKeyPos(firstKey)
	_ = pipe.Process(ctx, cmd) // it is sent with the rest
	return cmd
}

func repliesOf(cmds []*redis.Cmd) (replies []leaseReply, err error) {
	for _, cmd := range cmds {
		items, failed := cmd.Slice()
		err = errors.Join(err, failed)
		for pair := range slices.Chunk(items, 2) {
			state, ok := pair[0].(int64)
			text, _ := pair[len(pair)-1].(string)
			if !ok {
				err = errors.Join(err, errLeaseReply)
			}
			replies = append(replies, leaseReply{leaseState(state), text})
		}
	}
	return replies, err
}

var errLeaseReply = errors.New("asking for a lease failed")

// leaseSet are the leases that one round of a load was given.
type leaseSet struct {
	remote  *remote
	token   string
	entries []berth
	nothing map[string]bool // those that will not come, since they cannot be shared
	ended   bool
}

// renew keeps the leases until they are lost, or until the function it answers is called:
// on its return nothing of it is under way. Most loads end before the first time.
func (h *leaseSet) renew(ctx context.Context) (end func()) {
	n := &renewal{}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.timer = time.AfterFunc(leaseRenew, func() { n.run(ctx, h) })
	return n.end
}

// renewal renews leases again and again.
type renewal struct {
	running sync.Mutex // held while one is under way

	mu     sync.Mutex
	timer  *time.Timer
	cancel context.CancelFunc // of what is under way; nil before the first
	ended  bool
}

func (n *renewal) run(ctx context.Context, h *leaseSet) {
	n.running.Lock()
	defer n.running.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !n.begin(cancel) {
		return
	}
	held := h.extend(ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	if held && !n.ended {
		n.timer.Reset(leaseRenew)
	}
}

func (n *renewal) begin(cancel context.CancelFunc) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cancel = cancel
	return !n.ended
}

func (n *renewal) end() {
	n.mu.Lock()
	n.ended = true
	idle := n.timer.Stop()
	if n.cancel != nil {
		n.cancel()
	}
	n.mu.Unlock()
	if !idle {
		n.running.Lock() // the last one is over
		defer n.running.Unlock()
	}
}

// extend tells whether some are held still, or may be.
func (h *leaseSet) extend(ctx context.Context) bool {
	r := h.remote
	if !r.leases.allow(time.Now()) {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	pipe := r.client.Pipeline()
	h.eachNode(func(entries []berth) {
		evaluate(ctx, pipe, append(leaseKeys(renewScript, entries, 2), h.token, leaseLife.Milliseconds()))
	})
	cmds, err := pipe.Exec(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		return false // the load has ended
	}
	if !r.settled(ctx, "lease", &r.leases, err) {
		return true
	}
	n := 0
	for _, cmd := range cmds {
		if c, ok := cmd.(*redis.Cmd); ok {
			left, _ := c.Int()
			n += left
		}
	}
	return n > 0
}

// once is h to whoever is the first to give its leases back, and nil to others.
func (h *leaseSet) once() *leaseSet {
	if h == nil || h.ended {
		return nil
	}
	h.ended = true
	return h
}

// release adds to pipe what gives the leases back.
func (h *leaseSet) release(ctx context.Context, pipe redis.Pipeliner) {
	if h == nil {
		return
	}
	h.eachNode(func(entries []berth) {
		args := append(leaseKeys(releaseScript, entries, 2+len(entries)), h.token, leaseLife.Milliseconds())
		for _, at := range entries {
			note := ""
			if h.nothing[at.entry] {
				note = h.token[:len(noOrder)]
			}
			args = append(args, note)
		}
		evaluate(ctx, pipe, args)
	})
}

// unshared notes that the answer at an address will not lie in Redis: nobody shall wait for it.
func (h *leaseSet) unshared(entry string) {
	if h == nil {
		return
	}
	if h.nothing == nil {
		h.nothing = map[string]bool{}
	}
	h.nothing[entry] = true
}

// eachNode does what is to be done with the entries, as many at once as one script may name.
func (h *leaseSet) eachNode(do func(entries []berth)) {
	step := max(1, len(h.entries))
	if h.remote.cluster {
		step = 1
	}
	for piece := range slices.Chunk(h.entries, step) {
		do(piece)
	}
}

// leaseKeys begins the command that has text run for leases.
func leaseKeys(text string, entries []berth, args int) []any {
	words := script(text, len(entries), args)
	for i := range entries {
		words = appendKey(words, &entries[i].lease)
	}
	return words
}

// How asking for leases ended, by key.
const (
	countGranted = iota
	countHeld
	countTaken
	countFailed
)

// leaseCounts count leases by what became of them.
type leaseCounts struct {
	counter metric.Int64Counter
	sums    [countFailed + 1]atomic.Int64
	labels  [countFailed + 1][]metric.AddOption
}

func newLeaseCounts(meter metric.Meter) (*leaseCounts, error) {
	counter, err := meter.Int64Counter("portico.cache.leases", metric.WithUnit("{key}"), metric.WithDescription(
		"Keys that were about to be loaded, by what became of their lease: granted, held by another process, taken over from one, failed."))
	c := &leaseCounts{counter: counter}
	for i, result := range []string{"granted", "held", "taken-over", "failed"} {
		c.labels[i] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String("result", result)))}
	}
	return c, err
}

func (c *leaseCounts) add(which, n int) {
	if n > 0 {
		c.sums[which].Add(int64(n))
		c.counter.Add(context.Background(), int64(n), c.labels[which]...)
	}
}
