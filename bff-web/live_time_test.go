package bffweb

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/bff-web/internal/live"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/listener"
	"github.com/portico-bff/portico/schema/commerce"
)

// pipes is a network without a kernel: who writes waits until it is read, and all of it is
// within a bubble of [synctest].
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func newPipes() *pipes { return &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.accepted <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// onPipes is a shop that is served over pipes, as it ships.
func onPipes(t testing.TB, cfg live.Config, change ...func(*edge.Backend)) (s *lively, answering *sync.WaitGroup) {
	t.Helper()
	s, answering = unserved(t, documents.Config{Open: true}, cfg, change...), &sync.WaitGroup{}
	network := newPipes()
	s.client = &http.Client{Transport: &http.Transport{DialContext: network.dial, DisableKeepAlives: true}}
	s.url = "http://portico.test"
	serving, done := server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answering.Add(1)
		defer answering.Done()
		s.handler.ServeHTTP(w, r)
	})), make(chan struct{})
	go func() {
		assert.ErrorIs(t, serving.Serve(listener.SettingLate(network)), http.ErrServerClosed)
		close(done)
	}()
	t.Cleanup(func() {
		assert.NoError(t, s.desk.Close(context.Background()))
		assert.NoError(t, serving.Close())
		<-done
	})
	return s, answering
}

// timely runs a test of a shop whose clock goes on when all wait.
func timely(t *testing.T, test func(t *testing.T, s *lively), change ...func(*edge.Backend)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, _ := onPipes(t, defaultBounds(t), change...)
		test(t, s)
	})
}

// line is the next line of a stream, comments included.
func (s *eventStream) line(t testing.TB) string {
	t.Helper()
	require.True(t, s.lines.Scan(), "%v", s.lines.Err())
	return s.lines.Text()
}

var redMug = map[string]any{"skus": []string{"MUG-RED"}}

// Proxies cut what is silent for a minute, however often it was read in vain meanwhile.
func TestW14_AQuietStreamHasAHeartbeat(t *testing.T) {
	t.Parallel()
	for name, vain := range map[string]bool{"nothing happens": false, "what changes is the same": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timely(t, func(t *testing.T, s *lively) {
				events := s.watch(t, stockQuery, redMug)
				require.Equal(t, "next", events.next(t).name)
				last, stop := time.Now(), make(chan struct{})
				var busy sync.WaitGroup
				busy.Go(func() {
					for vain {
						select {
						case <-stop:
							return
						case <-time.After(5 * time.Second):
							assert.NoError(t, s.cache.Invalidate(t.Context(), commerce.TagStock("MUG-RED")))
						}
					}
				})
				for range 8 {
					require.Equal(t, ":", events.line(t))
					require.Empty(t, events.line(t))
					assert.LessOrEqual(t, time.Since(last), 20*time.Second)
					last = time.Now()
				}
				close(stop)
				busy.Wait()
			})
		})
	}
}

// The server's timeouts are for requests that end.
func TestW14_AStreamOutlivesTheServersTimeouts(t *testing.T) {
	t.Parallel()
	timely(t, func(t *testing.T, s *lively) {
		limits := server(nil)
		events := s.watch(t, stockQuery, redMug)
		require.Equal(t, "next", events.next(t).name)
		p := s.enter(t, `{}`)
		p.subscribe(t, "a", stockQuery, redMug)
		require.Equal(t, "next", p.hear(t).Type)
		came := make(chan spoken, 1)
		go func() { // which also answers pings
			m, err := p.next(t.Context())
			assert.NoError(t, err)
			came <- m
		}()
		next := make(chan event, 1)
		go func() {
			for events.lines.Scan() && !strings.Contains(events.lines.Text(), `"quantity":1`) {
			}
			next <- event{}
		}()
		time.Sleep(10 * max(limits.ReadTimeout, limits.WriteTimeout, limits.IdleTimeout))
		s.restock(t, "MUG-RED", 1)
		began := time.Now()
		assert.Contains(t, string((<-came).Payload), `"quantity":1`)
		<-next
		assert.LessOrEqual(t, time.Since(began), time.Second)
		assert.True(t, events.lines.Scan(), "it goes on")
	})
}

