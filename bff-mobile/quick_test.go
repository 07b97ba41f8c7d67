package bffmobile

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/ratelimit"
)

// slowly is a shop that keeps screens as ever, but answers nothing before it is routed.
func slowly(t testing.TB) *shop {
	t.Helper()
	s, _ := keeping(t)
	s.app.quick.Answers, s.app.quick.Document = nil, nil
	return s
}

// dialled is a connection that is asked again and again.
type dialled struct {
	net.Conn
	in *bufio.Reader
}

func dial(t testing.TB, addr string) *dialled {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &dialled{conn, bufio.NewReader(conn)}
}

// ask sends a request and reads one answer, byte for byte. closed tells that it is the last.
func (d *dialled) ask(t testing.TB, request string) (answer string, closed bool) {
	t.Helper()
	require.NoError(t, d.SetDeadline(time.Now().Add(time.Minute)))
	_, err := io.WriteString(d, request)
	require.NoError(t, err)
	var got bytes.Buffer
	length := 0
	for {
		line, err := d.in.ReadString('\n')
		require.NoError(t, err, "%q after %q", got.String(), request)
		got.WriteString(line)
		if value, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			_, err := fmt.Sscan(value, &length)
			require.NoError(t, err)
		}
		closed = closed || line == "Connection: close\r\n"
		if line == "\r\n" {
			break
		}
	}
	if !strings.HasPrefix(request, "HEAD") {
		_, err = io.CopyN(&got, d.in, int64(length))
		require.NoError(t, err)
	}
	return got.String(), closed
}

// What the time of day and chance say in an answer.
var varies = regexp.MustCompile(`(Date|Age|Server-Timing): [^\r]*|X-Request-Id: [0-9a-f]{32}|"requestId":"[0-9a-f]{32}"|max-age=[0-9]+`)

var tagLine = regexp.MustCompile(`\r\nEtag: ([^\r]*)`)

// randomRequest asks for a screen as an app, a browser or somebody odd might.
// know is the entity tags of answers that were given before.
func randomRequest(r *rand.Rand, know []string) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	maybe := func(line string) string {
		if r.IntN(4) == 0 {
			return line + "\r\n"
		}
		return ""
	}
	target := pick("/v1/screens/home", "/v1/screens/products/MUG-RED", "/v1/screens/products/BOWL-1", "/v1/screens/products/NO-SUCH", "/v1/screens/search?q=mug",
		"/v1/screens/search?q=%6dug", "/v1/screens/search?first=2&q=mug", "/v1/screens/categories/kitchen", "/v1/screens/categories/kitchen?sort=PRICE_ASC",
		"/v1/screens/home?width=320", "/v1/screens/home?", "/v1/screens/home?x=1", "/v1/screens/search?first=0", "/v1/screens/account", "/v1/orders",
		"/V1/screens/home", "/v1/screens/home/", "//v1/screens/home", "/v1/screens/home.css", "/docs", "http://portico.test/v1/screens/home",
		"/v1/config", "/v1/config", "/v1/config?x=1", "/v1/config/", "http://portico.test/v1/config",
		"/v1/screens/search?q="+strings.Repeat("m", r.IntN(1200)))
	return pick("GET", "GET", "GET", "GET", "GET", "HEAD", "POST") + " " + target + pick(" HTTP/1.1", " HTTP/1.1", " HTTP/1.1", " HTTP/1.0") + "\r\nHost: portico.test\r\n" +
		maybe(pick("X-Channel: ", "x-channel:", "X-CHANNEL: \t")+pick("us", "eu", "uk", "EU", "", "mars")+pick("", " ", "\t")) +
		maybe("Accept-Language: "+pick("fr-CH, de;q=0.5", "en", "he", "fr;q=0", "*", "", ";;", strings.Repeat("th;q=0.1,", 150))) +
		maybe("accept-language: th") +
		maybe("X-Currency: "+pick("USD", "EUR", "GBP", "usd", "XXX")) +
		maybe("X-Country: "+pick("US", "DE", "FR", "ZZ")) +
		maybe("X-Request-Id: "+pick("abc.DEF-1_2", "a b", strings.Repeat("x", 64), strings.Repeat("x", 65))) +
		maybe("Authorization: "+pick("Bearer C1", "Bearer C2", "Bearer bad", "Basic eDp5", "")) +
		maybe("Accept-Encoding: "+pick("br", "gzip", "zstd, br;q=0.1", "identity;q=0", "gzip, deflate, br", "*", "", strings.Repeat("br;q=0.1,", 150))) + maybe("accept-encoding: "+pick("zstd", "br;q=0")) +
		maybe("X-Platform: "+pick("ios", "android", "web", "")) + maybe("X-Pixel-Density: "+pick("1", "2", "3", "9")) +
		maybe("X-App-Version: "+pick("1.0", "9.9.9", "x", "")) +
		maybe("If-None-Match: "+pick("*", `"x"`, "", strings.Repeat(`"x",`, 150)+"*", pick(know...), pick(know...)+", "+pick(know...))) +
		maybe("If-None-Match: "+pick(know...)) + maybe("If-Match: *") +
		maybe("Accept: "+pick("*/*", "text/html")) + maybe("Cookie: a=b") + maybe("X-Forwarded-For: 203.0.113.7") +
		maybe("Connection: "+pick("close", "keep-alive", "X-A, Close")) +
		maybe("Content-Length: 0") + maybe("Content-Type: application/json") + maybe("Content-Encoding: gzip") + maybe("X A: 1") + "\r\n"
}

