//go:build e2e

package e2e

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// catalogue is a system whose products can be renamed, and which counts how often it is
// asked, and how often at a time.
type catalogue struct {
	*httptest.Server
	mu     sync.Mutex
	takes  time.Duration
	fails  bool
	stamps bool // products are called what time it is, in ns since 1970
	names  map[string]string
	calls  map[string]int
	inside int
	most   int
}

func newCatalogue(t *testing.T) *catalogue {
	t.Helper()
	r := &catalogue{names: map[string]string{}, calls: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		sku := req.FormValue("sku")
		name, takes, fails := r.enter(sku)
		select {
		case <-time.After(takes):
		case <-req.Context().Done():
		}
		r.exit() // before who asks can know of it, and ask for something else
		if fails {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"name": name})
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *catalogue) enter(sku string) (name string, takes time.Duration, fails bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls[sku]++
	r.inside++
	r.most = max(r.most, r.inside)
	if r.stamps {
		return strconv.FormatInt(time.Now().UnixNano(), 10), r.takes, r.fails
	}
	return cmp.Or(r.names[sku], sku), r.takes, r.fails
}

func (r *catalogue) exit() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inside--
}

// set changes how it behaves.
func (r *catalogue) set(change func(r *catalogue)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

// total is how often it was asked for anything.
func (r *catalogue) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, times := range r.calls {
		n += times
	}
	return n
}

func (r *catalogue) rename(sku, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names[sku] = name
}

func (r *catalogue) asked(sku string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[sku]
}

// cacheNode is a process of its own with a cache before the catalogue.
type cacheNode struct {
	t    *testing.T
	base string
	cmd  *exec.Cmd
}

func newNode(t *testing.T, bin, redisURL string, r *catalogue, extra ...string) *cacheNode {
	t.Helper()
	cmd := exec.Command(bin)
	cmd.Env = append([]string{"REDIS_URL=" + redisURL, "SYSTEM_URL=" + r.URL}, extra...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	n := &cacheNode{t: t, cmd: cmd}
	t.Cleanup(n.kill)
	address, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	n.base = "http://" + strings.TrimSpace(address)
	return n
}

func (n *cacheNode) kill() {
	if n.cmd == nil {
		return
	}
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait()
	n.cmd = nil
}

func (n *cacheNode) name(sku string) string {
	n.t.Helper()
	return send(n.t, http.MethodGet, n.base+"/names?sku="+sku, nil).Raw
}

// names asks count times at once. A node that dies meanwhile answers nothing.
func (n *cacheNode) names(sku string, count int) []string {
	_, raw, err := exchange(n.t.Context(), http.MethodGet, fmt.Sprintf("%s/names?sku=%s&n=%d", n.base, sku, count), "")
	if err != nil {
		return nil
	}
	return strings.Split(string(raw), "\n")
}

func (n *cacheNode) invalidate(skus ...string) {
	n.t.Helper()
	query := url.Values{}
	for _, sku := range skus {
		query.Add("tag", "product:"+sku)
	}
	require.Less(n.t, send(n.t, http.MethodPost, n.base+"/invalidate?"+query.Encode(), nil).Status, 300)
}

// shared waits until what one node loads is answered by the other from Redis.
func shared(t *testing.T, r *catalogue, one, other *cacheNode) {
	t.Helper()
	require.Eventually(t, func() bool {
		sku := "shared-" + rand.Text() // nobody has it yet
		r.rename(sku, "x")
		one.name(sku)
		time.Sleep(20 * time.Millisecond)
		other.name(sku)
		return r.asked(sku) == 1
	}, time.Minute, 10*time.Millisecond)
}

// glance is what a node answered: in which state, how old by its own account, and called what.
type glance struct {
	state string
	age   time.Duration
	name  string
}

// look asks once. ok is false when the node had nothing.
func (n *cacheNode) look(ctx context.Context, sku string) (seen glance, ok bool) {
	status, raw, err := exchange(ctx, http.MethodGet, n.base+"/look?sku="+sku, "")
	if err != nil || status != http.StatusOK {
		return glance{}, false
	}
	var ms int64
	if _, err := fmt.Sscanf(string(raw), "%s %d %s", &seen.state, &ms, &seen.name); err != nil {
		return glance{}, false
	}
	seen.age = time.Duration(ms) * time.Millisecond
	return seen, true
}

func TestC14_NothingStaleAfterACut(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	redis.start()
	x, r, bin := linksOnly(t), newCatalogue(t), build(t, "./e2e/cachenode")
	far := newLink(t, x, "far", "127.0.0.1:"+redis.port)
	one, other := newNode(t, bin, redis.url(), r), newNode(t, bin, far.url(), r)
	shared(t, r, one, other)
	shared(t, r, other, one)
	cut := 3 * time.Second
	if *cacheFull {
		cut = 30 * time.Second
	}
	const invalidations = 1000
	skus := make([]string, 50)
	for i := range skus {
		skus[i] = fmt.Sprint("sku-", i)
	}
	for name, who := range map[string]struct{ says, hears *cacheNode }{
		"who is cut off hears of everything": {one, other}, "what was said by whom is cut off is heard": {other, one},
	} {
		for _, sku := range skus {
			r.rename(sku, "old")
			who.says.invalidate(sku)
		}
		for _, sku := range skus {
			require.Eventually(t, func() bool { return one.name(sku) == "old" && other.name(sku) == "old" }, time.Minute, time.Millisecond)
		}
		far.cut()
		begun := time.Now()
		for i := range invalidations {
			sku := skus[i%len(skus)]
			r.rename(sku, fmt.Sprint("new-", i))
			who.says.invalidate(sku)
			require.Equal(t, fmt.Sprint("new-", i), who.says.name(sku), "at once where it was said")
			who.hears.name(sku) // keeps it warm
		}
		time.Sleep(cut - time.Since(begun))
		far.anew("127.0.0.1:" + redis.port)
		time.Sleep(2 * time.Second) // the promise
		stale := 0
		for i, sku := range skus {
			want := fmt.Sprint("new-", invalidations-len(skus)+i)
			for _, node := range []*cacheNode{who.says, who.hears} {
				if node.name(sku) != want {
					stale++
				}
			}
		}
		figure(t, "C14", "%s: %d of %d answers old 2 s after a cut of %v with %d invalidations", name, stale, 2*len(skus), cut, invalidations)
		assert.Zero(t, stale, name)
	}
}
