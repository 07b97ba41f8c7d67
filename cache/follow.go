package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	newsStream   = "portico:tags"
	newsLength   = 100_000 // entries that are kept at least
	newsBlock    = 500 * time.Millisecond
	newsPatience = 500 * time.Millisecond // for an answer beyond that
	newsBackoff  = 500 * time.Millisecond // at most, between two attempts to reach Redis
	maxUntold    = 10_000
)

// The fields of the stream's entries.
const (
	fieldNode = "n" // which process invalidated
	fieldTags = "t" // the tags, with a space between them; empty when the stream was just begun
)

// errUntold is what who invalidates gets when only this process knows of it so far.
var errUntold = fmt.Errorf("cache: other processes are told of the invalidation later: %w", commerce.ErrUnavailable)

// news is how processes tell each other what was invalidated: entries of one
// stream in Redis, which each process follows from where it was. An entry's ID is
// the version of the invalidation. Nothing is lost when a connection is: reading
// goes on after the last entry. That this last entry is still in the stream is
// looked at every time, and when it is not (the stream was trimmed beyond it, or
// emptied, or a replica without it took over) everything from before is dropped.
type news struct {
	table   *tagTable
	remote  *remote               // through which it tells
	reader  redis.UniversalClient // its own: a blocking read keeps a connection busy
	node    string
	current atomic.Bool  // whether all that others told is in the table
	heardAt atomic.Int64 // when that was last so for certain, in ns since began
	began   time.Time

	// The follower's alone.
	at    version // the last entry taken
	lost  version // what was known of when the stream was found to lack it
	first version // where reading began
	size  int     // how many entries are asked for at once
	deaf  bool    // and said so
	polls bool    // since waiting for more fails, and said so

	mu     sync.Mutex
	sent   version                   // the highest that Redis gave this process
	untold map[commerce.Tag]struct{} // waiting until Redis is back
	hidden atomic.Bool               // whether others may rely on what is untold; see endStream
}

func newNews(r *remote, opts redis.UniversalOptions, table *tagTable) *news {
	opts.PoolSize, opts.ReadTimeout, opts.PoolTimeout = 2, newsBlock+newsPatience, newsPatience
	return &news{
		table: table, remote: r, reader: newClient(opts), node: rand.Text(),
		began: time.Now(), untold: map[commerce.Tag]struct{}{}, size: newsPage,
	}
}

// tell invalidates tags here at once and for everyone as soon as possible.
func (n *news) tell(ctx context.Context, tags []commerce.Tag) error {
	n.table.strike(tags, true)
	// Whoever caused it may leave; the invalidation stands.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisIO)
	defer cancel()
	for piece := range entriesFor(tags) {
		if !n.remote.writes.allow(time.Now()) || n.publish(ctx, n.remote.client, "*", piece) != nil {
			n.keep(tags)
			n.hidden.Store(true)
			return errUntold
		}
		tags = tags[len(piece):]
	}
	return nil
}

// errNotLast is that an entry's own ID is not above all that the stream has.
var errNotLast = errors.New("the stream is further on")

// publish adds an entry for tags to the stream, under id.
func (n *news) publish(ctx context.Context, through redis.UniversalClient, id string, tags []commerce.Tag) error {
	texts := make([]string, len(tags))
	for i, tag := range tags {
		texts[i] = string(tag)
	}
	issued, err := through.XAdd(ctx, &redis.XAddArgs{
		Stream: newsStream, MaxLen: newsLength, Approx: true, ID: id,
		Values: []string{fieldNode, n.node, fieldTags, strings.Join(texts, " ")},
	}).Result()
	if err != nil && strings.Contains(err.Error(), "equal or smaller") {
		return errNotLast
	}
	at, ok := parseVersion(issued)
	if err == nil && !ok {
		err = errors.New("XADD failed")
	}
	if !n.remote.settled(ctx, "invalidate", &n.remote.writes, err) {
		return err
	}
	n.mu.Lock()
	n.sent = latest(n.sent, at)
	n.mu.Unlock()
	n.table.issued(tags, at)
	return nil
}

// add publishes from the follower, whom nobody waits for.
func (n *news) add(ctx context.Context, id string, tags []commerce.Tag) error {
	ctx, cancel := context.WithTimeout(ctx, newsPatience)
	defer cancel()
	return n.publish(ctx, n.reader, id, tags)
}

// keep holds tags back until Redis can be told. When they become too many, everything is invalidated instead.
func (n *news) keep(tags []commerce.Tag) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var merged []commerce.Tag
	for _, tag := range tags {
		if _, known := n.untold[tag]; known {
			merged = append(merged, tag)
		}
		n.untold[tag] = struct{}{}
	}
	if len(n.untold) > maxUntold {
		n.table.strike([]commerce.Tag{commerce.TagAll}, true)
		for tag := range n.untold {
			merged = append(merged, tag)
		}
		n.untold = map[commerce.Tag]struct{}{commerce.TagAll: {}}
	}
	n.table.merged(merged)
}

// flush tells what was held back.
func (n *news) flush(ctx context.Context) {
	n.mu.Lock()
	held := referenceFirst(n.untold)
	clear(n.untold)
	n.mu.Unlock()
	for piece := range entriesFor(held) {
		if err := n.add(ctx, "*", piece); err != nil {
			n.keep(held)
			n.endStream(ctx, err)
			return
		}
		held = held[len(piece):]
	}
}

