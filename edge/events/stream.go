package events

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	streamKey = "portico:events"
	group     = "portico"
	// streamStart is before all entries.
	streamStart = "0-0"
	// seenPrefix begins the keys of ids that are known. The braces put them beside
	// the stream in a Cluster, so that one script may touch both.
	seenPrefix = "portico:seen:{portico:events}:"

	kept        = 7 * 24 * time.Hour
	mostKept    = 1_000_000
	readBlock   = 500 * time.Millisecond // also how long a stop may have to wait
	readCount   = 64
	idleAfter   = 30 * time.Second // who holds an event longer is taken for dead
	claimEvery  = 5 * time.Second
	deliveries  = 3
	putTimeout  = 2 * time.Second // for one event; senders wait for seconds
	answerIn    = time.Second     // for an answer beyond readBlock
	leaveIn     = 500 * time.Millisecond
	longestWait = time.Second // between attempts to reach Redis
)

// fieldPrevious names the entry that was added before: by it the journal's readers know
// whether one between two of them is gone.
const fieldPrevious = "previous"

// putScript remembers an id and puts the event, or neither. It answers the entry's id and the one of the entry before. What is older than seven
// days and an hour by Redis's own clock goes at the same time, so that no node's clock counts, and
// so does what is beyond a million: a mass import must not fill Redis. Where Redis does not say
// what was added before, the event is put all the same.
var putScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[2]) == 1 then return {'', ''} end
local entry = {'id', ARGV[4], 'source', ARGV[5], 'type', ARGV[6], 'tags', ARGV[7]}
local about = redis.pcall('XINFO', 'STREAM', KEYS[1])
local previous = about.err and string.find(about.err, 'no such key') and '0-0'
for i = 1, #about, 2 do
  if about[i] == 'last-generated-id' then previous = about[i + 1] end
end
if previous then entry[9], entry[10] = ARGV[8], previous end
local now = redis.call('TIME')
local least = now[1] * 1000 - ARGV[1]
local id = redis.call('XADD', KEYS[1], 'MINID', string.format('%.0f', least), '*', unpack(entry))
redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[3])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[2])
return {id, previous or ''}`)

// ackScript gives up events and answers Redis's time in ms, by which their age is known.
var ackScript = redis.NewScript(`
redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 2))
local now = redis.call('TIME')
return now[1] * 1000 + math.floor(now[2] / 1000)`)

// stream is the queue that all nodes share, and one node's consumer of it.
type stream struct {
	client   redis.UniversalClient
	consumer string
	apply    Apply // for what Redis would not take
	instead  func(role string) commerce.Tag
	log      *slog.Logger
	metrics  *instruments

	claimEvery time.Duration
	most       int // events kept, about
	lineage    lineage
	again      []entry // the consumer's alone: what could not be applied
	recalled   bool    // the consumer's alone: it holds nothing that it does not know of
}

// Put is [Queue]'s. When Redis does not take the change, this process at least gives
// no old answer any more; the sender's next attempt tells the others.
func (s *stream) Put(ctx context.Context, change Change) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	tags := make([]string, len(change.Tags))
	for i, tag := range change.Tags {
		tags[i] = string(tag)
	}
	put, err := putScript.Run(ctx, s.client, []string{streamKey, seenPrefix + keyOfChange(change)},
		(kept + keptLonger).Milliseconds(), memory.Milliseconds(), s.most, change.ID, change.Source, change.Type, strings.Join(tags, " "), fieldPrevious,
	).StringSlice()
	if err == nil && len(put) != 2 {
		err = errors.New("events: what was put has another form")
	}
	if err != nil {
		_ = s.apply(context.WithoutCancel(ctx), []Change{change}) // the sender is told to come again in any case
		return false, &commerce.CallError{System: "redis", Operation: "events", Kind: commerce.ErrUnavailable, Reason: commerce.ReasonUnavailable, Err: err}
	}
	s.lineage.saw(put[0], put[1])
	return put[0] != "", nil
}

// entry is an event as it lies in the stream.
type entry struct {
	id       string
	previous string // the one that was added before, as far as it says so
	change   Change
	readable bool
	lost     bool // given up: it was handed over too often
}

func entryOf(m redis.XMessage) entry {
	text := func(name string) string { value, _ := m.Values[name].(string); return value }
	e := entry{id: m.ID, previous: text(fieldPrevious), change: Change{ID: text("id"), Source: text("source"), Type: text("type")}}
	joined, ok := m.Values["tags"].(string)
	e.readable = ok && e.change.ID != "" && e.change.Source != ""
	for _, part := range strings.Fields(joined) {
		tag, err := commerce.ParseTag(part)
		e.readable = e.readable && err == nil
		e.change.Tags = append(e.change.Tags, tag)
	}
	return e
}
