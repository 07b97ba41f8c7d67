//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
)

const (
	watchedSKU = "BK-R93R-44"
	liveSecret = "a-secret-of-the-systems-events-32"
)

// The clients that shops use, at two nodes of which only one is told of the change.
func TestW14_AChangeReachesTheClientsOfEveryNode(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	redis.start()
	systems := sandboxtest.Start(t)
	events := free(t, 1)[0]
	common := []string{"REDIS_URL=" + redis.url(), "WEB_LIVE_REREAD=1h", "REQUEST_TIMEOUT=20s", "CACHE_HARD_TIMEOUT=20s"}
	_, _ = webProcess(t, systems.URL, append(common, "EVENTS_ADDR="+events, "EVENTS_SECRET="+liveSecret)...)
	_, other := webProcess(t, systems.URL, common...)
	require.NoError(t, systems.Server.SendEvents(liveSecret, "http://"+events+"/events"))
	for _, kind := range []string{"sse", "ws"} {
		next := watchByNode(t, kind, other+"/graphql")
		require.Contains(t, next(), `"quantity":`, kind)
		var took []time.Duration
		for _, pieces := range []int{7, 0, 3} {
			begun := time.Now()
			send(t, http.MethodPost, systems.URL+"/_sandbox/world", map[string]any{"sku": watchedSKU, "stock": pieces})
			require.Contains(t, next(), fmt.Sprintf(`"quantity":%d`, pieces), kind)
			took = append(took, time.Since(begun))
		}
		t.Logf("%s: a change reached the other node's client after %v", kind, took)
		assert.Less(t, min(took[0], took[1], took[2]), time.Second, "a busy machine makes some of them late")
	}
}

// watchByNode runs e2e/live/watch.mjs; each call of next waits for its next line.
func watchByNode(t *testing.T, kind, url string) (next func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, "node", "watch.mjs", kind, url, watchedSKU)
	cmd.Dir, cmd.Stderr = "live", os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
	})
	lines := bufio.NewScanner(out)
	return func() string {
		require.True(t, lines.Scan(), "%v", lines.Err())
		return lines.Text()
	}
}

// mostAboveIdle is what a thousand subscribers may take.
const (
	subscribers   = 1000
	mostAboveIdle = 64 << 10 // KiB
)

func TestW14_AThousandSubscribersTakeLittleAndLeaveNothing(t *testing.T) {
	t.Parallel()
	systems := sandboxtest.Start(t)
	cmd, base := webProcess(t, systems.URL, "WEB_LIVE_PER_CLIENT=2000", "RATE_LIMIT_ADDRESS=0", "WEB_LIVE_REREAD=1h")
	admin := ""
	for _, variable := range cmd.Env {
		if addr, ok := strings.CutPrefix(variable, "WEB_ADMIN_ADDR="); ok {
			admin = "http://" + addr
		}
	}
	first, leave := subscribeTo(t, base)
	require.Contains(t, first.Text(), "quantity")
	leave()
	idle := quiet(t, admin)
	memory := rss(t, cmd.Process.Pid)
	before := systems.Server.Calls()["odoo"]
	var leaves []func()
	for range subscribers {
		_, leave := subscribeTo(t, base)
		leaves = append(leaves, leave)
	}
	above := rss(t, cmd.Process.Pid) - memory
	t.Logf("%d subscribers: %d KiB above idle (%d KiB), %d goroutines above %d", subscribers, above, memory, goroutines(t, admin)-idle, idle)
	assert.LessOrEqual(t, above, mostAboveIdle)
	t.Logf("calls of the ERP before %v, after %v", before, systems.Server.Calls()["odoo"])
	for _, leave := range leaves {
		leave()
	}
	require.Eventually(t, func() bool { return goroutines(t, admin) <= idle }, time.Minute, 100*time.Millisecond, "nothing of them is left")
}

// subscribeTo subscribes and waits for the first answer.
func subscribeTo(t *testing.T, base string) (*bufio.Scanner, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	body := `{"query":"subscription { availability(skus: [\"` + watchedSKU + `\"]) { sku availability { quantity } } }"}`
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/graphql", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	own := &http.Transport{DisableKeepAlives: true}
	res, err := own.RoundTrip(r)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data:") {
	}
	return lines, func() {
		cancel()
		_ = res.Body.Close()
		own.CloseIdleConnections()
	}
}

var profileTotal = regexp.MustCompile(`goroutine profile: total (\d+)`)

func goroutines(t *testing.T, admin string) int {
	t.Helper()
	found := profileTotal.FindStringSubmatch(send(t, http.MethodGet, admin+"/debug/pprof/goroutine?debug=1", nil).Raw)
	require.NotNil(t, found)
	n, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	return n
}

// quiet is how many goroutines there are once that stands.
func quiet(t *testing.T, admin string) int {
	t.Helper()
	last, same := 0, 0
	require.Eventually(t, func() bool {
		n := goroutines(t, admin)
		if same++; n != last {
			last, same = n, 0
		}
		return same == 10
	}, time.Minute, 100*time.Millisecond)
	return last
}

// rss is the memory that a process holds, in KiB.
func rss(t *testing.T, pid int) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	rest, _, _ = strings.Cut(rest, "kB")
	n, err := strconv.Atoi(strings.TrimSpace(rest))
	require.NoError(t, err)
	return n
}
