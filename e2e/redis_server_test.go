//go:build e2e

package e2e

import (
	"net"
	"os"
	"os/exec"
	"strconv"
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

// newRedis picks a port; nothing listens on it until start.
func newRedis(t *testing.T) *redisServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	require.NoError(t, l.Close())
	r := &redisServer{t: t, port: port, dir: t.TempDir()}
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
	require.Eventually(r.t, func() bool { return client.Ping(r.t.Context()).Err() == nil }, 5*time.Second, 10*time.Millisecond)
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