// The quick way answers what the whole way does, field for field and byte for byte,
// whoever asks for whatever.
func TestQuickSaysWhatTheWholeWaySays(t *testing.T) {
	t.Parallel()
	const (
		requests = 6_000 / slower
		patience = 50 // tries: what is kept ends in one shop before it does in the other
	)
	quick, _ := keeping(t)
	whole := slowly(t)
	shops := [2]*shop{quick, whole}
	addrs := [2]string{}
	addrs[0], _ = quick.serve(t)
	addrs[1], _ = whole.serve(t)
	conns := [2]*dialled{dial(t, addrs[0]), dial(t, addrs[1])}
	r := rand.New(rand.NewPCG(7, 11))
	hits, unchanged, know, again := 0, 0, []string{`"x"`}, ""
	for i := range requests {
		request := randomRequest(r, know)
		if again != "" && r.IntN(2) == 0 {
			request = again
		}
		var said [2]string
		for range patience {
			for side, conn := range conns {
				answer, closed := conn.ask(t, request)
				said[side] = varies.ReplaceAllString(inOrder(answer), "$1") + shops[side].told(t)
				if closed {
					_ = conn.Close()
					conns[side] = dial(t, addrs[side])
				}
			}
			if said[0] == said[1] {
				break
			}
		}
		require.Equal(t, said[1], said[0], "request %d: %q", i, request)
		if strings.Contains(quick.lastLine(), `"answer":"hit"`) {
			hits++
		}
		if strings.HasPrefix(said[0], "HTTP/1.1 304 ") {
			unchanged++
		}
		again = ""
		if tag := tagLine.FindStringSubmatch(said[0]); tag != nil {
			again = strings.TrimSuffix(request, "\r\n") + "If-None-Match: " + tag[1] + "\r\n\r\n"
			if !slices.Contains(know, tag[1]) {
				know = append(know, tag[1])
			}
		}
	}
	require.Greater(t, hits, requests/20)
	require.Greater(t, unchanged, requests/100)
}

// inOrder is an answer with the lines of its header sorted: their order says nothing.
func inOrder(answer string) string {
	head, body, _ := strings.Cut(answer, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	slices.Sort(lines[1:])
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// told is what the log says of the last request, but for how long it took and chance. What
// is kept may have come to its end in between: whether it was is not told.
func (s *shop) told(t testing.TB) string {
	t.Helper()
	var e struct {
		Msg, Level, Method, Route, Answer, Channel string
		Status, Bytes                              int
	}
	require.NoError(t, json.Unmarshal([]byte(s.lastLine()), &e))
	if e.Answer == "hit" || e.Answer == "miss" || e.Answer == "proven" {
		e.Answer = "kept"
	}
	return fmt.Sprint(e)
}

// A quick answer is counted as any other: by its route, and against its address's budget.
func TestQuickAnswersAreCountedAndLimited(t *testing.T) {
	t.Parallel()
	const budget = 40
	s, _ := keeping(t, func(b *edge.Backend) {
		var err error
		b.RateLimit, err = ratelimit.New(ratelimit.Config{Address: budget}, ratelimit.Deps{Log: b.Log})
		require.NoError(t, err)
	})
	addr, _ := s.serve(t)
	conn := dial(t, addr)
	const request = "GET /v1/screens/home HTTP/1.1\r\nHost: portico.test\r\n\r\n"
	answered, refused := 0, 0
	for range 3 * budget {
		got, _ := conn.ask(t, request)
		switch {
		case strings.HasPrefix(got, "HTTP/1.1 200 "):
			answered++
		case strings.HasPrefix(got, "HTTP/1.1 429 "):
			refused++
			require.Contains(t, got, "Retry-After: ")
		}
	}
	require.Positive(t, answered)
	require.Positive(t, refused)
	require.Equal(t, 3*budget, answered+refused)
	require.Less(t, answered, 2*budget, "a kept answer costs 1, too")
	require.InDelta(t, answered, s.metricSum(t, "portico_answers_requests_total"), 0, "who is refused got no answer, kept or not")
	require.Contains(t, s.metrics(t), `http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/v1/screens/home"`)
}

// metrics is what a scrape reads.
func (s *shop) metrics(t testing.TB) string {
	t.Helper()
	w := &scrape{statusWriter: statusWriter{header: map[string][]string{}}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://admin/metrics", nil)
	require.NoError(t, err)
	s.app.Backend().Admin().ServeHTTP(w, r)
	return w.text.String()
}

// metric is the value of a figure that is there once.
func (s *shop) metric(t testing.TB, name string) float64 {
	t.Helper()
	for line := range strings.Lines(s.metrics(t)) {
		if rest, ok := strings.CutPrefix(line, name); ok && strings.ContainsAny(rest[:1], "{ ") {
			value, err := strconv.ParseFloat(strings.TrimSpace(rest[strings.LastIndexByte(rest, ' '):]), 64)
			require.NoError(t, err, line)
			return value
		}
	}
	require.Fail(t, "there is no such figure", name)
	return 0
}

// metricSum adds a figure up over all its labels.
func (s *shop) metricSum(t testing.TB, name string) float64 {
	t.Helper()
	sum := 0.0
	for line := range strings.Lines(s.metrics(t)) {
		if strings.HasPrefix(line, name+"{") {
			value, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]), 64)
			require.NoError(t, err, line)
			sum += value
		}
	}
	return sum
}

