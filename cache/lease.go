package cache

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

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

// berthSize is how long the address of a lease is.
const berthSize = len(leasePrefix) + len("portico:c1:") + 43 + len("}")

// berthOf is the berth of what is stored under key.
func berthOf(key string) berth {
	var room [berthSize]byte
	return newBerth(string(appendBerth(room[:0], key)))
}

// berthsOf are the berths of the keys at the places which, by place; their addresses lie in one
// piece of memory.
func berthsOf(keys []string, which []int) []berth {
	var room [berthSize]byte
	var all strings.Builder
	all.Grow(berthSize * len(which))
	list := make([]berth, len(keys))
	for _, i := range which {
		from := all.Len()
		all.Write(appendBerth(room[:0], keys[i]))
		list[i] = newBerth(all.String()[from:])
	}
	return list
}

func appendBerth(b []byte, key string) []byte {
	return append(appendAddress(append(b, leasePrefix...), key), '}')
}

func newBerth(lease string) berth {
	return berth{entry: lease[len(leasePrefix) : len(lease)-1], lease: lease}
}

// renewScript makes the leases in KEYS that ARGV's token still holds last ARGV's ms
// again, and answers how many.
const renewScript = `
local n = 0
for _, key in ipairs(KEYS) do
  if redis.call('mget', key)[1] == ARGV[1] then n = n + redis.call('pexpire', key, ARGV[2]) end
end
return n`

// releaseScript ends the leases in KEYS that ARGV's token still holds. After the token, ARGV
// has a lease's life in ms and, where some are to say for a while that nothing will come, a 1 for
// each of those and a 0 for each other.
const releaseScript = `
local ended = {}
for i, token in ipairs(redis.call('mget', unpack(KEYS))) do
  if token == ARGV[1] then
    if string.sub(ARGV[3], i, i) == '1' then
      redis.call('set', KEYS[i], string.sub(token, 1, 40), 'PX', ARGV[2])
    else
      ended[#ended+1] = KEYS[i]
    end
  end
end
if #ended > 0 then redis.call('del', unpack(ended)) end
return 0`

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

// leaseSet are the leases that one round of a load was given.
type leaseSet struct {
	remote  *remote
	token   string
	held    []*berth
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
	in, pipe := r.rooms.enter(), r.client.Pipeline()
	defer in.leave(&r.rooms)
	h.eachNode(func(held []*berth) {
		words := leaseKeys(in.script(renewScript, len(held), 2), held)
		evaluate(ctx, pipe, append(words, h.token, leaseLife.Milliseconds()))
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

// none tells that there is none to give back.
func (h *leaseSet) none() bool { return h == nil || len(h.held) == 0 }

// release adds to pipe what gives the leases back.
func (h *leaseSet) release(ctx context.Context, pipe redis.Pipeliner, in *room) {
	if h.none() {
		return
	}
	h.eachNode(func(held []*berth) {
		words := leaseKeys(in.script(releaseScript, len(held), 3), held)
		evaluate(ctx, pipe, append(words, h.token, leaseLife.Milliseconds(), h.notes(held)))
	})
}

// notes say of each of the leases held whether nothing will come, as releaseScript reads it.
func (h *leaseSet) notes(held []*berth) string {
	if len(h.nothing) == 0 {
		return ""
	}
	notes := bytes.Repeat([]byte("0"), len(held))
	for i, at := range held {
		if h.nothing[at.entry] {
			notes[i] = '1'
		}
	}
	return string(notes)
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

// eachNode does what is to be done with the leases, as many at once as one script may name.
func (h *leaseSet) eachNode(do func(held []*berth)) {
	step := maxGatheredAsks
	if h.remote.cluster {
		step = 1
	}
	for piece := range slices.Chunk(h.held, step) {
		do(piece)
	}
}

// leaseKeys adds keys of leases.
func leaseKeys(words []any, held []*berth) []any {
	for _, at := range held {
		words = appendKey(words, &at.lease)
	}
	return words
}
