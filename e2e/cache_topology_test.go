//go:build e2e

package e2e

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

// server is one process of redis-server.
type server struct {
	t       *testing.T
	address string
	args    []string
	cmd     *exec.Cmd
	client  *redis.Client
}

// serve starts a redis-server on address until the test ends.
func serve(t *testing.T, address string, args ...string) *server {
	t.Helper()
	s := &server{t: t, address: address, args: args}
	s.client = redis.NewClient(&redis.Options{Addr: address, ContextTimeoutEnabled: true})
	t.Cleanup(func() {
		s.kill()
		_ = s.client.Close()
	})
	s.start()
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	s.cmd.Stderr = os.Stderr
	require.NoError(s.t, s.cmd.Start(), "redis-server is needed: apt-get install redis-server")
	require.Eventually(s.t, func() bool { return s.client.Ping(s.t.Context()).Err() == nil }, 10*time.Second, 10*time.Millisecond)
}

// kill ends it as a crash would.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

func (s *server) port() string { return strings.TrimPrefix(s.address, "127.0.0.1:") }

// plainArgs are those of a Redis that keeps nothing on disk.
func plainArgs(t *testing.T, address string) []string {
	return []string{"--port", strings.TrimPrefix(address, "127.0.0.1:"), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir()}
}

// guarded is a master with a replica, and three sentinels that agree on it.
func guarded(t *testing.T) (master, heir *server, url string) {
	t.Helper()
	const name = "shop"
	at := free(t, 5)
	master = serve(t, at[0], plainArgs(t, at[0])...)
	heir = serve(t, at[1], append(plainArgs(t, at[1]), "--replicaof", "127.0.0.1 "+master.port())...)
	master.permit()
	heir.permit()
	for _, address := range at[2:] {
		conf := filepath.Join(t.TempDir(), "sentinel.conf")
		text := fmt.Sprintf("port %s\nbind 127.0.0.1\nsentinel monitor %s 127.0.0.1 %s 2\nsentinel down-after-milliseconds %s 1000\nsentinel failover-timeout %s 3000\n",
			strings.TrimPrefix(address, "127.0.0.1:"), name, master.port(), name, name)
		require.NoError(t, os.WriteFile(conf, []byte(text), 0o600))
		serve(t, address, conf, "--sentinel")
	}
	for _, address := range at[2:] {
		sentinel := redis.NewSentinelClient(&redis.Options{Addr: address})
		t.Cleanup(func() { _ = sentinel.Close() })
		require.Eventually(t, func() bool {
			known, err := sentinel.Master(t.Context(), name).Result()
			return err == nil && known["num-other-sentinels"] == "2" && known["num-slaves"] == "1" && known["flags"] == "master"
		}, 20*time.Second, 50*time.Millisecond, "the sentinels know each other")
	}
	return master, heir, "redis+sentinel://" + strings.Join(at[2:], ",") + "/" + name
}

// sharded is a cluster of three masters, of which the first, that holds key, has a replica.
func sharded(t *testing.T, key string) (holder, heir *server, url string) {
	t.Helper()
	at, buses := free(t, 4), free(t, 4)
	nodes, ids := make([]*server, len(at)), make([]string, len(at))
	for i, address := range at {
		args := append(plainArgs(t, address), "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", strings.TrimPrefix(buses[i], "127.0.0.1:"))
		nodes[i] = serve(t, address, args...)
		var err error
		_, more := guideRights(t)
		nodes[i].permit(more...)
		ids[i], err = nodes[i].client.ClusterMyID(t.Context()).Result()
		require.NoError(t, err)
	}
	slot, err := nodes[0].client.ClusterKeySlot(t.Context(), key).Result()
	require.NoError(t, err)
	const slots, third = 16384, 5461
	from := max(0, min(int(slot)-third/2, slots-third))
	require.NoError(t, nodes[0].client.ClusterAddSlotsRange(t.Context(), from, from+third-1).Err())
	rest := make([]int, 0, slots-third)
	for n := range slots {
		if n < from || n >= from+third {
			rest = append(rest, n)
		}
	}
	require.NoError(t, nodes[1].client.ClusterAddSlots(t.Context(), rest[:third]...).Err())
	require.NoError(t, nodes[2].client.ClusterAddSlots(t.Context(), rest[third:]...).Err())
	for i := 1; i < len(nodes); i++ {
		meet := []any{"cluster", "meet", "127.0.0.1", nodes[i].port(), strings.TrimPrefix(buses[i], "127.0.0.1:")}
		require.NoError(t, nodes[0].client.Do(t.Context(), meet...).Err())
	}
	for _, node := range nodes {
		require.Eventually(t, func() bool { return says(t, node, "cluster_known_nodes:4", "cluster_state:ok") }, 20*time.Second, 50*time.Millisecond)
	}
	require.NoError(t, nodes[3].client.ClusterReplicate(t.Context(), ids[0]).Err())
	require.Eventually(t, func() bool {
		return strings.Contains(nodes[3].client.Info(t.Context(), "replication").Val(), "master_link_status:up")
	}, 20*time.Second, 50*time.Millisecond)
	return nodes[0], nodes[3], "redis+cluster://" + strings.Join(at[:3], ",")
}

