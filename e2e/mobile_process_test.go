//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
)

var overload = flag.Duration("overload", 5*time.Second, "how long TestM9_OverloadIsShed asks for ten times what can be had; 30s in full")

// mobileProcess is bff-mobile as a process of its own.
type mobileProcess struct {
	*exec.Cmd
	out         printed
	addr, admin string
}

// startMobile starts the binary over systems. Who calls ends it.
func startMobile(t *testing.T, systems string, environ ...string) *mobileProcess {
	t.Helper()
	addr := free(t, 2)
	p := &mobileProcess{Cmd: exec.Command(build(t, "./bff-mobile/cmd/bff-mobile")), addr: addr[0], admin: "http://" + addr[1]}
	p.Env = append(sandbox.Environ(systems), "PORTICO_MODE=development", "LOG_LEVEL=error", "RATE_LIMIT_EXEMPT=127.0.0.0/8",
		"MOBILE_ADDR="+addr[0], "MOBILE_ADMIN_ADDR="+addr[1])
	p.Env = append(p.Env, environ...)
	p.Stdout, p.Stderr = &p.out, &p.out
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() })
	await(t, p.admin+"/readyz")
	return p
}

// inFlight is how many requests the process says it is serving.
func (p *mobileProcess) inFlight(t *testing.T) int {
	t.Helper()
	for line := range strings.Lines(send(t, http.MethodGet, p.admin+"/metrics", nil).Raw) {
		if strings.HasPrefix(line, "http_server_active_requests") {
			n, err := strconv.Atoi(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]))
			require.NoError(t, err, line)
			return n
		}
	}
	return 0
}

// resident is the memory that the process holds, in KiB.
func (p *mobileProcess) resident(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	rest, _, _ = strings.Cut(rest, "kB")
	n, err := strconv.Atoi(strings.TrimSpace(rest))
	require.NoError(t, err)
	return n
}

// socket sends one request after the other.
type socket struct {
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, addr string) *socket {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &socket{conn, bufio.NewReader(conn)}
}

// told is what an answer's first lines and a problem's body say.
type told struct {
	status  int
	retry   string // when the server wants to be asked again
	problem string // the type of a problem; empty for anything else
}

// ask answers what the server says, or an error.
func (s *socket) ask(method, target, body string) (told, error) {
	_ = s.SetDeadline(time.Now().Add(3 * time.Minute))
	if _, err := fmt.Fprintf(s, "%s %s HTTP/1.1\r\nHost: portico.test\r\nContent-Type: application/json\r\nIdempotency-Key: %032x\r\nContent-Length: %d\r\n\r\n%s",
		method, target, time.Now().UnixNano(), len(body), body); err != nil {
		return told{}, err
	}
	res, err := http.ReadResponse(s.in, nil)
	if err != nil {
		return told{}, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	said := told{status: res.StatusCode, retry: res.Header.Get("Retry-After")}
	if err == nil && res.Header.Get("Content-Type") == "application/problem+json" {
		var p struct{ Type string }
		err = json.Unmarshal(raw, &p)
		said.problem = p.Type
	}
	return said, err
}

// M11: a process that is told to stop says first that it is not ready, while it still takes
// connections; then it takes none, answers all that it was asked, and ends.
func TestM11_SIGTERMWithAThousandInFlight(t *testing.T) {
	t.Parallel()
	const clients = 1_000
	s := start(t)
	// All share one load of the cache, which may take 5 s: they are connected before it begins.
	fault(t, s, map[string]any{"system": "elasticsearch", "operation": "*", "latencyMs": 3_500, "errorRate": 0})
	p := startMobile(t, s.Sandbox, append(patient(), "MAX_IN_FLIGHT=2000", "MOBILE_LATE_FROM=0s", "DRAIN_DELAY=3s", "DRAIN_TIMEOUT=60s")...)
	conns := make([]*socket, clients)
	for i := range conns {
		conns[i] = dial(t, p.addr)
	}
	statuses := make(chan int, clients)
	for _, conn := range conns {
		go func() {
			said, _ := conn.ask(http.MethodGet, "/v1/screens/search?q=bike", "")
			statuses <- said.status
		}()
	}
	require.Eventually(t, func() bool { return p.inFlight(t) == clients }, 30*time.Second, 50*time.Millisecond, "all are in flight")
	began := time.Now()
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		return status(t.Context(), http.MethodGet, p.admin+"/readyz", "") == http.StatusServiceUnavailable
	}, 30*time.Second, time.Millisecond)
	unready := time.Since(began)
	docs, err := dial(t, p.addr).ask(http.MethodGet, "/docs", "")
	require.NoError(t, err, "who is not ready still takes connections")
	require.Equal(t, http.StatusOK, docs.status)
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.addr)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, 30*time.Second, 10*time.Millisecond, "new connections are refused")
	refused := time.Since(began)
	answered := map[int]int{}
	for range clients {
		answered[<-statuses]++
	}
	require.NoError(t, p.Wait(), p.out.String())
	t.Logf("not ready after %v, no new connections after %v, ended after %v; answers: %v", unready, refused, time.Since(began), answered)
	require.Equal(t, map[int]int{http.StatusOK: clients}, answered, "none is dropped")
	assert.Less(t, time.Since(began), 30*time.Second, "and it waits for nobody else: idle connections would be closed after that")
}

