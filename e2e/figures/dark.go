package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
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

func browse(ctx context.Context, what string, length time.Duration, calamity func() error) error {
	shop, err := openShop(ctx)
	if err != nil {
		return err
	}
	before, err := shop.run(ctx, length)
	if err != nil {
		return err
	}
	if err := calamity(); err != nil {
		return err
	}
	after, err := shop.run(ctx, length)
	if err != nil {
		return err
	}
	fmt.Printf("\n%d requests a second for %s, then as long with %s\n", faultRate, length, what)
	for _, row := range []struct {
		name string
		sum  *outcomes
	}{{"before", before}, {"after", after}} {
		row.sum.printShares(row.name)
	}
	return nil
}

// printShares tells what clients got, and how old what was stale was.
func (o *outcomes) printShares(name string) {
	n := len(o.spent)
	share := func(part int) string { return fmt.Sprintf("%.2f %%", 100*float64(part)/float64(n)) }
	fmt.Printf("  %-10s %d requests: complete %s, degraded %s, failed %s\n", name, n, share(o.complete), share(o.degraded), share(o.failed))
	slices.Sort(o.ages)
	slices.Sort(o.spent)
	at := func(list []time.Duration, q float64) time.Duration {
		return list[min(int(q*float64(len(list))), len(list)-1)].Round(100 * time.Microsecond)
	}
	fmt.Printf("    took p50 %s, p99 %s\n", at(o.spent, .5), at(o.spent, .99))
	if len(o.ages) > 0 {
		fmt.Printf("    age of what was stale: p50 %s, p99 %s, most %s\n", at(o.ages, .5), at(o.ages, .99), at(o.ages, 1))
	}
	printCounts("failed", o.failures)
	printCounts("not fresh", o.reasons)
}