// Nothing is kept for a client that takes nothing, and nobody waits for it.
func TestW14_AClientThatTakesNothingIsDropped(t *testing.T) {
	t.Parallel()
	timely(t, func(t *testing.T, s *lively) {
		const many = 3
		var slow []*eventStream
		var deaf []peer
		for range many {
			slow = append(slow, s.watch(t, stockQuery, redMug))
			require.Equal(t, "next", slow[len(slow)-1].next(t).name)
			p := s.enter(t, `{}`)
			p.subscribe(t, "a", stockQuery, redMug)
			require.Equal(t, "next", p.hear(t).Type)
			deaf = append(deaf, p)
		}
		fast := s.watch(t, stockQuery, redMug)
		require.Equal(t, "next", fast.next(t).name)
		// A pipe takes in nothing that is not read.
		for pieces := range 3 {
			began := time.Now()
			s.restock(t, "MUG-RED", 100+pieces)
			for !strings.Contains(fast.line(t), `"quantity":10`) {
			}
			assert.LessOrEqual(t, time.Since(began), time.Second, "who reads has it at once")
		}
		time.Sleep(takeIn)
		synctest.Wait()
		assert.Equal(t, 2*many, strings.Count(s.log.String(), `"ended":"slow"`), "streams and sockets")
		assert.Equal(t, many, strings.Count(s.log.String(), `"status":101`))
		for i := range many {
			for slow[i].lines.Scan() {
			}
			assert.Error(t, slow[i].lines.Err(), "it is cut, not completed")
			_, err := deaf[i].next(t.Context())
			assert.Error(t, err)
		}
		s.restock(t, "MUG-RED", 1)
		assert.Contains(t, fast.next(t).Raw, `"quantity":1`)
	})
}

// Who does not answer a ping is cut, and the log says that it was silent; who leaves is gone,
// though an answer could not be sent to it.
func TestW14_TheLogTellsTheSilentFromTheGone(t *testing.T) {
	t.Parallel()
	timely(t, func(t *testing.T, s *lively) {
		conn, _, err := websocket.Dial(t.Context(), s.url+Route, &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: s.client.Transport}, Subprotocols: []string{"graphql-transport-ws"},
			OnPingReceived: func(context.Context, []byte) bool { return false },
		})
		require.NoError(t, err)
		silent := peer{conn}
		silent.say(t, spoken{Type: "connection_init"})
		require.Equal(t, "connection_ack", silent.hear(t).Type)
		began := time.Now()
		_, err = silent.next(t.Context()) // takes all that comes
		assert.Error(t, err)
		assert.Equal(t, 19*time.Second, time.Since(began), "a ping every 15 s, which has 4")
		synctest.Wait()
		assert.Equal(t, 1, strings.Count(s.log.String(), `"ended":"silent"`), s.log.String())

		p := s.enter(t, `{}`)
		p.subscribe(t, "a", stockQuery, redMug)
		require.Equal(t, "next", p.hear(t).Type)
		require.NoError(t, p.CloseNow())
		s.restock(t, "MUG-RED", 5)
		time.Sleep(takeIn)
		synctest.Wait()
		assert.Equal(t, 1, strings.Count(s.log.String(), `"ended":"gone"`), s.log.String())
		assert.NotContains(t, s.log.String(), `"ended":"slow"`)
	})
}

// takeIn is longer than a client may take for an answer.
const takeIn = 5 * time.Second

// With the session's end, however long it was, all that was asked for with it ends, busy or not.
func TestW14_ASessionsEndIsKeptToTheSecond(t *testing.T) {
	t.Parallel()
	for name, every := range map[string]time.Duration{"quiet": 0, "busy": 50 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timely(t, func(t *testing.T, s *lively) {
				ends := time.Now().Add(time.Minute + 300*time.Millisecond)
				s.sessions.end(ends)
				mine := header{"Authorization", "Bearer C1"}
				stock, order := s.watch(t, stockQuery, redMug, mine), s.watch(t, statusQuery, map[string]any{"id": "000000007"}, mine)
				require.Equal(t, "next", stock.next(t).name)
				require.Equal(t, "next", order.next(t).name)
				p := s.enter(t, `{"Authorization":"Bearer C1"}`)
				p.subscribe(t, "a", stockQuery, redMug)
				require.Equal(t, "next", p.hear(t).Type)
				var busy sync.WaitGroup
				busy.Go(func() {
					for every > 0 && time.Now().Before(ends.Add(time.Second)) {
						time.Sleep(every)
						assert.NoError(t, s.cache.Invalidate(t.Context(), commerce.TagStock("MUG-RED"), commerce.TagOrder("000000007")))
					}
				})
				over := make(chan struct{})
				go func() { // a client reads all the time: it also answers pings
					defer close(over)
					m, err := p.next(t.Context())
					assert.NoError(t, err)
					assert.Equal(t, "error", m.Type)
					_, err = p.next(t.Context())
					assert.Equal(t, websocket.StatusCode(4401), websocket.CloseStatus(err))
				}()
				rest := []string{"", ""}
				var reading sync.WaitGroup
				for i, events := range []*eventStream{stock, order} {
					reading.Go(func() { // which takes the heartbeats in, too
						for events.lines.Scan() {
							rest[i] += strings.TrimPrefix(events.lines.Text(), ":")
						}
						assert.NoError(t, events.lines.Err())
					})
				}
				reading.Wait()
				for _, text := range rest {
					assert.Regexp(t, `^event: nextdata: \{"errors":\[\{[^}]*"code":"UNAUTHENTICATED"[^}]*\}\}\]\}event: completedata:$`, text)
				}
				<-over
				assert.False(t, time.Now().Before(ends), "and not before")
				assert.LessOrEqual(t, time.Since(ends), time.Second)
				busy.Wait()
				synctest.Wait() // the lines are written after the last answer
				assert.Equal(t, 2, strings.Count(s.log.String(), `"ended":"signed-out"`))
				assert.Contains(t, s.log.String(), `"ended":"4401"`)
			})
		})
	}
}

