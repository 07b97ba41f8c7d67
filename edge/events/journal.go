package events

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/portico-bff/portico/schema/commerce"
)

// ErrExpired is that nobody can tell any more what changed since a place: too much time
// went by, changes were lost, or nobody tells of changes at all.
var ErrExpired = errors.New("events: what changed since then is not known any more")

// Place is a place between two changes. The zero place is before all of them, and of no
// journal.
type Place struct {
	Epoch   uint64 // of the changes' history, which begins anew when some were lost; 0: nobody tells
	Ms, Seq uint64 // of the last change before the place; 0 and 0 when there is none
	Seen    uint64 // ms of Unix time: no change behind the place is older
}

// Before tells whether p is before o, both being of the same history.
func (p Place) Before(o Place) bool { return p.Ms < o.Ms || (p.Ms == o.Ms && p.Seq < o.Seq) }

// same tells whether nothing is between p and o.
func (p Place) same(o Place) bool { return p.Ms == o.Ms && p.Seq == o.Seq }

// Told is a change and the place right behind it.
type Told struct {
	Change
	At Place
}

// Changes is a piece of the journal, in order.
type Changes struct {
	List []Told
	At   Place // where to go on: behind the last of them, or further on when nothing else follows
	More bool  // whether something follows
}

// Journal is what changed in the last seven days. It is safe for concurrent use.
type Journal interface {
	// Tells is whether somebody tells of changes, as far as is known.
	Tells() bool
	// Head is the last place up to which everything is invalidated in this process: what
	// is read from the cached ports from now on is no older. Where nobody tells its epoch is
	// 0. Its error is [commerce.ErrUnavailable] when that is not known now.
	Head(ctx context.Context) (Place, error)
	// Await returns when everything up to at is invalidated in this process. It waits for
	// a second at most and then answers [commerce.ErrUnavailable]; [ErrExpired] when
	// [Journal.Since] would.
	Await(ctx context.Context, at Place) error
	// Since answers up to most changes behind a place, none of them behind [Journal.Head].
	// Its error is [ErrExpired], or [commerce.ErrUnavailable].
	Since(ctx context.Context, after Place, most int) (Changes, error)
	// Close ends what the journal does by itself.
	Close()
}

const (
	// keptLonger is for how long changes stay beyond what is promised: clocks are set, and
	// [Place.Seen] is rounded.
	keptLonger = time.Hour
	// seenStep is what [Place.Seen] is rounded down to: while nothing happens a place stays
	// the same for so long.
	seenStep = 10 * time.Minute
	// farAhead is how far ahead of the clock a place may have been seen. Clocks are set back,
	// but not by so much.
	farAhead = 24 * time.Hour
)

// old tells whether changes behind a place may have been forgotten at now, by the clock
// that changes are forgotten by, or whether it is of a time that is still to come.
func (p Place) old(now time.Time) bool {
	ms := now.UnixMilli()
	return int64(p.Seen) < ms-(kept+seenStep).Milliseconds() || int64(p.Seen) > ms+farAhead.Milliseconds() //nolint:gosec // what does not fit is negative: old
}

// seen is a time as [Place.Seen].
func seen(ms uint64) uint64 { return ms - ms%uint64(seenStep.Milliseconds()) }

// NewJournal is the journal of a process: the stream in Redis, whether or not this process
// takes events itself; without Redis what s, which may be nil, took. heard tells whether
// this process knows by now what others had invalidated at a time; nil is that there
// are no others. Redis is the caller's to close, after the journal. A nil log is the default one.
func NewJournal(client redis.UniversalClient, s *Service, heard func(time.Time) bool, log *slog.Logger) Journal {
	if heard == nil {
		heard = func(time.Time) bool { return true }
	}
	switch {
	case client != nil:
		return newStreamJournal(client, heard, cmp.Or(log, slog.Default()))
	case s == nil:
		return silent{}
	}
	if own, ok := s.receiver.queue.(*direct); ok {
		return own.ring
	}
	return silent{}
}

// silent is the journal where nobody tells of changes.
type silent struct{}

func (silent) Tells() bool                              { return false }
func (silent) Head(ctx context.Context) (Place, error)  { return Place{}, ctx.Err() }
func (silent) Close()                                   {}
func (silent) Await(ctx context.Context, p Place) error { return awaitSilent(ctx, p) }
func (silent) Since(context.Context, Place, int) (Changes, error) {
	return Changes{}, ErrExpired
}

// awaitSilent lets those go on who began while nobody told of changes.
func awaitSilent(ctx context.Context, p Place) error {
	if p.Epoch != 0 {
		return ErrExpired
	}
	return ctx.Err()
}

// errUnheard is what callers get while nobody can tell where the head is.
func errUnheard(cause error) error {
	return &commerce.CallError{
		System: "redis", Operation: "events", Kind: commerce.ErrUnavailable, Reason: commerce.ReasonUnavailable,
		RetryAfter: time.Second, Err: cause,
	}
}
