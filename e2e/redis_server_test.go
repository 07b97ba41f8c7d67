//go:build e2e

package e2e

import (
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// redisServer is a real Redis on the loopback that a test may stop and start.
type redisServer struct {
	t    *testing.T
	port string
	dir  string
	cmd  *exec.Cmd
}

// Ports are counted from a random one on, below those that the kernel hands out by
// itself: a port that somebody waits to use again is never an outgoing connection's.
const firstPort, manyPorts = 20_000, 10_000

var (
	portsFrom  = rand.Uint32N(manyPorts)
	portsTaken atomic.Uint32
)

// freePort answers a port of the loopback on which nothing listens.
func freePort(t *testing.T) string {
	t.Helper()
	for range manyPorts {
		port := strconv.Itoa(firstPort + int(portsFrom+portsTaken.Add(1))%manyPorts)
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			require.NoError(t, l.Close())
			return port
		}
	}
	require.Fail(t, "no port is free")
	return ""
}

// newRedis picks a port; nothing listens on it until start.
func newRedis(t *testing.T) *redisServer {
	t.Helper()
	r := &redisServer{t: t, port: freePort(t), dir: t.TempDir()}
	t.Cleanup(r.stop)
	return r
}

func (r *redisServer) url() string { return "redis://127.0.0.1:" + r.port + "/0" }

func (r *redisServer) start() {
	r.t.Helper()
	r.cmd = exec.Command("redis-server", "--port", r.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", r.dir)
	r.cmd.Stderr = os.Stderr
	require.NoError(r.t, r.cmd.Start(), "redis-server is needed: apt-get install redis-server")
	client := r.client()
	defer func() { _ = client.Close() }()
	require.Eventually(r.t, func() bool { return client.Ping(r.t.Context()).Err() == nil }, time.Minute, 10*time.Millisecond)
}

func (r *redisServer) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + r.port, ContextTimeoutEnabled: true})
}

// stop kills the server, as a crash would.
func (r *redisServer) stop() {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	r.cmd = nil
}
