// Package recent keeps the requests that whoever carries the pager asks for: the last that
// failed, were degraded or took long, each with its waterfall, and the slowest of the others.
// It keeps names from the schema, the query and the configuration, words of ours and figures:
// no variable, no header but the request's id, nothing of who asked or of what was answered.
// What is kept is bounded in number and in bytes. A request that is none of these costs a
// comparison or two.
package recent

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/schema/commerce"
)

// Config says what is kept.
type Config struct {
	Slow  time.Duration `env:"REQUESTS_SLOW" envDefault:"500ms" doc:"How long a request takes at least to be kept as slow at /requests on the admin address; at least 1ms."`
	Bytes int           `env:"REQUESTS_BYTES" envDefault:"1048576" doc:"Most memory for the requests that /requests tells of, in bytes; 0 keeps none, else at least 65536."`
}

// leastBytes is the smallest budget that is more than none.
const leastBytes = 64 << 10

// Validate checks both.
func (c Config) Validate() error {
	var errs []error
	if c.Slow < time.Millisecond {
		errs = append(errs, config.Bad("REQUESTS_SLOW", "must be at least 1ms"))
	}
	if c.Bytes != 0 && c.Bytes < leastBytes {
		errs = append(errs, config.Bad("REQUESTS_BYTES", "must be 0 or at least 65536"))
	}
	return errors.Join(errs...)
}

// Request is one that was answered.
type Request struct {
	ID        string // its X-Request-Id
	Method    string
	Route     string // the template, never the path
	Operation string // a GraphQL operation's name; empty otherwise
	Answer    string // how the answer cache was used
	Status    int
	Duration  time.Duration
	Err       error // the cause of a 5xx answer, of which only the kind is kept; may be nil
	Made      *Made // nil: its answer was not made for it
}

// Made is what a channel knows of an answer that was made.
type Made struct {
	Spent    *timing.Elapsed // nil: nothing was executed
	Market   commerce.Market
	Document interface{ ID() string } // a trusted document; nil: the request brought a text of its own
	Failed   bool                     // of what was asked for at least one whole thing could not be had
	Degraded bool                     // something in it is missing, stale or filled in
	// Tell tells what, once, if the request is kept. It may be nil, and must look at nothing
	// that is changed later.
	Tell func() Told
}

// Told is what is not well in an answer.
type Told struct {
	Parts  []Part
	Errors []string // codes or words of ours
}

// Part is a part of an answer that is not fresh.
type Part struct {
	Part         string          `json:"part"` // a path, without places in lists, or a part of a screen
	System       string          `json:"system,omitempty"`
	State        commerce.State  `json:"state"`
	Reason       commerce.Reason `json:"reason,omitempty"`
	AgeMS        int64           `json:"ageMs,omitempty"`        // of the oldest
	RetryAfterMS int64           `json:"retryAfterMs,omitempty"` // the longest
	Count        int             `json:"count"`                  // of places in lists
}

// Requests keeps and counts them. It is safe for concurrent use; a nil one does neither.
type Requests struct {
	slow  time.Duration
	keeps bool // there is memory for them
	seen  [len(shelves)]atomic.Int64

	// The slowest of a window: what does not take longer than floor, and ends before end, is none.
	floor, end atomic.Int64 // in ns, of duration and since 1970

	mu      sync.Mutex
	last    uint64
	shelves [len(shelves)]shelf
	slowest ranking
}

// New keeps requests as cfg says. Without memory for them they are only counted.
func New(cfg Config) *Requests {
	r := &Requests{slow: cfg.Slow, keeps: cfg.Bytes > 0}
	share := cfg.Bytes / (len(shelves) + 1)
	for i := range r.shelves {
		r.shelves[i].budget = share
	}
	r.slowest.budget = share / windows
	return r
}

// kind is the worst that a request is kept for.
type kind uint8

const (
	failed kind = iota
	degraded
	slow
	ordinary // but perhaps among the slowest
)

// shelves are the words for the kinds that have a shelf.
var shelves = [...]string{failed: "failed", degraded: "degraded", slow: "slow"}

// Statuses from which on a request went wrong, by the client or by us.
const (
	clientError = 400
	serverError = 500
)

func (r *Requests) kindOf(q *Request) kind {
	switch {
	case q.Status >= serverError, q.Made != nil && q.Made.Failed:
		return failed
	case q.Made != nil && q.Made.Degraded:
		return degraded
	case q.Duration >= r.slow:
		return slow
	default:
		return ordinary
	}
}

// words are all that q is kept for, the worst first.
func (r *Requests) words(q *Request, k kind) []string {
	words := []string{shelves[k]}
	if k == failed && q.Made != nil && q.Made.Degraded {
		words = append(words, shelves[degraded])
	}
	if k != slow && q.Duration >= r.slow {
		words = append(words, shelves[slow])
	}
	return words
}

// Observe keeps q, which has just been answered, if it is worth it. ctx knows its trace.
func (r *Requests) Observe(ctx context.Context, q *Request) {
	if r == nil {
		return
	}
	switch k := r.kindOf(q); {
	case k != ordinary:
		r.seen[k].Add(1)
		if r.keeps {
			r.shelve(ctx, q, k)
		}
	case r.keeps && q.Status < clientError && q.Made != nil && q.Made.Spent != nil:
		r.rank(ctx, q)
	}
}

// shelve keeps q unless too many of its kind came of late.
func (r *Requests) shelve(ctx context.Context, q *Request, k kind) {
	now := time.Now()
	number, ok := r.number(func() bool { return r.shelves[k].admits(now) })
	if !ok {
		return
	}
	kept := recordOf(ctx, number, q, r.words(q, k), now)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shelves[k].put(kept)
}

// rank keeps q if it is one of the slowest.
func (r *Requests) rank(ctx context.Context, q *Request) {
	now := time.Now()
	if int64(q.Duration) <= r.floor.Load() && now.UnixNano() < r.end.Load() {
		return
	}
	number, ok := r.number(func() bool {
		r.slowest.turn(now)
		return r.slowest.admits(q.Duration)
	})
	if !ok {
		return
	}
	kept := recordOf(ctx, number, q, []string{"slowest"}, now)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slowest.put(q.Duration, kept)
	r.floor.Store(int64(r.slowest.floor()))
	r.end.Store(r.slowest.end.UnixNano())
}

// number is that of the next record, if admits says that it is kept.
func (r *Requests) number(admits func() bool) (uint64, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !admits() {
		return 0, false
	}
	r.last++
	return r.last, true
}