type scrape struct {
	statusWriter
	text bytes.Buffer
}

func (w *scrape) Write(p []byte) (int, error) { return w.text.Write(p) }

// Malformed requests for what is kept are refused as ever.
func TestM2_MalformedRequestsAreNotAnsweredFromWhatIsKept(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	addr, _ := s.serve(t)
	conn := dial(t, addr)
	for range 2 {
		got, _ := conn.ask(t, "GET /v1/screens/home HTTP/1.1\r\nHost: portico.test\r\n\r\n")
		require.True(t, strings.HasPrefix(got, "HTTP/1.1 200 "), "%q", got)
	}
	require.Equal(t, "hit", s.how(t))
	s.ResetCalls()
	for name, request := range malformed() {
		got := raw(t, addr, request)
		require.Equal(t, 1, strings.Count(got, "HTTP/1."), "%s: exactly one answer: %q", name, got)
		require.Regexp(t, `^HTTP/1\.1 4[0-9][0-9] `, got, name)
	}
	require.Zero(t, s.TotalCalls())
}

// What is kept under a request's letters stays what it was when their memory is used again.
func TestM3_QuickKeepsNothingOfTheRequest(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	addr, _ := s.serve(t)
	conn := dial(t, addr)
	ask := func(sku, language, id string) string {
		got, _ := conn.ask(t, "GET /v1/screens/products/"+sku+" HTTP/1.1\r\nHost: portico.test\r\nAccept-Language: "+language+"\r\nX-Request-Id: "+id+"\r\n\r\n")
		require.Contains(t, got, "X-Request-Id: "+id+"\r\n")
		return varies.ReplaceAllString(got, "$1")
	}
	first := map[string]string{}
	for round := range 50 {
		for i, sku := range []string{"MUG-RED", "BOWL-1", "NO-SUCH"} {
			for _, language := range []string{"en", "fr", "he"} {
				id := fmt.Sprintf("id-%02d-%d-%s", round, i, language)
				got := strings.ReplaceAll(ask(sku, language, id), id, "")
				if round == 0 {
					first[sku+language] = got
				}
				require.Equal(t, first[sku+language], got, id)
				require.Contains(t, s.lastLine(), id)
			}
		}
	}
	require.NotEqual(t, first["MUG-REDen"], first["MUG-REDfr"])
}

// lastLine is the log's.
func (s *shop) lastLine() string {
	text := strings.TrimSuffix(s.log.String(), "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// An answer that was invalidated is not given any more, by any way.
func TestQuickForgetsWhatWasInvalidated(t *testing.T) {
	t.Parallel()
	s, c := keeping(t)
	const path = "/v1/screens/products/MUG-RED"
	for range 2 {
		s.ok(t, get(path))
	}
	require.Equal(t, "hit", s.how(t))
	require.NoError(t, c.Invalidate(context.Background(), "product:MUG-RED"))
	s.ok(t, get(path))
	require.Equal(t, "miss", s.how(t))
}
