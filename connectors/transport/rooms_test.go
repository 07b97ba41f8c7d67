package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// A body is there for its reader, and for nobody after.
func TestABodyIsGoneWhenItIsRead(t *testing.T) {
	t.Parallel()
	for name, failed := range map[string]error{"of use": nil, "of no use": Failed(readTraits, commerce.ErrUpstream, errMalformed)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := over(t, Config{}, &script{steps: []step{{status: http.StatusOK, body: `{"ok":true}`}}})
			var given *Response
			r := get()
			r.Read = func(res *Response) error {
				assert.Equal(t, []byte(`{"ok":true}`), res.Body)
				given = res
				return failed
			}
			_, err := do(t, c, readTraits, r)
			require.ErrorIs(t, err, failed)
			assert.Nil(t, given.Body)
			assert.Nil(t, given.whole.data)
			assert.EqualValues(t, 11, given.whole.size)
			given.whole.giveBack() // twice is no harm
		})
	}
}

// Without a reader a body is its caller's for good.
func TestABodyThatIsAnsweredIsItsCallers(t *testing.T) {
	t.Parallel()
	c := over(t, Config{}, &echoing{})
	first, err := do(t, c, readTraits, get("1000"))
	require.NoError(t, err)
	for n := range 100 {
		r := get(strconv.Itoa(n * 100))
		r.Read = func(*Response) error { return nil }
		_, err := do(t, c, readTraits, r)
		require.NoError(t, err)
	}
	assert.True(t, bytes.Equal(bodyOf(1000), first.Body))
	assert.Equal(t, len(first.Body), cap(first.Body), "what is appended lies elsewhere")
}

func TestRoomsAreBounded(t *testing.T) {
	t.Parallel()
	var r rooms
	for range 3 * freeRooms {
		r.leave(make([]byte, maxRoom))
		r.leave(make([]byte, maxRoom+1))
		r.leave(nil)
	}
	assert.Len(t, r.free, freeRooms)
	for range freeRooms {
		room := r.enter(1)
		assert.Empty(t, room)
		assert.Equal(t, maxRoom, cap(room))
	}
	assert.Equal(t, roomStep, cap(r.enter(1)), "none was left")
	assert.Equal(t, maxRoom, cap(r.enter(maxRoom)))
	assert.Equal(t, maxRoom+1, cap(r.enter(maxRoom+1)), "no more than is declared")

	room := append(r.enter(3), "abc"...)
	r.leave(room)
	assert.Equal(t, []byte{0, 0, 0}, room, "overwritten")
	assert.Same(t, &room[0], &r.enter(roomStep)[:1][0])
	r.leave(room)
	assert.GreaterOrEqual(t, cap(r.enter(roomStep+1)), roomStep+1)
	assert.Empty(t, r.free, "what is too small is dropped")
}

// bodyOf is a body so long, by which it is told from others.
func bodyOf(length int) []byte {
	return bytes.Repeat([]byte(strconv.Itoa(length)+" "), length/2+1)[:length]
}

// echoing answers with the body whose length is the path, in pieces, of declared and of
// unknown length. If it fails, it does so every so often.
type echoing struct {
	fails bool

	mu    sync.Mutex
	calls int
}

var errCut = errors.New("connection reset")

func (e *echoing) RoundTrip(req *http.Request) (*http.Response, error) {
	e.mu.Lock()
	e.calls++
	call := e.calls
	e.mu.Unlock()
	var length int
	if _, err := fmt.Sscanf(req.URL.Path, "/api/%d", &length); err != nil {
		return nil, err
	}
	body := &pieces{left: bodyOf(length), end: io.EOF}
	res := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, ContentLength: -1, Request: req}
	if call%2 == 0 {
		res.ContentLength = int64(length)
	}
	switch {
	case !e.fails:
	case call%7 == 3: // again, please
		res.StatusCode = http.StatusServiceUnavailable
	case call%7 == 5: // breaks off
		body.left, body.end, res.ContentLength = body.left[:length/2], errCut, int64(length)
	}
	return res, nil
}

// pieces is a body that comes in pieces, and uses all the room that it is given.
type pieces struct {
	left []byte
	end  error
}

func (p *pieces) Read(to []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, p.end
	}
	n := copy(to, bytes.Repeat([]byte("!"), len(to)))
	runtime.Gosched()
	n = copy(to[:min(n, 1+len(p.left)/2)], p.left)
	p.left = p.left[n:]
	return n, nil
}

func (*pieces) Close() error { return nil }

// Whoever reads, breaks off, tries again and gives up beside it: each has its own body
// for as long as it reads.
func TestNobodyReadsAnothersBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := over(t, Config{MaxAttempts: 2}, &echoing{fails: true})
		var callers sync.WaitGroup
		for n := range 8 {
			callers.Go(func() {
				random, read := rand.New(rand.NewPCG(8, uint64(n))), 0
				for range 100 {
					want := bodyOf(random.IntN(70_000))
					if random.IntN(20) == 0 {
						want = bodyOf(maxRoom + random.IntN(70_000))
					}
					r := get(strconv.Itoa(len(want)))
					r.Read = func(res *Response) error {
						for range 3 {
							assert.True(t, bytes.Equal(want, res.Body))
							runtime.Gosched()
						}
						read++
						return nil
					}
					if _, err := do(t, c, readTraits, r); err != nil {
						time.Sleep(time.Second) // its breaker may be open
					}
				}
				assert.Greater(t, read, 50)
			})
		}
		callers.Wait()
	})
}

// late is a body whose first half is there at once, and whose rest never comes. When its
// attempt is ended it still writes into what it was given.
type late struct {
	req *http.Request
	n   int
}

func (l *late) Read(to []byte) (int, error) {
	if l.n == 0 {
		l.n = copy(to, bodyOf(50_000)[:25_000])
		return l.n, nil
	}
	<-l.req.Context().Done()
	copy(to, bytes.Repeat([]byte("?"), len(to)))
	return 0, l.req.Context().Err()
}

func (*late) Close() error { return nil }

// The loser of a hedge has its own room until it has ended, whichever of the two it is.
func TestN11_TheLosersBodyIsNotTheWinners(t *testing.T) {
	t.Parallel()
	for name, slow := range map[string]int64{"the first is slow": 101, "the hedge is slow": 102} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				upstream := &answering{takes: func(n int64) (time.Duration, int, error) {
					if n == 101 && slow == 102 {
						return 100 * time.Millisecond, http.StatusOK, nil // long enough for a hedge
					}
					return 20 * time.Millisecond, http.StatusOK, nil
				}}
				c := over(t, Config{}, roundTrip(func(req *http.Request) (*http.Response, error) {
					res, err := upstream.RoundTrip(req)
					if err == nil && upstream.calls.Load() >= 101 {
						res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(bodyOf(50_000))), 50_000
					}
					if err == nil && req.Header.Get("X-Slow") != "" {
						res.Body = &late{req: req}
					}
					return res, err
				}))
				var sent atomic.Int64
				c.sign = func(req *http.Request) error {
					if sent.Add(1) == slow {
						req.Header.Set("X-Slow", "yes")
					}
					return nil
				}
				warm(t, c, 100)
				r := get("x")
				read := 0
				r.Read = func(res *Response) error {
					read++
					time.Sleep(time.Second) // both attempts have ended
					assert.True(t, bytes.Equal(bodyOf(50_000), res.Body))
					return nil
				}
				_, err := do(t, c, readTraits, r)
				require.NoError(t, err)
				assert.Equal(t, 1, read)
				assert.EqualValues(t, 102, upstream.calls.Load(), "there was a hedge")
			})
		})
	}
}