// follow reads the stream until ctx ends.
func (n *news) follow(ctx context.Context) {
	wait := time.Duration(0)
	for ctx.Err() == nil {
		err := n.look(ctx)
		if err == nil {
			err = n.await(ctx)
			n.polling(ctx, err)
		} else {
			n.missed(ctx, err)
		}
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			wait = 0
			continue
		}
		wait = min(newsBackoff, 2*wait+20*time.Millisecond)
		select {
		case <-ctx.Done():
		case <-time.After(wait/2 + mathrand.N(wait/2)): // spreads processes, guards nothing
		}
	}
}

// look takes what is new and tells what was held back.
func (n *news) look(ctx context.Context) error {
	begun := time.Since(n.began)
	if err := n.catchUp(ctx); err != nil {
		return err
	}
	n.heard(ctx, begun)
	n.readClock(ctx)
	n.flush(ctx)
	return nil
}

// await returns when there is something new, or after a while. That it fails is no
// reason to think that something was missed: looking again tells.
func (n *news) await(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, newsBlock+newsPatience)
	defer cancel()
	err := n.reader.XRead(waiting, &redis.XReadArgs{Streams: []string{newsStream, n.at.String()}, Count: 1, Block: newsBlock}).Err()
	if errors.Is(err, redis.Nil) {
		return nil // nothing new
	}
	return err
}

// catchUp takes everything that the stream holds beyond what was taken.
func (n *news) catchUp(ctx context.Context) error {
	begun := false
	for {
		sent := n.lastSent()
		page, more, err := n.page(ctx)
		if err != nil {
			return err
		}
		switch {
		case !n.at.zero() && (len(page) == 0 || page[0].at != n.at):
			n.restart(sent)
			continue
		case len(page) == 0 && begun:
			return errors.New("the stream does not hold what was added to it")
		case len(page) == 0:
			begun = true
			if err := n.begin(ctx); err != nil {
				return err
			}
			continue
		}
		n.take(page)
		if more {
			continue
		}
		if !n.at.before(sent) {
			return n.mend(ctx)
		}
		n.restart(sent)
	}
}

// restart begins anew, because entries up to known may have been missed or were lost.
func (n *news) restart(known version) {
	n.current.Store(false)
	n.lost = latest(n.lost, latest(n.at, known))
	n.at = version{}
	n.table.restart(n.lost) // now, since nobody knows when there is something to follow again
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sent == known {
		n.sent = version{}
	}
}

// begin puts a first entry into an empty stream, so that there is something to
// follow. It comes after everything that was known of.
func (n *news) begin(ctx context.Context) error {
	if n.lost.zero() {
		return n.add(ctx, "*", nil)
	}
	err := n.add(ctx, n.lost.next().String(), []commerce.Tag{commerce.TagAll})
	if errors.Is(err, errNotLast) {
		return nil // another process was first
	}
	return err
}

// mend drops everything everywhere when Redis lost invalidations that this process
// knows of, since others may never have seen them. That entry comes after all that
// was lost: versions rise again.
func (n *news) mend(ctx context.Context) error {
	if n.lost.zero() || n.lost.before(n.first) {
		n.lost = version{}
		return nil
	}
	all := []commerce.Tag{commerce.TagAll}
	n.table.strike(all, true)
	err := n.add(ctx, n.lost.next().String(), all)
	if errors.Is(err, errNotLast) {
		err = n.add(ctx, "*", all)
	}
	if err != nil {
		n.table.merged(all)
		return err
	}
	n.lost = version{}
	return nil
}

// take puts a page into the table.
func (n *news) take(page []item) {
	if n.at.zero() {
		n.first = page[0].at
		n.table.restart(n.first)
	} else {
		page = page[1:]
	}
	others := 0
	for _, i := range page {
		n.table.apply(i.at, i.tags, i.own)
		n.at = i.at
		if !i.own {
			others += len(i.tags)
		}
	}
	n.remote.metrics.invalidated("others", others)
}

func (n *news) lastSent() version {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sent
}

// heard notes that everything others told until at is in the table.
func (n *news) heard(ctx context.Context, at time.Duration) {
	n.heardAt.Store(int64(at))
	n.current.Store(true)
	if n.deaf {
		n.deaf = false
		n.remote.log.LogAttrs(ctx, slog.LevelWarn, "cache hears of invalidations again")
	}
}

// polling notes whether waiting for more works.
func (n *news) polling(ctx context.Context, err error) {
	if ctx.Err() != nil || n.polls == (err != nil) {
		return
	}
	n.polls = err != nil
	if n.polls {
		n.remote.log.LogAttrs(ctx, slog.LevelWarn, "cache is not told of invalidations and asks for them", slog.String("reason", redisReason(err)))
	} else {
		n.remote.log.LogAttrs(ctx, slog.LevelWarn, "cache is told of invalidations again")
	}
}

// missed notes that others may be telling something unheard.
func (n *news) missed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	n.current.Store(false)
	if !n.deaf {
		n.deaf = true
		n.remote.log.LogAttrs(ctx, slog.LevelWarn, "cache does not hear of other processes' invalidations", slog.String("reason", redisReason(err)))
	}
}

// lastHeard is when everything that others had told was last in the table.
func (n *news) lastHeard() time.Time { return n.began.Add(time.Duration(n.heardAt.Load())) }

// lag is for how long the table may have lacked what others told.
func (n *news) lag() time.Duration { return time.Since(n.lastHeard()) }