// outcome is what a kind of request came to under overload.
type outcome struct {
	served, refused, late atomic.Int64
	mu                    sync.Mutex
	slow                  [2][]time.Duration // served, refused
	other                 []string
}

// add counts one. A system behind that misses its deadline is told from a refusal: on a busy
// machine some do, whatever the process does about its load.
func (c *outcome) add(said told, err error, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil && (said.status == http.StatusOK || said.status == http.StatusCreated):
		c.served.Add(1)
		c.slow[0] = append(c.slow[0], took)
	case err == nil && said.status == http.StatusServiceUnavailable && said.problem == "/problems/unavailable" && said.retry != "":
		c.refused.Add(1)
		c.slow[1] = append(c.slow[1], took)
	case err == nil && said.status == http.StatusGatewayTimeout && said.problem == "/problems/timeout" && said.retry != "":
		c.late.Add(1)
	default:
		c.other = append(c.other, fmt.Sprintf("%+v, %v, after %v", said, err, took))
	}
}

// share is the part of all that was served.
func (c *outcome) share() float64 {
	return float64(c.served.Load()) / float64(max(1, c.served.Load()+c.refused.Load()))
}

func p99(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)*99/100]
}

// longestPause is less than what an idle connection is kept for.
const longestPause = 10 * time.Second

// press has clients ask for as much as rate a second in all, each one after the other.
func press(t *testing.T, addr string, clients int, rate float64, length time.Duration, ask func(*socket) (told, error)) *outcome {
	t.Helper()
	c := &outcome{}
	end := time.Now().Add(length)
	var done sync.WaitGroup
	for range clients {
		conn := dial(t, addr)
		done.Go(func() {
			every := time.Duration(float64(clients) / rate * float64(time.Second))
			tick := time.NewTicker(min(max(every, time.Microsecond), longestPause))
			defer tick.Stop()
			for time.Now().Before(end) {
				began := time.Now()
				said, err := ask(conn)
				c.add(said, err, time.Since(began))
				if err != nil {
					return
				}
				<-tick.C
			}
		})
	}
	done.Wait()
	return c
}

// M9: at ten times its rate a process serves what it can and refuses the rest at once; what
// is kept is answered as ever. That writes find room which reads do not is shown where the
// room is known to be full: here luck decides who meets it so, and shares say so roughly.
func TestM9_OverloadIsShed(t *testing.T) { //nolint:paralleltest // needs the machine
	const luck = 0.1
	s := start(t)
	p := startMobile(t, s.Sandbox, append(patient(), "MAX_IN_FLIGHT=64", "LOG_LEVEL=warn", "DRAIN_TIMEOUT=60s")...)
	var number atomic.Int64
	read := func(c *socket) (told, error) { // nothing of it is kept
		return c.ask(http.MethodGet, fmt.Sprintf("/v1/screens/search?first=1&q=bike%d", number.Add(1)), "")
	}
	kept := func(c *socket) (told, error) { return c.ask(http.MethodGet, "/v1/config", "") }
	write := func(c *socket) (told, error) { return c.ask(http.MethodPost, "/v1/carts", "{}") }

	usual := press(t, p.addr, 4, 1e6, time.Second, read)
	require.Positive(t, usual.served.Load(), "%s", p.out.String())
	require.Empty(t, usual.other, p.out.String())
	rate, before := float64(usual.served.Load()), p.resident(t)

	var reads, writes, pages *outcome
	var both sync.WaitGroup
	both.Go(func() { reads = press(t, p.addr, 500, 10*rate, *overload, read) })
	both.Go(func() { writes = press(t, p.addr, 2, 50, *overload, write) })
	both.Go(func() { pages = press(t, p.addr, 2, 100, *overload, kept) })
	both.Wait()
	after := p.resident(t)
	t.Logf("usual: %.0f a second, p99 %v; ten times that: %d served, p99 %v, %d refused, p99 %v, %d late; writes served: %.0f %%, reads: %.0f %%; kept: p99 %v; memory: %d, then %d KiB",
		rate, p99(usual.slow[0]), reads.served.Load(), p99(reads.slow[0]), reads.refused.Load(), p99(reads.slow[1]), reads.late.Load()+writes.late.Load(),
		100*writes.share(), 100*reads.share(), p99(pages.slow[0]), before, after)
	require.Positive(t, reads.served.Load(), "it still serves")
	require.Positive(t, reads.refused.Load(), "and refuses the rest")
	require.Empty(t, slices.Concat(reads.other, writes.other), "with a problem and when to come back, nothing else: %s", p.out.String())
	require.Zero(t, pages.refused.Load()+pages.late.Load(), "what costs nothing is never refused")
	require.Empty(t, pages.other)
	assert.Greater(t, writes.share()+luck, reads.share())
	assert.Less(t, after, 3*before+64<<10)
	require.Eventually(t, func() bool {
		said, err := read(dial(t, p.addr))
		return err == nil && said.status == http.StatusOK && p.inFlight(t) == 0
	}, 3*time.Minute, 50*time.Millisecond, "then all is as before")
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.Wait(), p.out.String())
}
