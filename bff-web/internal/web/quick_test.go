package web

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/edge/telemetry"
	"github.com/portico-bff/portico/schema/commerce"
)

// literal has an answer for everyone who asks for "kept".
type literal struct {
	onFind, onTell func() // before anything else; nil: nothing
	told           int
}

func (l *literal) Literally(_ *http.Request, body []byte, _ *commerce.Market, _ time.Time) (*cache.Answer, string) {
	if l.onFind != nil {
		l.onFind()
	}
	if string(body) != "kept" {
		return nil, ""
	}
	return &cache.Answer{}, "text"
}

func (l *literal) Tell(w http.ResponseWriter, _ *http.Request, _ *cache.Answer, form string, _ time.Time) int {
	l.told++
	n, _ := io.WriteString(w, "told as "+form)
	if l.onTell != nil {
		l.onTell()
	}
	return n
}

// quickly is a Quick before a handler that says what it was sent.
type quickly struct {
	Quick
	literal
	log     bytes.Buffer
	counted int
}

func newQuickly(t *testing.T) *quickly {
	t.Helper()
	q := &quickly{}
	var markets market.Config
	require.NoError(t, config.Decode(nil, "", &markets))
	resolver, err := market.New(markets)
	require.NoError(t, err)
	tel, err := telemetry.New(telemetry.Config{Out: io.Discard}, "web")
	require.NoError(t, err)
	q.Quick = Quick{
		Answers: &q.literal, Telemetry: tel, Log: slog.New(slog.NewTextHandler(&q.log, nil)), Places: NewPlaces(1),
		Markets: resolver, Counted: func() { q.counted++ },
	}
	return q
}

func (q *quickly) send(t *testing.T, body string) string {
	t.Helper()
	return q.announced(t, body, int64(len(body)))
}

// announced is send with another length in its header.
func (q *quickly) announced(t *testing.T, body string, length int64) string {
	t.Helper()
	whole := Stack(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		_, _ = io.WriteString(w, "whole: "+string(text))
	}), ReadBody(1<<10))
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.ContentLength = length
	q.Before(whole).ServeHTTP(w, r)
	return w.Body.String()
}

func TestWhatIsNotKeptGoesTheWholeWayAsItCame(t *testing.T) {
	t.Parallel()
	q := newQuickly(t)
	long := strings.Repeat("x", roomForBody+1)
	for range 3 { // rooms are used again
		for body, want := range map[string]string{
			"kept": "told as text", "": "whole: ", "else": "whole: else", long: "whole: " + long, long[1:]: "whole: " + long[1:],
		} {
			assert.Equal(t, want, q.send(t, body))
		}
		assert.Equal(t, "whole: kept", q.announced(t, "kept", -1), "its length was not announced")
	}
	assert.Equal(t, 3, q.told)
	assert.Equal(t, 3, q.counted, "what goes on is counted there")
}

func TestNobodyIsAnsweredWithoutAPlace(t *testing.T) {
	t.Parallel()
	q := newQuickly(t)
	require.True(t, q.Places.take())
	assert.Equal(t, "whole: kept", q.send(t, "kept"))
	q.Places.give()
	var inside bool
	q.onTell = func() { inside = q.Places.take() }
	for range 2 {
		assert.Equal(t, "told as text", q.send(t, "kept"))
		assert.False(t, inside, "its place is taken while it is told")
	}
}

// A panic before anything was told is logged and costs nobody an answer; behind that there
// is only breaking off.
func TestAPanicIsNeverHalfAnAnswer(t *testing.T) {
	t.Parallel()
	q := newQuickly(t)
	q.onFind = func() { panic("of finding") }
	assert.Equal(t, "whole: kept", q.send(t, "kept"))
	assert.Contains(t, q.log.String(), "of finding")
	q.onFind, q.onTell = nil, func() { panic("of telling") }
	assert.PanicsWithValue(t, "of telling", func() { q.send(t, "kept") })
	assert.True(t, q.Places.take(), "its place is free again")
}

func TestWhereRequestsAreTracedTheyGoTheWholeWay(t *testing.T) {
	t.Parallel()
	q := newQuickly(t)
	var err error
	q.Telemetry, err = telemetry.New(telemetry.Config{Out: io.Discard, Traces: telemetry.Traces{Endpoint: "http://127.0.0.1:1"}}, "web")
	require.NoError(t, err)
	require.True(t, q.Telemetry.Tracing())
	assert.Equal(t, "whole: kept", q.send(t, "kept"))
	require.NoError(t, q.Telemetry.Close(t.Context()))
}

// The time that a request takes begins before its body does, whichever way it goes.
func TestARequestBeginsBeforeItsBody(t *testing.T) {
	t.Parallel()
	q := newQuickly(t)
	before := time.Now()
	var began, read time.Time
	body := readAt{strings.NewReader("else"), &read}
	whole := Stack(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { began = Began(r.Context()) }), RequestID, Observe(q.Telemetry, "/"))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", body)
	r.ContentLength = 4
	q.Before(whole).ServeHTTP(httptest.NewRecorder(), r)
	assert.False(t, began.Before(before))
	assert.False(t, began.After(read))
}

// readAt notes when it was read.
type readAt struct {
	io.Reader
	at *time.Time
}

func (r readAt) Read(p []byte) (int, error) {
	*r.at = time.Now()
	return r.Reader.Read(p)
}
