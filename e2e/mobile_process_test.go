//go:build e2e

package e2e

import (
	"bufio"
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

// ask answers the status and when the server wants to be asked again, or an error.
func (s *socket) ask(method, target, body string) (status int, retry string, err error) {
	_ = s.SetDeadline(time.Now().Add(time.Minute))
	if _, err = fmt.Fprintf(s, "%s %s HTTP/1.1\r\nHost: portico.test\r\nContent-Type: application/json\r\nIdempotency-Key: %032x\r\nContent-Length: %d\r\n\r\n%s",
		method, target, time.Now().UnixNano(), len(body), body); err != nil {
		return 0, "", err
	}
	res, err := http.ReadResponse(s.in, nil)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, res.Header.Get("Retry-After"), err
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
			status, _, _ := conn.ask(http.MethodGet, "/v1/screens/search?q=bike", "")
			statuses <- status
		}()
	}
	require.Eventually(t, func() bool { return p.inFlight(t) == clients }, 30*time.Second, 50*time.Millisecond, "all are in flight")
	told := time.Now()
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		return status(t.Context(), http.MethodGet, p.admin+"/readyz", "") == http.StatusServiceUnavailable
	}, 30*time.Second, time.Millisecond)
	unready := time.Since(told)
	code, _, err := dial(t, p.addr).ask(http.MethodGet, "/docs", "")
	require.NoError(t, err, "who is not ready still takes connections")
	require.Equal(t, http.StatusOK, code)
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.addr)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, 30*time.Second, 10*time.Millisecond, "new connections are refused")
	refused := time.Since(told)
	answered := map[int]int{}
	for range clients {
		answered[<-statuses]++
	}
	require.NoError(t, p.Wait(), p.out.String())
	t.Logf("not ready after %v, no new connections after %v, ended after %v; answers: %v", unready, refused, time.Since(told), answered)
	require.Equal(t, map[int]int{http.StatusOK: clients}, answered, "none is dropped")
	assert.Less(t, time.Since(told), 30*time.Second, "and it waits for nobody else: idle connections would be closed after that")
}

// outcome is what a kind of request came to under overload.
type outcome struct {
	served, refused, other atomic.Int64
	mu                     sync.Mutex
	slow                   [2][]time.Duration // served, refused
}

func (c *outcome) add(status int, retry string, err error, took time.Duration) {
	place := 0
	switch {
	case err == nil && (status == http.StatusOK || status == http.StatusCreated):
		c.served.Add(1)
	case err == nil && status == http.StatusServiceUnavailable && retry != "":
		c.refused.Add(1)
		place = 1
	default:
		c.other.Add(1)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slow[place] = append(c.slow[place], took)
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

// press has clients ask for as much as rate a second in all, each one after the other.
func press(t *testing.T, addr string, clients int, rate float64, length time.Duration, ask func(*socket) (int, string, error)) *outcome {
	t.Helper()
	c := &outcome{}
	end := time.Now().Add(length)
	var done sync.WaitGroup
	for range clients {
		conn := dial(t, addr)
		done.Go(func() {
			every := time.Duration(float64(clients) / rate * float64(time.Second))
			tick := time.NewTicker(max(every, time.Microsecond))
			defer tick.Stop()
			for time.Now().Before(end) {
				began := time.Now()
				status, retry, err := ask(conn)
				c.add(status, retry, err, time.Since(began))
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
// is kept is answered as ever, and writes find room that reads do not.
func TestM9_OverloadIsShed(t *testing.T) { //nolint:paralleltest // needs the machine
	s := start(t)
	p := startMobile(t, s.Sandbox, "MAX_IN_FLIGHT=64", "LOG_LEVEL=warn")
	var number atomic.Int64
	read := func(c *socket) (int, string, error) { // nothing of it is kept
		return c.ask(http.MethodGet, fmt.Sprintf("/v1/screens/search?first=1&q=bike%d", number.Add(1)), "")
	}
	kept := func(c *socket) (int, string, error) { return c.ask(http.MethodGet, "/v1/config", "") }
	write := func(c *socket) (int, string, error) { return c.ask(http.MethodPost, "/v1/carts", "{}") }

	usual := press(t, p.addr, 4, 1e6, time.Second, read)
	require.Positive(t, usual.served.Load())
	require.Zero(t, usual.other.Load(), p.out.String())
	rate, before := float64(usual.served.Load()), p.resident(t)

	var reads, writes, pages *outcome
	var both sync.WaitGroup
	both.Go(func() { reads = press(t, p.addr, 500, 10*rate, *overload, read) })
	both.Go(func() { writes = press(t, p.addr, 2, 50, *overload, write) })
	both.Go(func() { pages = press(t, p.addr, 2, 100, *overload, kept) })
	both.Wait()
	after := p.resident(t)
	t.Logf("usual: %.0f a second, p99 %v; ten times that: %d served, p99 %v, %d refused, p99 %v; writes served: %.0f %%, reads: %.0f %%; kept: p99 %v; memory: %d, then %d KiB",
		rate, p99(usual.slow[0]), reads.served.Load(), p99(reads.slow[0]), reads.refused.Load(), p99(reads.slow[1]),
		100*writes.share(), 100*reads.share(), p99(pages.slow[0]), before, after)
	require.Positive(t, reads.served.Load(), "it still serves")
	require.Positive(t, reads.refused.Load(), "and refuses the rest")
	require.Zero(t, reads.other.Load()+writes.other.Load(), "with 503 and when to come back, nothing else: %s", p.out.String())
	require.Zero(t, pages.refused.Load()+pages.other.Load(), "what costs nothing is never refused")
	assert.GreaterOrEqual(t, writes.share(), reads.share())
	assert.Less(t, after, 3*before+64<<10)
	require.Eventually(t, func() bool {
		status, _, err := read(dial(t, p.addr))
		return err == nil && status == http.StatusOK && p.inFlight(t) == 0
	}, time.Minute, 50*time.Millisecond, "then all is as before")
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.Wait(), p.out.String())
}
