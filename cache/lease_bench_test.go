package cache

import (
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// BenchmarkMiss loads products that nobody holds, from an upstream that takes no time:
// what the lease costs besides. Who asks waits for the first two round trips only.
func BenchmarkMiss(b *testing.B) {
	servers := map[string]commerce.Secret{"miniredis": urlOf(newRedis(b))}
	if url := realRedis(b); url != "" {
		servers["redis"] = url
	}
	for name, url := range servers {
		for _, n := range []int{1, 50} {
			for _, leased := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/keys=%d/lease=%v", name, n, leased), func(b *testing.B) { benchmarkMiss(b, url, n, leased) })
			}
		}
	}
}

func benchmarkMiss(b *testing.B, url commerce.Secret, n int, leased bool) {
	c := newNode(b, url)
	if !leased {
		c.remote.leases.failures, c.remote.leases.next = breakAfter, time.Now().Add(time.Hour)
	}
	port, trips := over(c, &source{}), watchTrips(c)
	asked, round := make([]commerce.SKU, n), time.Now().UnixNano()
	for b.Loop() {
		round++
		for i := range asked {
			asked[i] = commerce.SKU(fmt.Sprint(round, "-", i))
		}
		if _, err := port.Products(b.Context(), us, asked); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		c.work.Wait()
		b.StartTimer()
	}
	b.ReportMetric(float64(len(trips.list()))/float64(b.N), "trips/op")
}

// realRedis starts a Redis where there is one to start.
func realRedis(b *testing.B) commerce.Secret {
	b.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return ""
	}
	free, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b, err)
	_, port, err := net.SplitHostPort(free.Addr().String())
	require.NoError(b, err)
	require.NoError(b, free.Close())
	server := exec.CommandContext(b.Context(), path, "--port", port, "--save", "", "--bind", "127.0.0.1", "--dir", b.TempDir())
	require.NoError(b, server.Start())
	b.Cleanup(func() { _ = server.Wait() })
	for {
		conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", "127.0.0.1:"+port)
		if err == nil {
			require.NoError(b, conn.Close())
			return commerce.Secret("redis://127.0.0.1:" + port)
		}
		require.NoError(b, b.Context().Err())
	}
}
