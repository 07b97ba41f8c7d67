package events

import (
	"context"
	"crypto/rand"
	"errors"
	"hash/fnv"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	// epochKey names the stream's history. The braces put it beside the stream in a Cluster.
	epochKey = "portico:epoch:{portico:events}"

	lookEvery  = 250 * time.Millisecond
	lookIn     = time.Second     // for one look at the stream
	headLasts  = 5 * time.Second // for how long a head is known without another look
	headIn     = time.Second     // how long callers wait for the head
	sinceIn    = time.Second     // for changes
	mostAtLook = 500             // changes read at once
)

// lookScript reads how the stream stands, all at one moment: Redis's time in ms, the name
// of the history, the last change up to which all were let go of, the one that follows it, and
// the last one of all. The head may be a change that is gone: it never goes back while
// a history lasts, or who was told of it would wait for it. Where no group reads the stream, nobody takes events, and
// the rest is empty and the history ends. It begins anew where it has no name, and where the
// last change known of it is gone before its time: then others may be as well.
var lookScript = redis.NewScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local out = {string.format('%.0f', now), '', '', '', ''}
local groups, delivered = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err and not string.find(groups.err, 'no such key') then return groups end
for _, group in ipairs(groups) do
  local about = {}
  for i = 1, #group, 2 do about[group[i]] = group[i + 1] end
  if about['name'] == ARGV[1] then delivered = about['last-delivered-id'] end
end
if not delivered then
  redis.call('DEL', KEYS[2])
  return out
end
local epoch, known = redis.call('GET', KEYS[2]), ARGV[3]
if epoch and epoch == ARGV[2] and known ~= '' and tonumber(string.match(known, '^%d+')) >= now - ARGV[5] and
  #redis.call('XRANGE', KEYS[1], known, known) == 0 then epoch = false end
if not epoch then
  epoch = ARGV[4]
  redis.call('SET', KEYS[2], epoch)
end
local function one(command, from, to)
  return redis.call(command, KEYS[1], from, to, 'COUNT', 1)[1] or {'', {}}
end
local function before(id)
  local fields = one('XRANGE', id, id)[2]
  for i = 1, #fields, 2 do
    if fields[i] == ARGV[6] then return fields[i + 1] end
  end
  return one('XREVRANGE', '(' .. id, '-')[1]
