//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	slowSockets    = 5000
	slowlorisTries = 3
	slowWorkers    = 50
	honestPairs    = 500 // requests to each process, one after the other
	honestPace     = 5 * time.Millisecond
	slowlorisMost  = 20 * time.Millisecond // what honest requests may wait longer
)

// TestW12_SlowSocketsSlowNobodyDown holds 5,000 sockets to a process open that send
// their headers a letter at a time, and come back when they are hung up on. Who sends at
// once hardly notices: requests go to that process and to its twin, which is left alone,
// in turn, so that what else the machine does slows both.
func TestW12_SlowSocketsSlowNobodyDown(t *testing.T) {
	s := start(t)
	_, besieged := webProcess(t, s.Sandbox)
	_, twin := webProcess(t, s.Sandbox)
	honest(t, besieged) // what is asked for is known from here on
	honest(t, twin)
	worse := slowlorisMost + 1
	for range slowlorisTries { // the machine may have been busy with something else
		if worse = besiegedFor(t, besieged, twin); worse <= slowlorisMost {
			break
		}
	}
	assert.LessOrEqual(t, worse, slowlorisMost)
}

// besiegedFor answers by how much the 99th percentile beside slow sockets is worse.
func besiegedFor(t *testing.T, besieged, twin string) time.Duration {
	t.Helper()
	pace := time.NewTicker(honestPace)
	defer pace.Stop()
	attack := besiege(t, strings.TrimPrefix(besieged, "http://"))
	var with, without []time.Duration
	for range honestPairs { // for longer than a slow socket is borne with
		<-pace.C
		with = append(with, honest(t, besieged))
		without = append(without, honest(t, twin))
	}
	ended := attack()
	t.Logf("p99 %v beside %d slow sockets, %v in the twin; %d were hung up on meanwhile", p99(with), slowSockets, p99(without), ended)
	assert.Positive(t, ended, "they are not borne with")
	return p99(with) - p99(without)
}

func p99(took []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(took))
	return sorted[len(sorted)*99/100]
}

// honest makes a request and answers what it took.
func honest(t *testing.T, base string) time.Duration {
	t.Helper()
	began := time.Now()
	r := send(t, http.MethodPost, base+"/graphql", `{"query":"{ product(sku: \"HL-U509-R\") { name price { unit { amount } } } }"}`)
	took := time.Since(began)
	require.Equal(t, http.StatusOK, r.Status, r.Raw)
	return took
}

// besiege returns once all slow sockets are open. The function that it answers ends
// them, and tells how many were hung up on.
func besiege(t *testing.T, addr string) (end func() int64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var hungUp atomic.Int64
	var open, done sync.WaitGroup
	for range slowWorkers {
		open.Add(1)
		done.Go(func() { drip(ctx, addr, open.Done, &hungUp) })
	}
	open.Wait()
	return func() int64 {
		cancel()
		done.Wait()
		return hungUp.Load()
	}
}

// drip holds its share of the sockets until ctx ends: a letter each every half second,
// and a new one for each that is hung up on.
func drip(ctx context.Context, addr string, opened func(), hungUp *atomic.Int64) {
	held := make([]net.Conn, slowSockets/slowWorkers)
	for i := range held {
		held[i] = slowly(ctx, addr)
	}
	opened()
	tick := time.NewTicker(500 * time.Millisecond / time.Duration(len(held)))
	defer tick.Stop()
	for i := 0; ; i = (i + 1) % len(held) {
		select {
		case <-ctx.Done():
			for _, conn := range held {
				if conn != nil {
					_ = conn.Close()
				}
			}
			return
		case <-tick.C:
		}
		if held[i] != nil {
			if _, err := io.WriteString(held[i], "x"); err == nil {
				continue
			}
			_ = held[i].Close()
			hungUp.Add(1)
		}
		held[i] = slowly(ctx, addr)
	}
}

// slowly begins a request and does not end it; nil when it is not let in.
func slowly(ctx context.Context, addr string) net.Conn {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil
	}
	_, _ = fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nX-Slow: ", addr) // a refusal shows at the next letter
	return conn
}
