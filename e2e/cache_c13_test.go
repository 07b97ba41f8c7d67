//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	ahead        = 10 * time.Minute
	aheadSeconds = "CLOCK_AHEAD=600"
)

// buildAhead builds pkg so that the wall clock of a process of it is ahead by as many
// seconds as CLOCK_AHEAD says: for everything in it, Go's own packages included. Its
// steady clock is left alone, as if somebody had set the time before it started. The
// product knows nothing of it: the compiler is given another time.Now.
func buildAhead(t *testing.T, pkg string) string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	require.NoError(t, err)
	path := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	source, err := os.ReadFile(path)
	require.NoError(t, err)
	read := regexp.MustCompile(`func Now\(\) Time \{\n\tsec, nsec, mono := \w+\(\)\n`).FindString(string(source))
	require.NotEmpty(t, read, "time.Now is as Go 1.26 has it")
	text := strings.Replace(string(source), read, read+"\tsec += clockAhead\n", 1)
	text = strings.Replace(text, "import (", "import (\n\t\"syscall\"", 1) + `
var clockAhead = func() (seconds int64) {
	digits, _ := syscall.Getenv("CLOCK_AHEAD")
	for _, digit := range digits {
		seconds = 10*seconds + int64(digit-'0')
	}
	return seconds
}()
`
	dir := t.TempDir()
	other, overlay, bin := filepath.Join(dir, "time.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "ahead")
	require.NoError(t, os.WriteFile(other, []byte(text), 0o600))
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {path: other}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, replace, 0o600))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", bin, pkg)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return bin
}

// ahead is by how much the node's wall clock is before the test's.
func (n *cacheNode) ahead() time.Duration {
	n.t.Helper()
	ns, err := strconv.ParseInt(send(n.t, http.MethodGet, n.base+"/clock", nil).Raw, 10, 64)
	require.NoError(n.t, err)
	return time.Until(time.Unix(0, ns))
}

// Processes whose clocks are ten minutes apart share a Redis.
func TestC13_ClocksTenMinutesApart(t *testing.T) {
	t.Parallel()
	bin := buildAhead(t, "./e2e/cachenode")
	t.Run("what C12 promises holds", func(t *testing.T) { followedAcrossClocks(t, bin) })
	t.Run("nothing is given as younger than it is", func(t *testing.T) { agesAcrossClocks(t, bin) })
}

// followedAcrossClocks is C12's test. Those that agree about the time share what they load.
func followedAcrossClocks(t *testing.T, bin string) {
	redis := newRedis(t)
	redis.start()
	r := newCatalogue(t)
	first, second, third := newNode(t, bin, redis.url(), r, aheadSeconds), newNode(t, bin, redis.url(), r), newNode(t, bin, redis.url(), r)
	require.InDelta(t, ahead.Seconds(), first.ahead().Seconds(), 5)
	require.InDelta(t, 0, second.ahead().Seconds(), 5)
	shared(t, r, second, third)
	follows(t, "C13", r, first, second)
}

// agesAcrossClocks looks at what processes give that disagree about the time: neither
// calls anything fresh that is older than its lifetime, nor says that something stale is
// younger than it is, wherever it was kept.
func agesAcrossClocks(t *testing.T, bin string) {
	const lifetime = 400 * time.Millisecond
	redis := newRedis(t)
	redis.start()
	r := newCatalogue(t)
	r.set(func(r *catalogue) { r.stamps = true })
	short := "LIFETIME=" + lifetime.String()
	early := func() *cacheNode { return newNode(t, bin, redis.url(), r, short) }
	late := func() *cacheNode { return newNode(t, bin, redis.url(), r, short, aheadSeconds) }
	w := &ageWatch{lifetime: lifetime, seen: map[string]int{}}
	nodes := []*cacheNode{early(), late(), early(), late()}
	w.lookFor(t, 3*time.Second, nodes)
	require.Positive(t, w.seen["fresh"])
	r.set(func(r *catalogue) { r.fails = true })
	w.lookFor(t, 2*time.Second, nodes)
	w.lookFor(t, 2*time.Second, []*cacheNode{early(), late()}) // they know only what Redis holds
	figure(t, "C13", "answers by state: %v; told younger than they were by %v at most", w.seen, w.worst)
	assert.Positive(t, w.seen["stale"])
}

// ageWatch looks at answers that say when they were made.
type ageWatch struct {
	lifetime time.Duration
	seen     map[string]int // answers by state
	worst    time.Duration  // by how much one was older than told
}

func (w *ageWatch) lookFor(t *testing.T, length time.Duration, nodes []*cacheNode) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < length; {
		w.look(t, nodes)
	}
}

func (w *ageWatch) look(t *testing.T, nodes []*cacheNode) {
	t.Helper()
	for i, node := range nodes {
		sku := fmt.Sprint("sku-", i/2)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		asked := time.Now()
		seen, ok := node.look(ctx, sku)
		cancel()
		if !ok {
			w.seen["nothing"]++
			continue
		}
		w.seen[seen.state]++
		made, err := strconv.ParseInt(seen.name, 10, 64)
		require.NoError(t, err)
		// It was given between asking and now, and may have been made after it was asked for.
		age := asked.Sub(time.Unix(0, made))
		w.worst = max(w.worst, age-seen.age)
		require.LessOrEqual(t, age-seen.age, tolerance, "%s: %v old, told as %v", seen.state, age, seen.age)
		if seen.state == "fresh" {
			require.LessOrEqual(t, age, w.lifetime+tolerance)
		}
	}
}