end
local pending = redis.call('XPENDING', KEYS[1], ARGV[1])
local head = delivered
if pending[1] > 0 then head = before(pending[2]) end
out[2], out[3], out[4] = epoch, head, one('XRANGE', '(' .. (head ~= '' and head or '0-0'), '+')[1]
out[5] = one('XREVRANGE', '+', '-')[1]
return out`)

// look is how the stream stood once.
type look struct {
	at    time.Time // when that was known
	now   time.Time // by Redis's clock
	name  string    // of the history; empty where nobody takes events
	head  Place     // everything up to here was let go of
	last  string    // id of the last change; may be empty
	heard bool      // whether everything up to head is invalidated in this process
}

// streamJournal is the journal of processes that share a Redis. It looks at the stream
// all the time once somebody has asked for it, so that who has heard everything costs Redis nothing.
type streamJournal struct {
	client redis.UniversalClient
	heard  func(time.Time) bool
	log    *slog.Logger

	begin sync.Once
	stop  context.CancelFunc
	ctx   context.Context //nolint:containedctx // the life of the journal's own goroutine
	work  sync.WaitGroup

	known look // the follower's alone: the last look

	mu     sync.Mutex
	latest look          // the last one of which all is invalidated in this process
	failed error         // of the last look; nil when it worked
	moved  chan struct{} // closed when latest or failed was set
}

func newStreamJournal(client redis.UniversalClient, heard func(time.Time) bool, log *slog.Logger) *streamJournal {
	j := &streamJournal{client: client, heard: heard, log: log, moved: make(chan struct{})}
	j.ctx, j.stop = context.WithCancel(context.Background())
	return j
}

// follow looks at the stream until the journal is closed.
func (j *streamJournal) follow() {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		j.step()
		select {
		case <-j.ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// step has the head moved on as far as this process has heard. An event that was let
// go of was told to all processes before; this one knows of it when it has heard what was told by then.
func (j *streamJournal) step() {
	waiting := j.known
	if !waiting.heard && waiting.name != "" && j.heard(waiting.at) {
		waiting.heard = true
		j.known.heard = true
		j.publish(waiting)
	}
	if !waiting.heard && waiting.name != "" && time.Since(waiting.at) < headLasts {
		return // the next look would begin the wait anew
	}
	next, err := j.look()
	if err != nil {
		j.fail(err)
		return
	}
	next.heard = next.name == "" || (waiting.heard && waiting.name == next.name && waiting.head.same(next.head))
	j.known = next
	if next.heard {
		j.publish(next)
	}
}

// look asks Redis.
func (j *streamJournal) look() (look, error) {
	ctx, cancel := context.WithTimeout(j.ctx, lookIn)
	defer cancel()
	said, err := lookScript.Run(ctx, j.client, []string{streamKey, epochKey},
		group, j.known.name, j.known.last, rand.Text(), kept.Milliseconds(), fieldPrevious).StringSlice()
	if err != nil {
		return look{}, err
	}
	return lookOf(said)
}

// lookOf is what [lookScript] said.
func lookOf(said []string) (look, error) {
	const parts = 5
	if len(said) != parts {
		return look{}, errors.New("events: the stream's state has another form")
	}
	l := look{at: time.Now(), name: said[1], last: said[4]}
	ms, err := strconv.ParseInt(said[0], 10, 64)
	if err != nil {
		return look{}, err
	}
	l.now = time.UnixMilli(ms)
	if l.name == "" {
		return l, nil
	}
	if l.head, err = placeOf(said[2]); err != nil {
		return look{}, err
	}
	oldest := uint64(ms) //nolint:gosec // years after 1970
	if said[3] != "" {
		following, err := placeOf(said[3])
		if err != nil {
			return look{}, err
		}
		oldest = min(oldest, following.Ms)
	}
	l.head.Epoch, l.head.Seen = epochOf(l.name), seen(oldest)
	return l, nil
}

// epochOf is a history's name as a number, which is never 0.
func epochOf(name string) uint64 {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(name))
	return sum.Sum64() | 1
}

// placeOf reads the id of an entry; without one it is the place before all.
func placeOf(id string) (Place, error) {
	if id == "" {
		return Place{}, nil
	}
	ms, seq, _ := strings.Cut(id, "-")
	var p Place
	var err1, err2 error
	p.Ms, err1 = strconv.ParseUint(ms, 10, 64)
	p.Seq, err2 = strconv.ParseUint(seq, 10, 64)
	return p, errors.Join(err1, err2)
}

// id is the entry right before the place.
func (p Place) id() string {
	return strconv.FormatUint(p.Ms, 10) + "-" + strconv.FormatUint(p.Seq, 10)
}

func (j *streamJournal) publish(l look) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		j.log.LogAttrs(j.ctx, slog.LevelWarn, "journal of changes can be read again")
	}
	j.latest, j.failed = l, nil
	close(j.moved)
	j.moved = make(chan struct{})
}

// fail notes that the stream could not be looked at. What is known stays known for a while.
func (j *streamJournal) fail(err error) {
	if j.ctx.Err() != nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil {
		j.log.LogAttrs(j.ctx, slog.LevelWarn, "journal of changes cannot be read", slog.Any("error", err))
	}
	j.failed = err
	close(j.moved)
	j.moved = make(chan struct{})
}

// state is what is known, and a channel that is closed when more is.
func (j *streamJournal) state() (latest look, moved <-chan struct{}, failed error) {
	j.begin.Do(func() { j.work.Go(j.follow) })
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.latest, j.moved, j.failed
}

// current waits for a look that is not too old and of which enough, which may be nil, is true.
func (j *streamJournal) current(ctx context.Context, enough func(look) bool) (look, error) {
	waiting, cancel := context.WithTimeout(ctx, headIn)
	defer cancel()
	for {
		latest, moved, failed := j.state()
		known := !latest.at.IsZero() && time.Since(latest.at) < headLasts
		if known && (enough == nil || enough(latest)) {
			return latest, nil
		}
		if failed != nil && !known {
			return look{}, errUnheard(failed)
		}
		select {
		case <-moved:
		case <-j.ctx.Done():
			return look{}, errUnheard(j.ctx.Err())
		case <-waiting.Done():
			if err := ctx.Err(); err != nil {
				return look{}, err
			}
			return look{}, errUnheard(failed)
		}
	}
}

// Tells is [Journal]'s.
func (j *streamJournal) Tells() bool {
	latest, _, _ := j.state()
	return latest.at.IsZero() || latest.name != ""
}

// Head is [Journal]'s.
func (j *streamJournal) Head(ctx context.Context) (Place, error) {
	latest, err := j.current(ctx, nil)
	return latest.head, err
}

// expired tells whether a place can be of no use any more.
func (l look) expired(p Place) bool {
	return l.name == "" || p.Epoch != l.head.Epoch || p.old(l.now.Add(time.Since(l.at)))
}

// Await is [Journal]'s.
func (j *streamJournal) Await(ctx context.Context, at Place) error {
	latest, err := j.current(ctx, func(l look) bool { return !l.head.Before(at) || l.expired(at) })
	if err != nil {
		return err
	}
	if at.Epoch == 0 && latest.name == "" {
		return nil
	}
	if latest.expired(at) {
		return ErrExpired
	}
	return nil
}

// Since is [Journal]'s.
func (j *streamJournal) Since(ctx context.Context, after Place, most int) (Changes, error) {
	latest, err := j.current(ctx, nil)
	switch {
	case err != nil:
		return Changes{}, err
	case latest.expired(after):
		return Changes{}, ErrExpired
	case after.same(latest.head):
		return Changes{At: latest.head}, nil
	}
	reading, cancel := context.WithTimeout(ctx, sinceIn)
	defer cancel()
	found, err := j.read(reading, after, latest.head, most)
	if left := ctx.Err(); err != nil && left != nil {
		return Changes{}, left
	}
	return found, err
}

// read asks Redis for up to most changes between a place and the head. Who was further on at another process,
// which was faster, is told of none.
func (j *streamJournal) read(ctx context.Context, after, head Place, most int) (Changes, error) {
	ahead := head.Before(after)
	to := head.id()
	if ahead {
		to, most = "+", 0
	}
	most = min(most, mostAtLook)
	list, err := j.client.XRangeN(ctx, streamKey, after.id(), to, int64(most)+2).Result() // the entry before, and one that says there is more
	if err != nil {
		return Changes{}, errUnheard(err)
	}
	list, end, whole := behind(list, after)
	switch {
	case !whole:
		return Changes{}, ErrExpired
	case ahead:
		return Changes{At: after}, nil
	case len(list) <= most && !end.same(head):
		return Changes{}, ErrExpired
	}
	return changesOf(list, after, head, most)
}

// behind are the entries of list, which was read from a place on, that follow it, and the place where they end.
// They are whole when none is gone in between, be it for its age, for their number or because somebody took it
// out: each names the one before. What does not, of an earlier release, is taken for the next one of what is there.
func behind(list []redis.XMessage, after Place) (following []redis.XMessage, end Place, whole bool) {
	end = after
	if len(list) > 0 && list[0].ID == after.id() {
		list, whole = list[1:], true
	}
	for _, message := range list {
		text, named := message.Values[fieldPrevious].(string)
		previous, err1 := placeOf(text)
		at, err2 := placeOf(message.ID)
		if errors.Join(err1, err2) != nil || (named && !previous.same(end)) || (!named && !whole) {
			return nil, end, false
		}
		end, whole = at, true
	}
	return list, end, whole
}

// changesOf makes what was read up to a head into changes.
func changesOf(list []redis.XMessage, after, head Place, most int) (Changes, error) {
	found := Changes{At: head, More: len(list) > most}
	for _, message := range list[:min(most, len(list))] {
		at, err := placeOf(message.ID)
		if err != nil {
			return Changes{}, errUnheard(err)
		}
		at.Epoch, at.Seen = after.Epoch, max(seen(at.Ms), after.Seen)
		e := entryOf(message)
		if !e.readable {
			e.change.Tags = []commerce.Tag{commerce.TagAll} // nobody here can tell what it was about
		}
		found.List = append(found.List, Told{Change: e.change, At: at})
	}
	if found.More {
		found.At = found.List[len(found.List)-1].At
	}
	return found, nil
}

// Close is [Journal]'s.
func (j *streamJournal) Close() {
	j.begin.Do(func() {}) // from here on it does not begin
	j.stop()
	j.work.Wait()
}
