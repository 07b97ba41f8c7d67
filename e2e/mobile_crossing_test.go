//go:build e2e

package e2e

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

// crossShown is what a customer is shown at a path, in one encoding.
type crossShown struct{ body, tag string }

// crossUser is one of two customers who share sockets, with what is only theirs.
type crossUser struct {
	name, authorization string
	cart                string
	marks               []string              // texts that are in no answer to anybody else
	shown               map[string]crossShown // by encoding and path
}

// The paths that both ask for; a cart's own is below.
const (
	accountPath = "/v1/screens/account"
	ordersPath  = "/v1/orders"
	productPath = "/v1/screens/products/HL-U509-R"
)

// encodings are asked for in turns. Nobody asks for the second without decoding it.
var encodings = [...]string{"", "gzip"}

func (u *crossUser) cartPath() string { return "/v1/screens/cart/" + u.cart }

// somebody is a customer of the sandbox.
type somebody struct {
	Customer, Email, PriceGroup string
	Orders                      int
}

// twoWithOrders are customers who see the same prices and have both bought something.
func twoWithOrders(t *testing.T, s *stack.Stack) []somebody {
	t.Helper()
	var list []somebody
	require.NoError(t, json.Unmarshal([]byte(send(t, http.MethodGet, s.Sandbox+"/_sandbox/customers", nil).Raw), &list))
	list = slices.DeleteFunc(list, func(c somebody) bool { return c.PriceGroup != "retail" || c.Orders == 0 })
	require.GreaterOrEqual(t, len(list), 2)
	return list[:2]
}

// newCrossUser signs a customer in, fills a cart, and asks once for all that will be compared.
func newCrossUser(t *testing.T, s *stack.Stack, base string, who somebody) *crossUser {
	t.Helper()
	authorization := bearer(t, s, who.Customer)
	u := &crossUser{name: who.Customer, authorization: authorization[1], shown: map[string]crossShown{}}
	u.cart = send(t, http.MethodPost, base+"/v1/carts", map[string]any{}, authorization...).text("id")
	require.NotEmpty(t, u.cart)
	lines := send(t, http.MethodPost, base+"/v1/carts/"+u.cart+"/lines", map[string]any{"sku": "HL-U509", "quantity": 1}, authorization...)
	require.Equal(t, http.StatusOK, lines.Status, lines.Raw)
	account := send(t, http.MethodGet, base+accountPath, nil, authorization...)
	orders := send(t, http.MethodGet, base+ordersPath, nil, authorization...)
	require.Equal(t, who.Email, account.text("profile", "email"), account.Raw)
	u.marks = []string{`"` + u.cart + `"`, `"` + who.Email + `"`}
	for i := range orders.list("items") {
		u.marks = append(u.marks, `"`+orders.text("items", i, "number")+`"`)
	}
	require.NotContains(t, u.marks, `""`, account.Raw)
	require.Greater(t, len(u.marks), 2, "a customer with orders: %s", orders.Raw)
	for _, encoding := range encodings {
		for _, path := range []string{accountPath, ordersPath, productPath, u.cartPath()} {
			r := send(t, http.MethodGet, base+path, nil, append([]string{"Accept-Encoding", encoding}, authorization...)...)
			require.Equal(t, http.StatusOK, r.Status, r.Raw)
			tag := r.Header.Get("ETag")
			require.NotEmpty(t, tag, path)
			u.shown[encoding+path] = crossShown{body: decoded(t, r), tag: tag}
		}
	}
	return u
}

func decoded(t *testing.T, r reply) string {
	t.Helper()
	text, err := decode(r.Header, strings.NewReader(r.Raw))
	require.NoError(t, err)
	return text
}

func decode(header http.Header, body io.Reader) (string, error) {
	if header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return "", err
		}
		body = unpacked
	}
	raw, err := io.ReadAll(body)
	return string(raw), err
}

// crossing counts what two users were answered.
type crossing struct {
	mu       sync.Mutex
	totals   map[string]int
	crossed  []string
	problems []string
}

func (c *crossing) count(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals[what]++
}

func (c *crossing) cross(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals["crossed"]++
	c.crossed = append(c.crossed, fmt.Sprintf(format, args...))
}

