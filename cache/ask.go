package cache

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// leaseState is what became of asking for a lease.
type leaseState byte

const (
	leaseHeld    leaseState = '0' + iota // by another
	leaseGranted                         // to who asked
	leaseStolen                          // to who asked: its holder's load knew of too little
	leaseFree                            // its last holder found nothing that can be shared: there is none
	leaseArrived                         // there is an answer that who asked has not seen
)

// askScript answers the states of the entries in the first half of KEYS, whose leases the
// second half has, a digit each, and then those entries that have arrived.
// ARGV: the asker's token, the lease's life in ms, the least version that a holder has to know
// of; where entries differ in what follows, also for each of them the checksum of the one that
// the asker has seen and that version.
// Who has seen none is given what there is, and looks for the lease only when there is nothing.
// A lease holds the version that its holder's load knew of, of 40 digits, and the
// holder's token; without a token it only says that nothing will come. It ends: what
// does not, or later than a lease, or is no string, is nobody's and in nobody's way, and
// what is no string is no entry, which is how MGET has it.
const askScript = `
local n, states, out, lacks, leases = #KEYS / 2, {}, {''}, {}, {}
local found = not ARGV[4] and redis.call('mget', unpack(KEYS, 1, n))
for i = 1, n do
  local text
  if found then
    text = found[i]
  elseif ARGV[2*i+2] == '' then
    text = redis.call('mget', KEYS[i])[1]
  else
    local sum = redis.pcall('getrange', KEYS[i], -8, -1)
    if type(sum) == 'table' then
      if not string.find(sum.err, 'WRONGTYPE') then return sum end
    elseif sum ~= '' and sum ~= ARGV[2*i+2] then
      text = redis.call('get', KEYS[i])
    end
  end
  if text and text ~= '' then
    states[i], out[#out+1] = '4', text
  else
    lacks[#lacks+1], leases[#leases+1] = i, KEYS[n+i]
  end
end
for at, held in ipairs(#leases > 0 and redis.call('mget', unpack(leases)) or {}) do
  local i, state = lacks[at], '0'
  if held then
    local left = redis.call('pttl', leases[at])
    if left < 0 or left > tonumber(ARGV[2]) then held = false end
  end
  if not held or string.sub(held, 1, 40) < (ARGV[2*i+3] or ARGV[3]) then
    redis.call('set', leases[at], ARGV[1], 'PX', ARGV[2])
    state = held and '2' or '1'
  elseif #held == 40 then
    state = '3'
  end
  states[i] = state
end
out[1] = table.concat(states)
return out`

// wanted is what somebody asks about entries and their leases.
type wanted struct {
	berths []*berth
	least  version // what holders have to know of for their answers to be of use
	known  []known // by place; nil where nothing was found of any, and the least is the same for all
}

// known is what who asks knows of an entry.
type known struct {
	seen  string // the checksum of what was found there
	least version
}

// add asks for the entry at a berth, too. So many will be asked for in all.
func (q *wanted) add(at *berth, k known, all int) {
	if len(q.berths) == 0 {
		q.berths, q.least = make([]*berth, 0, all), k.least
	}
	if q.known == nil && k != (known{least: q.least}) { // hardly ever
		q.known = slices.Repeat([]known{{least: q.least}}, len(q.berths))
	}
	if q.known != nil {
		q.known = append(q.known, k)
	}
	q.berths = append(q.berths, at)
}

// leaseReplies are what Redis answered: a state for each entry, and those that have arrived.
type leaseReplies struct {
	states string
	texts  []string
}

// leasing tells whether leases may be asked for together with entries: not in a cluster,
// which would run a script for each key.
func (r *remote) leasing() bool {
	return !r.cluster && !r.writes.isOpen() && !r.leases.isOpen()
}

// inquiry is what a load wants to know of Redis, and what it was told.
type inquiry struct {
	wanted
	token   string
	replies leaseReplies
	err     error
	done    chan struct{}
}

// lease asks for the leases that q names, and for the entries that nobody has looked at yet,
// together with what other loads ask for at the time. refused is why it got no answer
// from a Redis that can be reached; false with no such reason means that none could be asked.
func (r *remote) lease(ctx context.Context, token string, q wanted) (replies leaseReplies, refused error, ok bool) {
	// A lease is worth something only where its holder can store the answer.
	now := time.Now()
	if r.writes.isOpen() || !r.reads.allow(now) || !r.leases.allow(now) {
		return replies, nil, false
	}
	a := &inquiry{wanted: q, token: token, done: make(chan struct{})}
	if all, _ := r.asks.bring(a, len(q.berths), soon); all != nil {
		r.askAll(ctx, all)
	}
	<-a.done
	if a.err == nil {
		return a.replies, nil, true
	}
	if redisAnswered(a.err) {
		refused = a.err
	}
	return replies, refused, false
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
	in, pipe := r.rooms.enter(), r.client.Pipeline()
	defer in.leave(&r.rooms)
	cmds := make([][]*redis.Cmd, len(all))
	for i, a := range all {
		cmds[i] = a.ask(ctx, pipe, in, r.cluster)
	}
	_, err := pipe.Exec(ctx)
	for i, a := range all {
		a.replies, a.err = repliesOf(cmds[i], len(a.berths))
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

// ask adds to pipe what a wants to know. Where each is to be asked for alone, a script's keys
// have to lie together.
func (a *inquiry) ask(ctx context.Context, pipe redis.Pipeliner, in *room, alone bool) (cmds []*redis.Cmd) {
	step := maxGatheredAsks
	if alone {
		step = 1
	}
	for from := 0; from < len(a.berths); from += step {
		to, known := min(from+step, len(a.berths)), a.known
		if known != nil {
			known = known[from:to]
		}
		some := a.berths[from:to]
		words := in.script(askScript, 2*len(some), 3+2*len(known))
		for _, at := range some {
			words = appendKey(words, &at.entry)
		}
		words = leaseKeys(words, some)
		words = append(words, a.token, leaseLife.Milliseconds(), a.least.order())
		for i := range known {
			words = append(words, known[i].seen, known[i].least.order())
		}
		cmds = append(cmds, evaluate(ctx, pipe, words))
	}
	return cmds
}

// repliesOf reads what was answered about n entries.
func repliesOf(cmds []*redis.Cmd, n int) (replies leaseReplies, err error) {
	for _, cmd := range cmds {
		items, failed := cmd.Slice()
		err = errors.Join(err, failed)
		for at, item := range items {
			text, _ := item.(string)
			if at == 0 {
				replies.states += text
			} else {
				replies.texts = append(replies.texts, text)
			}
		}
	}
	if err == nil && (len(replies.states) != n || len(replies.texts) != strings.Count(replies.states, string(leaseArrived))) {
		err = errLeaseReply
	}
	return replies, err
}

var errLeaseReply = errors.New("asking for a lease failed")
