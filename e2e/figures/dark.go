package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// everySystemGone resets every connection, whatever is asked.
const everySystemGone = `{"system":"*","operation":"*","errorRate":1,"mode":"reset"}`

// dark browses for a while, switches every system off, and browses on.
func dark(ctx context.Context, demo string, length time.Duration) error {
	return run(ctx, demo, nil, func(ctx context.Context, _ *process) error {
		return browse(ctx, "every system off", length, func() error {
			_, err := request(ctx, http.MethodPost, sandbox+"/_sandbox/faults", everySystemGone)
			return err
		})
	})
}

// withoutRedis does the same with a Redis, which is killed.
func withoutRedis(ctx context.Context, demo string, length time.Duration) error {
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	redis := exec.CommandContext(ctx, "redis-server", "--port", port, "--save", "", "--appendonly", "no", "--loglevel", "warning")
	if err := redis.Start(); err != nil {
		return err
	}
	defer func() { _, _ = redis.Process.Kill(), redis.Wait() }()
	return run(ctx, demo, []string{"REDIS_URL=redis://127.0.0.1:" + port}, func(ctx context.Context, _ *process) error {
		return browse(ctx, "Redis killed", length, redis.Process.Kill)
	})
}

func freePort(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return "", err
	}
	if _, err := strconv.Atoi(port); err != nil {
		return "", err
	}
	return port, listener.Close()
}

// What is asked for after the calamity, by what could be known of it.
const (
	seenBefore = "asked for before"
	neverSeen  = "never asked for"
	private    = "a cart's, a customer's"
)

// browser asks what a shop's clients do, and remembers what was answered.
type browser struct {
	*shop
	mu     sync.Mutex
	seen   map[string]bool      // questions that were answered before the calamity
	groups map[string]*outcomes // by what could be known, and kind
}

// browse lets clients ask for a while, calls up the calamity, lets them ask on, and
// prints who got what.
func browse(ctx context.Context, what string, length time.Duration, calamity func() error) error {
	opened, err := openShop(ctx)
	if err != nil {
		return err
	}
	b := &browser{shop: opened, seen: map[string]bool{}, groups: map[string]*outcomes{}}
	before, after := newOutcomes(), newOutcomes()
	err = b.each(ctx, length, func(q question, v verdict, took time.Duration) {
		before.add(q.kind, v, took)
		b.remember(q, v)
	})
	if err != nil {
		return err
	}
	if err := calamity(); err != nil {
		return err
	}
	err = b.each(ctx, length, func(q question, v verdict, took time.Duration) {
		after.add(q.kind, v, took)
		b.group(q).add(q.kind, v, took)
	})
	if err != nil {
		return err
	}
	b.print(what, length, before, after)
	return nil
}

func (b *browser) remember(q question, v verdict) {
	if v.failure != "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen[q.identity()] = true
}

// group is what a question of after the calamity is counted with.
func (b *browser) group(q question) *outcomes {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := neverSeen
	switch {
	case q.private():
		known = private
	case b.seen[q.identity()]:
		known = seenBefore
	}
	key := known + "/" + q.kind
	if b.groups[key] == nil {
		b.groups[key] = newOutcomes()
	}
	return b.groups[key]
}

// identity tells one question from another: the same page in another market is another.
func (q question) identity() string {
	return strings.Join(append([]string{q.method, q.url, q.body}, q.headers...), "\n")
}

// private tells whether the answer is for one customer or cart, which nothing is kept of.
func (q question) private() bool {
	return strings.HasPrefix(q.kind, "account") || strings.HasPrefix(q.kind, "cart")
}

func (b *browser) print(what string, length time.Duration, before, after *outcomes) {
	fmt.Printf("\n%d requests a second for %s, then as long with %s\n", faultRate, length, what)
	fmt.Printf("  %-30s %8s %9s %9s %9s   %s\n", "", "requests", "complete", "degraded", "failed", "age of stale parts: p50, p95, most")
	before.row("before")
	after.row("after")
	for _, known := range []string{seenBefore, neverSeen, private} {
		sum := newOutcomes()
		var kinds []string
		for key, group := range b.groups {
			if name, kind, _ := strings.Cut(key, "/"); name == known {
				kinds = append(kinds, kind)
				sum.include(group)
			}
		}
		if len(kinds) == 0 {
			continue
		}
		sum.row("  " + known)
		slices.Sort(kinds)
		for _, kind := range kinds {
			b.groups[known+"/"+kind].row("    " + kind)
		}
		printCounts("failed", sum.failures)
		printCounts("not fresh", sum.reasons)
	}
	fmt.Printf("  took p50 %s, p99 %s before; p50 %s, p99 %s after\n",
		quantile(before.spent, .5), quantile(before.spent, .99), quantile(after.spent, .5), quantile(after.spent, .99))
}

// include adds what another sum counted.
func (o *outcomes) include(other *outcomes) {
	o.complete += other.complete
	o.degraded += other.degraded
	o.failed += other.failed
	o.spent = append(o.spent, other.spent...)
	o.ages = append(o.ages, other.ages...)
	for name, n := range other.failures {
		o.failures[name] += n
	}
	for name, n := range other.reasons {
		o.reasons[name] += n
	}
}

// row tells what clients got, and how old what was stale was.
func (o *outcomes) row(name string) {
	n := len(o.spent)
	share := func(part int) string { return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(max(1, n))) }
	ages := ""
	if len(o.ages) > 0 {
		ages = fmt.Sprintf("%s, %s, %s", quantile(o.ages, .5), quantile(o.ages, .95), quantile(o.ages, 1))
	}
	fmt.Printf("  %-30s %8d %9s %9s %9s   %s\n", name, n, share(o.complete), share(o.degraded), share(o.failed), ages)
}

// quantile of a list, which is sorted by it.
func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(int(q*float64(len(list))), len(list)-1)].Round(100 * time.Microsecond)
}
