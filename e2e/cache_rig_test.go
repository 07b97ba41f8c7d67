//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

// tolerance is what two busy cores add to a time that is exact in a bubble.
const tolerance = 20 * time.Millisecond

// figure says what was measured of an item: at full length on a line of its own.
func figure(t *testing.T, item, format string, args ...any) {
	t.Helper()
	if *cacheFull {
		fmt.Printf(item+": "+format+"\n", args...)
		return
	}
	t.Logf(item+": "+format, args...)
}

// link is the way to a Redis, which a test may hurt.
type link struct {
	t     *testing.T
	x     *toxics
	proxy *toxiproxy.Proxy
}

func newLink(t *testing.T, x *toxics, name, address string) *link {
	t.Helper()
	proxy, err := x.api.CreateProxy(name, free(t, 1)[0], address)
	require.NoError(t, err)
	return &link{t: t, x: x, proxy: proxy}
}

// linksOnly is a toxiproxy that stands before no imitated system.
func linksOnly(t *testing.T) *toxics {
	t.Helper()
	return newToxics(t, &stack.Stack{Sandbox: "http://127.0.0.1:1"})
}

func (l *link) url() string { return "redis://" + l.proxy.Listen + "/0" }

func (l *link) cut() {
	l.t.Helper()
	require.NoError(l.t, l.proxy.Disable())
}

// anew makes the way anew on the same port, which cuts every connection through it.
func (l *link) anew(to string) {
	l.t.Helper()
	require.NoError(l.t, l.proxy.Delete())
	require.Eventually(l.t, func() bool {
		p, err := l.x.api.CreateProxy(l.proxy.Name, l.proxy.Listen, to)
		if err == nil {
			l.proxy = p
		}
		return err == nil
	}, 30*time.Second, 10*time.Millisecond)
}

// scripted is a Redis that greets as one does and answers every command with line.
func scripted(t *testing.T, line string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			wg.Go(func() { recite(conn, line) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return listener.Addr().String()
}

func recite(conn net.Conn, line string) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	for {
		command, err := readCommand(r)
		if err != nil {
			return
		}
		answer := "-" + line + "\r\n"
		switch command {
		case "HELLO":
			answer = "-ERR unknown command 'HELLO'\r\n"
		case "CLIENT", "SELECT":
			answer = "+OK\r\n"
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}

// readCommand takes a command off the wire and answers its name.
func readCommand(r *bufio.Reader) (string, error) {
	count, err := readNumber(r, '*')
	if err != nil {
		return "", err
	}
	name := ""
	for i := range count {
		size, err := readNumber(r, '$')
		if err != nil {
			return "", err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(r, word); err != nil {
			return "", err
		}
		if i == 0 {
			name = strings.ToUpper(string(word[:size]))
		}
	}
	return name, nil
}

func readNumber(r *bufio.Reader, kind byte) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil || line[0] != kind {
		return 0, io.ErrUnexpectedEOF
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

// looks are reads that no cache has an answer for: each is of another product in
// another language.
type looks struct {
	skus []string
	next int
}

var languages = []string{"en", "fr", "he", "th", "ar", "zh-Hant"}

func newLooks(s *stack.Stack) *looks {
	l := &looks{}
	for _, p := range s.Server().World.Products() {
		if p.Published {
			l.skus = append(l.skus, p.SKU)
		}
	}
	return l
}

// sight is one of them.
type sight struct{ sku, language string }

func (l *looks) one(t *testing.T) sight {
	t.Helper()
	require.Less(t, l.next, len(l.skus)*len(languages), "no products are left")
	at := sight{l.skus[l.next%len(l.skus)], languages[l.next/len(l.skus)]}
	l.next++
	return at
}

// web and mobile look at a product page and answer how long that took; anything but a complete answer fails the test.
func (at sight) web(t *testing.T, s *stack.Stack) time.Duration {
	t.Helper()
	begun := time.Now()
	r := graphQL(t, s, `query P($sku: String!) { product(sku: $sku) { sku name price { unit { amount } } availability { quantity } reviews { count } } }`,
		map[string]any{"sku": at.sku}, "Accept-Language", at.language)
	took := time.Since(begun)
	require.Equal(t, http.StatusOK, r.Status, r.Raw)
	require.Nil(t, r.at("errors"), r.Raw)
	require.Equal(t, at.sku, r.text("data", "product", "sku"), r.Raw)
	return took
}

func (at sight) mobile(t *testing.T, s *stack.Stack) time.Duration {
	t.Helper()
	begun := time.Now()
	r := send(t, http.MethodGet, s.Mobile+"/v1/screens/products/"+at.sku, nil, "Accept-Language", at.language)
	took := time.Since(begun)
	require.Equal(t, http.StatusOK, r.Status, r.Raw)
	for i := range r.list("degraded") { // a slow machine may make a part stale; none is left out
		require.Equal(t, "stale", r.text("degraded", i, "state"), "%v", r.at("degraded"))
	}
	return took
}

// quantile of times, which are sorted by it.
func quantile(times []time.Duration, q float64) time.Duration {
	slices.Sort(times)
	return times[int(q*float64(len(times)-1))]
}

// fromRedis is how many keys a channel has answered from Redis so far, as its metrics tell.
func fromRedis(t *testing.T, admin string) int {
	t.Helper()
	r := send(t, http.MethodGet, admin+"/metrics", nil)
	require.Equal(t, http.StatusOK, r.Status)
	sum := 0
	for line := range strings.Lines(r.Raw) {
		if strings.HasPrefix(line, "portico_cache_requests") && strings.Contains(line, `tier="redis"`) {
			n, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 64)
			require.NoError(t, err)
			sum += int(n)
		}
	}
	return sum
}
