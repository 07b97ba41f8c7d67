package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// options is what a run is told.
type options struct {
	bin, docs, only, profiles string
	scale                     float64
	settings                  []string
}

const (
	rounds      = 13 // short ones: what else the machine does comes and goes in seconds
	roundLength = 400 * time.Millisecond
	clients     = 16 // of a closed loop
	fewClients  = 4  // of one whose answers cost milliseconds: others would only wait
	identical   = 64 // of one in which all ask for the same
)

// measure starts everything, measures, prints and writes.
func measure(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	begin := time.Now()
	r, err := newRig(ctx, self, dir, o)
	if r != nil {
		defer func() { _ = r.stop() }()
	}
	if err != nil {
		return err
	}
	if err := stay(coreBeside); err != nil {
		return err
	}
	var result report
	for _, step := range []func(context.Context, *report) error{r.starts, r.works, r.times, r.memory} {
		if err := step(ctx, &result); err != nil {
			return err
		}
	}
	result.took = time.Since(begin)
	return result.publish(os.Stdout, o.docs)
}

// times are the measurements whose results are times: cores stay awake for them.
func (r *rig) times(ctx context.Context, to *report) error {
	if !r.wanted("B4") && !r.wanted("B6") && !r.wanted("M9") {
		return nil
	}
	cores, err := awake()
	if to.asleep = err; err == nil {
		defer func() { _ = cores.Close() }()
	}
	for _, step := range []func(context.Context, *report) error{r.latencies, r.weathers, r.overloads} {
		if err := step(ctx, to); err != nil {
			return err
		}
	}
	return nil
}

// wanted tells whether a measurement is asked for.
func (r *rig) wanted(id string) bool {
	return r.options.only == "" || slices.Contains(strings.Split(r.options.only, ","), id)
}

func (r *rig) length(d time.Duration) time.Duration {
	return time.Duration(float64(d) * r.options.scale)
}

func (r *rig) repeats(n int) int { return max(1, min(n, int(float64(n)*r.options.scale*2))) }

// work is one row: the same requests to a channel and to the baseline.
type work struct {
	id, name   string
	channel    *channel
	plain      *target
	ask        ask
	clients    int
	shared     int64    // of how many things is asked over again; 0: each thing once
	settings   []string // of a process of its own; nil: the one that is there
	beside     *ask     // what the channel itself is asked for instead of the baseline
	must, goal float64
}

// list is all works whose result is a ratio of processor time.
func (r *rig) list() []work {
	config, small := r.mobileConfig(), r.mobileSmall()
	return []work{
		{id: "B1", name: "`{__typename}`", channel: r.web, plain: r.plainAt, ask: r.webSmall(), clients: clients, shared: 1, must: 0.55, goal: 0.9},
		{id: "B1", name: "`GET /v1/config`", channel: r.mobile, plain: r.plainKept, ask: config, clients: clients, shared: 1, must: 1.2, goal: 1.5},
		{id: "B1", name: "304 of a product page, against the smallest kept screen", channel: r.mobile, beside: &small, ask: r.mobileUnchanged(), clients: clients, shared: 1, must: 1, goal: 1},
		{id: "B1", name: "sync: nothing has changed, against `GET /v1/config`", channel: r.mobile, settings: telling, beside: &config, ask: r.mobileSynced(), clients: clients, shared: 1},
		{id: "B2", name: "list of 100, distinct", channel: r.web, plain: r.plainAt, ask: r.webList(), clients: fewClients, must: 0.8, goal: 1.8},
		{id: "B2", name: "list of 100, distinct", channel: r.mobile, plain: r.plainAt, ask: r.mobileList(), clients: fewClients, must: 1.2, goal: 2.3},
		{id: "B2", name: "list of 100, identical", channel: r.web, plain: r.plainAt, ask: r.webList(), clients: identical, shared: 1, must: 8, goal: 12},
		{id: "B2", name: "list of 100, identical", channel: r.mobile, plain: r.plainAt, ask: r.mobileList(), clients: identical, shared: 1, must: 8, goal: 12},
		{id: "B3", name: "product page, distinct, cache off", channel: r.web, settings: cacheOff, plain: r.plainAt, ask: r.webPage(), clients: clients, must: 1, goal: 2},
		{id: "B3", name: "product page, distinct, cache off", channel: r.mobile, settings: cacheOff, plain: r.plainAt, ask: r.mobilePage(), clients: clients, must: 1.6, goal: 2.3},
		{id: "B3", name: "product page, distinct, each kept", channel: r.web, plain: r.plainAt, ask: r.webPage(), clients: clients},
		{id: "B3", name: "product page, distinct, each kept", channel: r.mobile, plain: r.plainAt, ask: r.mobilePage(), clients: clients},
		{id: "B5", name: "product page, warm", channel: r.web, plain: r.plainKept, ask: r.webPage(), clients: clients, shared: 50, must: 0.8, goal: 0.95},
		{id: "B5", name: "product page, warm", channel: r.mobile, plain: r.plainKept, ask: r.mobilePage(), clients: clients, shared: 50, must: 1.3, goal: 1.6},
	}
}

// among has requests ask for few things over again, which nothing else asked for before.
func (w work) among(r *rig) ask {
	if w.shared == 0 {
		return w.ask
	}
	first := r.distinct.Add(w.shared) - w.shared + 1
	return w.ask.mapped(func(n int64) int64 { return first + n%w.shared })
}

// arm is what one side did in one round.
type arm struct {
	*load
	cpu   time.Duration // a request
	calls float64       // of the systems, a request
}