func says(t *testing.T, node *server, words ...string) bool {
	info := node.client.ClusterInfo(t.Context()).Val()
	for _, word := range words {
		if !strings.Contains(info, word) {
			return false
		}
	}
	return true
}

func TestC15_SentinelFailsOverUnnoticed(t *testing.T) {
	t.Parallel()
	master, heir, url := guarded(t)
	f := newFailover(t, url)
	f.lose(master, heir)
	f.well()
}

// The holder stays away: its replica is all there is of its slots.
func TestC15_ClusterFailsOverUnnoticed(t *testing.T) {
	t.Parallel()
	holder, heir, url := sharded(t, "portico:tags")
	f := newFailover(t, url)
	f.lose(holder, heir)
	f.well()
}

// failover is two nodes with one Redis of several servers, one of which is lost.
type failover struct {
	*weathered
	t     *testing.T
	other *stack.Stack
}

func newFailover(t *testing.T, url string) *failover {
	t.Helper()
	f := &failover{t: t, weathered: &weathered{ill: start(t, append(patient(), "REDIS_URL="+url)...)}}
	f.looks, f.other = newLooks(f.ill), node(t, f.ill, append(patient(), "REDIS_URL="+url)...)
	f.usedAgain(t, "at the start")
	f.soldSeen("HL-U509")
	return f
}

// lose kills victim and shops on until heir has taken over.
func (f *failover) lose(victim, heir *server) {
	f.t.Helper()
	victim.kill()
	killed := time.Now()
	reads, refused, placed := 0, 0, 0
	for after := 0; after < 3; {
		require.Less(f.t, time.Since(killed), time.Minute, "the heir takes over")
		at := f.looks.one(f.t)
		at.web(f.t, f.ill)
		at.mobile(f.t, f.ill)
		reads += 2
		switch status := f.order("HL-U509-R"); {
		case status < 300:
			placed++
		default:
			require.Equal(f.t, http.StatusServiceUnavailable, status, "an order is placed, or refused for now")
			refused++
		}
		if strings.Contains(heir.client.Info(f.t.Context(), "replication").Val(), "role:master") {
			after++
		}
	}
	f.t.Logf("in the %v of the failover: %d reads answered, %d orders placed, %d refused", time.Since(killed), reads, placed, refused)
}

// well waits until everything is as before.
func (f *failover) well() {
	f.t.Helper()
	begun := time.Now()
	require.Eventually(f.t, func() bool { return f.order("HL-U509-R") < 300 }, time.Minute, 20*time.Millisecond, "orders are taken again")
	f.t.Logf("orders are taken again %v after it", time.Since(begun))
	f.usedAgain(f.t, "a failover")
	f.soldSeen("SO-B909-M")
}

// order tries to place a new one and answers the status.
func (f *failover) order(sku string) int {
	f.t.Helper()
	cart, payment := readyToPlace(f.t, f.ill, sku)
	return send(f.t, http.MethodPost, f.ill.Mobile+"/v1/carts/"+cart+"/order", map[string]string{"paymentMethod": payment},
		"Idempotency-Key", "failover-"+rand.Text()).Status
}

// soldSeen orders something at one node and waits until the other, which knew how
// many there were, tells of one less.
func (f *failover) soldSeen(sku string) {
	f.t.Helper()
	quantity := func() int {
		r := graphQL(f.t, f.other, `query Q($sku: String!) { product(sku: $sku) { availability { quantity } } }`, map[string]any{"sku": sku})
		require.Nil(f.t, r.at("errors"), r.Raw)
		amount, ok := r.at("data", "product", "availability", "quantity").(float64)
		require.True(f.t, ok, r.Raw)
		return int(amount)
	}
	before := quantity()
	// Where a server joins again, an order may be refused for now, which places none.
	require.Eventually(f.t, func() bool { return f.order(sku) < 300 }, time.Minute, 20*time.Millisecond)
	begun := time.Now()
	for quantity() != before-1 {
		require.Less(f.t, time.Since(begun), time.Minute)
	}
	f.t.Logf("the other node knew of it after %v", time.Since(begun))
	assert.LessOrEqual(f.t, time.Since(begun), time.Second+10*tolerance)
}