// unstocked fails to tell of stock, and notes when it was asked.
type unstocked struct {
	mu sync.Mutex
	at []time.Time
}

func (u *unstocked) Availability(context.Context, commerce.Market, []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.at = append(u.at, time.Now())
	return nil, commerce.ErrUnavailable
}

// What cannot be had is asked for again after about 5 s, not by all who watch in step: a
// system that comes back has its calls one after the other.
func TestWhatIsMissingIsReadAgainOutOfStep(t *testing.T) {
	t.Parallel()
	down := &unstocked{}
	timely(t, func(t *testing.T, s *lively) {
		events := s.watch(t, stockQuery, redMug)
		require.Equal(t, "next", events.next(t).name)
		ctx, leave := context.WithCancel(t.Context())
		context.AfterFunc(ctx, events.close)
		var reader sync.WaitGroup
		reader.Go(func() {
			for events.lines.Scan() {
			}
		})
		time.Sleep(5 * time.Minute)
		leave()
		reader.Wait()
	}, func(b *edge.Backend) { b.Ports.Inventory = down })
	after := map[time.Duration]bool{}
	for i, at := range down.at[1:] {
		pause := at.Sub(down.at[i])
		assert.True(t, pause >= 4*time.Second && pause <= 6*time.Second, pause)
		after[pause] = true
	}
	t.Logf("asked %d times, after %d different pauses", len(down.at), len(after))
	assert.Greater(t, len(after), len(down.at)/2)
}

// What is read again without a word from its system costs the system what its lifetime in the
// cache does, however many watch.
func TestManyWhoWatchTheSameCostWhatOneDoes(t *testing.T) {
	t.Parallel()
	asked := func(watchers int) (calls int) {
		timely(t, func(t *testing.T, s *lively) {
			ctx, leave := context.WithCancel(t.Context())
			var all sync.WaitGroup
			for range watchers {
				events := s.watch(t, stockQuery, redMug)
				require.Equal(t, "next", events.next(t).name)
				all.Go(func() {
					for events.lines.Scan() {
					}
				})
				context.AfterFunc(ctx, events.close)
			}
			s.ResetCalls()
			time.Sleep(10 * time.Minute)
			calls = s.TotalCalls()
			leave()
			all.Wait()
		})
		return calls
	}
	one, fifty := asked(1), asked(50)
	t.Logf("in ten minutes the systems are asked %d times for one, %d for fifty", one, fifty)
	assert.Positive(t, one)
	assert.LessOrEqual(t, fifty, 75, "an answer is fresh for 10 s, up to a fifth less")
}

// Whoever says nothing is closed when three seconds are over, and not before.
// Whoever left is watched for no more: nothing is looked up for a stream that has ended.
func TestNothingIsLookedUpForWhoLeft(t *testing.T) {
	t.Parallel()
	timely(t, func(t *testing.T, s *lively) {
		lookups := func() int64 { // of an invalidation
			before := s.order.now.Load()
			s.order.struck.Store(0)
			require.NoError(t, s.cache.Invalidate(t.Context(), commerce.TagStock("MUG-RED")))
			time.Sleep(time.Second)
			assert.Less(t, before, s.order.now.Load(), "it was seen")
			return s.order.struck.Load()
		}
		events := s.watch(t, stockQuery, redMug)
		require.Equal(t, "next", events.next(t).name)
		assert.EqualValues(t, 1, lookups())
		events.close()
		time.Sleep(time.Minute) // by then it was seen that the client is gone
		assert.Zero(t, lookups())
	})
}

func TestW14_ASocketHasThreeSecondsToSayWhoItIs(t *testing.T) {
	t.Parallel()
	timely(t, func(t *testing.T, s *lively) {
		began := time.Now()
		p, _, err := s.dial(t, nil, "graphql-transport-ws")
		require.NoError(t, err)
		assert.Equal(t, websocket.StatusCode(4408), p.closed(t))
		assert.Equal(t, 3*time.Second, time.Since(began))
	})
}