func (c *crossing) problem(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals["other"]++
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// open is a socket that is open until the test ends, or nil.
func (c *crossing) open(t *testing.T, addr string) *socket {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		c.problem("%v", err)
		return nil
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &socket{conn, bufio.NewReader(conn)}
}

// crossAsk is one request of one user on a socket that both use.
type crossAsk struct {
	me, other      *crossUser
	encoding, path string
	match          string // If-None-Match
}

// asks are all that a user asks for in turns: with no tag, with the other one's, with the own
// one, and for the other one's cart.
func asks(me, other *crossUser, encoding string) []crossAsk {
	theirs := func(path string) string { return other.shown[encoding+path].tag }
	return []crossAsk{
		{me, other, encoding, accountPath, theirs(accountPath)},
		{me, other, encoding, productPath, theirs(productPath)},
		{me, other, encoding, ordersPath, ""},
		{me, other, encoding, me.cartPath(), theirs(other.cartPath())},
		{me, other, encoding, productPath, me.shown[encoding+productPath].tag},
		{me, other, encoding, other.cartPath(), theirs(other.cartPath())},
	}
}

// ask sends it and counts what comes. It answers false when the socket is of no more use.
func (a *crossAsk) ask(s *socket, c *crossing) bool {
	head := "GET " + a.path + " HTTP/1.1\r\nHost: portico.test\r\nAuthorization: " + a.me.authorization + "\r\n"
	if a.encoding != "" {
		head += "Accept-Encoding: " + a.encoding + "\r\n"
	}
	if a.match != "" {
		head += "If-None-Match: " + a.match + "\r\n"
	}
	_ = s.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(s, head+"\r\n"); err != nil {
		c.problem("%s %s: %v", a.me.name, a.path, err)
		return false
	}
	res, err := http.ReadResponse(s.in, nil)
	if err != nil {
		c.problem("%s %s: %v", a.me.name, a.path, err)
		return false
	}
	body, err := decode(res.Header, res.Body)
	_ = res.Body.Close()
	if err != nil {
		c.problem("%s %s: %v", a.me.name, a.path, err)
		return false
	}
	a.check(res, body, c)
	return true
}

// check counts an answer. A refusal of a machine that has too much to do, and a part that is
// left out for that, are no crossings as long as nothing of the other one is in them.
func (a *crossAsk) check(res *http.Response, body string, c *crossing) {
	note := func(to func(string, ...any)) {
		to("%s %s %q %s: %d %s: %s", a.me.name, a.path, a.encoding, a.match, res.StatusCode, res.Header.Get("ETag"), body)
	}
	for _, mark := range a.other.marks {
		if strings.Contains(body, mark) {
			note(c.cross)
			return
		}
	}
	own, foreign := a.me.shown[a.encoding+a.path], a.path == a.other.cartPath()
	tag := res.Header.Get("ETag")
	switch status := res.StatusCode; {
	case status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout:
		c.count("refused")
	case foreign && status == http.StatusNotFound:
		c.count("404")
	case foreign:
		note(c.cross)
	case status == http.StatusNotModified && a.match == own.tag && tag == own.tag:
		c.count("304")
	case status == http.StatusNotModified:
		note(c.cross)
	case status == http.StatusOK && body == own.body && tag == own.tag && a.match != own.tag:
		c.count("200")
	case status == http.StatusOK && tag == "" && strings.Contains(body, `"degraded":[`):
		c.count("degraded")
	default:
		note(c.problem)
	}
}

// Two customers ask in turns on each of a thousand sockets, all at once: each gets what is
// theirs, to the letter, and a tag of the other one's is nothing to anybody.
func TestTenThousandRequestsOfTwoUsersNeverCross(t *testing.T) {
	t.Parallel()
	const sockets, each, atOnce = 1_000, 10, 32 // more at once, and most is refused: what the systems take is bounded
	s := start(t)
	p := startMobile(t, s.Sandbox, append(patient(), "MAX_IN_FLIGHT=4000", "MOBILE_LATE_FROM=0s", "DRAIN_TIMEOUT=60s")...)
	base := "http://" + p.addr
	people := twoWithOrders(t, s)
	users := [2]*crossUser{newCrossUser(t, s, base, people[0]), newCrossUser(t, s, base, people[1])}
	owners := map[string]string{} // by tag
	var turns [2][][]crossAsk     // by user, then encoding
	for i, me := range users {
		other := users[1-i]
		for _, encoding := range encodings {
			turns[i] = append(turns[i], asks(me, other, encoding))
		}
		for where, own := range me.shown {
			require.NotEqual(t, other.name, owners[own.tag], "%s of %s has a tag of the other one's", where, me.name)
			owners[own.tag] = me.name
			for _, mark := range other.marks {
				require.NotContains(t, own.body, mark, "%s of %s", where, me.name)
			}
		}
	}
	c := &crossing{totals: map[string]int{}}
	began := time.Now()
	var work sync.WaitGroup
	room := make(chan struct{}, atOnce) // whoever waits longest comes next, so all sockets are open soon and stay so
	for i := range sockets {
		work.Go(func() {
			var conn *socket
			for j := range each {
				turn := i/2 + j/2
				list := turns[(i+j)%2][turn/7%2]
				room <- struct{}{}
				if conn == nil {
					conn = c.open(t, p.addr)
				}
				ok := conn != nil && list[turn%len(list)].ask(conn, c)
				<-room
				if !ok {
					return
				}
			}
		})
	}
	work.Wait()
	t.Logf("%d sockets, %d requests each, in %v: %v", sockets, each, time.Since(began).Round(time.Millisecond), c.totals)
	require.Empty(t, c.crossed[:min(3, len(c.crossed))], "%v", c.totals)
	require.Empty(t, c.problems[:min(3, len(c.problems))], "%v: %s", c.totals, p.out.String())
	for _, what := range []string{"200", "304", "404"} {
		assert.Positive(t, c.totals[what], what)
	}
	sum := 0
	for _, n := range c.totals {
		sum += n
	}
	assert.Equal(t, sockets*each, sum)
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.Wait(), p.out.String())
}
