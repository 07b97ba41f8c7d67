package live

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/portico-bff/portico/edge/watch"
)

// Why nobody more may watch.
var (
	ErrOff    = errors.New("subscriptions are turned off")
	ErrFull   = errors.New("the process has as many subscriptions as it takes")
	ErrClient = errors.New("the client has as many subscriptions as one may")
	ErrEnding = errors.New("the process is about to stop")
)

// Desk lets subscriptions in and knows how many there are. A nil desk lets nobody in.
type Desk struct {
	cfg     Config
	hub     *watch.Hub // nil: values are read again from time to time only
	metrics *metrics
	turns   chan struct{} // holds one for each value that is being read
	ending  chan struct{} // closed by Close

	mu       sync.Mutex
	closed   bool
	total    int
	byClient map[string]int
	work     sync.WaitGroup
}

// turnsPerCore is how many values are read at once, for each core: a change that thousands
// watch must not keep everybody else from theirs.
const turnsPerCore = 16

// NewDesk makes a desk; nil when subscriptions are turned off.
func NewDesk(cfg Config, deps Deps) (*Desk, error) {
	if cfg.Most == 0 {
		return nil, nil //nolint:nilnil // nothing is what was asked for
	}
	d := &Desk{
		cfg: cfg, hub: deps.Hub, byClient: map[string]int{}, ending: make(chan struct{}),
		turns: make(chan struct{}, turnsPerCore*runtime.GOMAXPROCS(0)),
	}
	var err error
	d.metrics, err = newMetrics(deps.Meter, d.active)
	return d, err
}

// Enter lets a subscription of a client in; over says why it ended, once it has.
func (d *Desk) Enter(client string) (over func(why string), err error) {
	if d == nil {
		return nil, ErrOff
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil, ErrEnding
	case d.total >= d.cfg.Most:
		return nil, ErrFull
	case d.byClient[client] >= d.cfg.PerClient:
		return nil, ErrClient
	}
	d.total++
	d.byClient[client]++
	d.work.Add(1)
	return func(why string) {
		d.metrics.over(why)
		d.leave(client)
	}, nil
}

func (d *Desk) leave(client string) {
	d.mu.Lock()
	d.total--
	if d.byClient[client]--; d.byClient[client] == 0 {
		delete(d.byClient, client)
	}
	d.mu.Unlock()
	d.work.Done()
}

func (d *Desk) active() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(d.total)
}

// Connect holds a stopping process until a connection for subscriptions is over.
func (d *Desk) Connect() (over func(), err error) {
	if d == nil {
		return nil, ErrOff
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, ErrEnding
	}
	d.work.Add(1)
	return d.work.Done, nil
}

// Hub wakes who watches.
func (d *Desk) Hub() *watch.Hub { return d.hub }

// Turn waits until a value may be read; done gives the turn back.
func (d *Desk) Turn(ctx context.Context) (done func(), err error) {
	select {
	case d.turns <- struct{}{}:
		return func() { <-d.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Reread is how long a value stands without a word from its system: about as long as is
// configured, differently each time, so that not all are read at once.
func (d *Desk) Reread() time.Duration { return Spread(d.cfg.Reread) }

// Spread is about as long as span, a fifth more or less, differently each time.
func Spread(span time.Duration) time.Duration {
	const share = 5
	spread := span / share
	return span - spread + rand.N(2*spread) //nolint:gosec // spreads reads, guards nothing
}

// Sent counts an answer that was sent.
func (d *Desk) Sent() { d.metrics.sent() }

// Ending is closed when the process is about to stop.
func (d *Desk) Ending() <-chan struct{} { return d.ending }

// Close tells all subscriptions to end, and waits for that until ctx ends.
func (d *Desk) Close(ctx context.Context) error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		close(d.ending)
	}
	d.mu.Unlock()
	gone := make(chan struct{})
	go func() { // ends with the last subscription
		d.work.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