// run loads one side for a round.
func (r *rig) run(t *target, p *process, w work, length time.Duration) (arm, error) {
	a := w.among(r)
	next := &r.distinct
	if w.shared > 0 {
		next = &atomic.Int64{}
		for n := range w.shared { // what is warm was asked for before
			if _, _, err := t.once(a.set, n); err != nil {
				return arm{}, err
			}
		}
	}
	_, err := r.set(weather{})
	if err != nil {
		return arm{}, err
	}
	before, err := p.cpu()
	if err != nil {
		return arm{}, err
	}
	got := closed(t, a, w.clients, length, next)
	after, err := p.cpu()
	if err != nil {
		return arm{}, err
	}
	calls, err := r.set(weather{})
	if err != nil {
		return arm{}, err
	}
	if got.failed > 0 || got.answered == 0 {
		return arm{}, &failedError{got}
	}
	made := 0
	for _, n := range calls {
		made += n
	}
	return arm{got, (after - before) / time.Duration(got.answered), float64(made) / float64(got.answered)}, nil
}

// works measures all ratios, in rounds that take turns.
func (r *rig) works(ctx context.Context, to *report) error {
	for _, w := range r.list() {
		if !r.wanted(w.id) {
			continue
		}
		ours, plain, err := r.work(ctx, w)
		if failed, ok := errors.AsType[*failedError](err); ok {
			fmt.Fprintln(os.Stderr, failed.sample)
			to.add(row{id: w.id, channel: w.channel.name(), what: w.name, value: "no figure: " + failed.Error(), must: "no errors", holds: missed})
			continue
		}
		if err != nil {
			return err
		}
		to.ratio(w, ours, plain)
	}
	return nil
}

// Settings of processes: one keeps nothing, one is told of changes.
var (
	cacheOff = []string{"CACHE_OFF=true"}
	telling  = []string{"EVENTS_ADDR=127.0.0.1:0", "EVENTS_SECRET=only-for-measurements-only-for-measurements"}
)

// work measures one work, in a process of its own if it wants one.
func (r *rig) work(ctx context.Context, w work) (ours, plain []arm, err error) {
	if w.settings != nil {
		if w.channel, err = r.startChannel(ctx, w.channel.name(), w.settings...); err != nil {
			return nil, nil, err
		}
		defer func() { err = errors.Join(err, r.end(w.channel)) }()
	}
	if w.ask.begin != nil {
		if err := w.ask.begin(w.channel.target); err != nil {
			return nil, nil, fmt.Errorf("%s %s: %w", w.id, w.name, err)
		}
	}
	if w.beside == nil {
		if err := r.verify(w.channel.target, w.plain, w.ask); err != nil {
			return nil, nil, fmt.Errorf("%s %s: %w", w.id, w.name, err)
		}
	}
	defer r.profile(ctx, w)()
	return r.rounds(ctx, w)
}

// failedError is a load of which a part was answered with errors, or not at all: it is no figure.
type failedError struct{ *load }

func (e *failedError) Error() string {
	return fmt.Sprintf("%d of %d requests failed", e.failed, e.failed+e.answered)
}

// round is how long one is. Answers that cost milliseconds need more: in one of the usual
// length there are a hundred, and a handful of collections of garbage or one more.
func (r *rig) round(w work) time.Duration {
	if w.clients == fewClients {
		return r.length(2 * roundLength)
	}
	return r.length(roundLength)
}

// rounds loads both sides in turns.
func (r *rig) rounds(ctx context.Context, w work) (ours, plain []arm, err error) {
	other, at, process := w, w.plain, r.plain
	if w.beside != nil {
		other.ask, at, process = *w.beside, w.channel.target, w.channel.process
	}
	for i := range r.repeats(rounds) {
		sides := []func() error{
			func() error {
				a, err := r.run(w.channel.target, w.channel.process, w, r.round(w))
				ours = append(ours, a)
				return err
			},
			func() error {
				a, err := r.run(at, process, other, r.round(w))
				plain = append(plain, a)
				return err
			},
		}
		if i%2 == 1 {
			slices.Reverse(sides)
		}
		for _, side := range sides {
			if err := errors.Join(ctx.Err(), side()); err != nil {
				return nil, nil, err
			}
		}
	}
	return ours, plain, nil
}

// profile takes profiles of a channel while a work is measured, if they are wanted: of the
// processor's time, and of what was allocated.
func (r *rig) profile(ctx context.Context, w work) func() {
	if r.options.profiles == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var both sync.WaitGroup
		both.Go(func() { r.profileOf(ctx, w, "profile", ".pprof") })
		both.Go(func() { r.profileOf(ctx, w, "allocs", ".allocs.pprof") })
		both.Wait()
	}()
	return func() {
		select {
		case <-done:
		case <-time.After(3 * time.Second):
		}
		cancel()
		<-done
	}
}

// profileOf writes a profile of a kind to a file with an ending.
func (r *rig) profileOf(ctx context.Context, w work, kind, ending string) {
	seconds := max(1, int(2*float64(r.repeats(rounds))*r.round(w).Seconds()))
	name := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, strings.ToLower(w.id+" "+w.channel.name()+" "+w.name))
	raw, err := get(ctx, fmt.Sprintf("http://%s/debug/pprof/%s?seconds=%d", w.channel.admin, kind, seconds))
	if err == nil {
		err = os.WriteFile(filepath.Join(r.options.profiles, name+ending), raw, 0o600)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
	}
}

func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := local.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, res.Status)
	}
	return raw, err
}
