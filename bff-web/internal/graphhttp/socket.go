package graphhttp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/bff-web/internal/live"
	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/schema/commerce"
)

// socketProtocol is the one subprotocol: the one of the npm package graphql-ws.
const socketProtocol = "graphql-transport-ws"

const (
	// initWithin is how soon after the connection its client has to say who it is.
	initWithin = 3 * time.Second
	// forever is longer than any connection lasts.
	forever = 10 * 365 * 24 * time.Hour
	// mostOnSocket is how many subscriptions one connection has at once.
	mostOnSocket = 100
)

// Why a socket is closed, as the protocol numbers it.
const (
	closeBadMessage   websocket.StatusCode = 4400
	closeUnauthorized websocket.StatusCode = 4401
	closeForbidden    websocket.StatusCode = 4403
	closeNoProtocol   websocket.StatusCode = 4406
	closeInitLate     websocket.StatusCode = 4408
	closeSameID       websocket.StatusCode = 4409
	closeInitTwice    websocket.StatusCode = 4429
)

// goodbye is a reason to close a socket.
type goodbye struct {
	code   websocket.StatusCode
	reason string
}

func (g *goodbye) Error() string { return g.reason }

// socket is one connection. Its reader is the only one who opens subscriptions.
type socket struct {
	*Transport

	exec   graphql.GraphExecutor
	conn   *websocket.Conn
	asked  *http.Request   // the request that became the socket
	ctx    context.Context //nolint:containedctx // of the connection, which outlasts its request's deadline
	cancel context.CancelFunc

	visitor chan commerce.Principal // holds who asks, once that is known
	why     atomic.Pointer[string]  // it ended by us, in a word; nil: its client left

	// The reader's, and of those whom it starts.
	who   context.Context //nolint:containedctx // ctx with who asks and where; nil until that is known
	token string          // the Authorization that says so

	mu     sync.Mutex
	open   map[string]*admitted // subscriptions by the client's id
	ending bool                 // nothing is opened any more
	work   sync.WaitGroup       // one for each of open, until it has been told
}

// Sockets answers requests to go on as a WebSocket, whose origin was looked at before.
func (t *Transport) Sockets(exec graphql.GraphExecutor) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		over, err := t.Live.Desk.Connect()
		if err != nil {
			out := writer{ResponseWriter: w, mediaType: jsonType}
			out.refuse(r.Context(), notLetIn(err))
			return
		}
		defer over()
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
			Subprotocols: []string{socketProtocol}, InsecureSkipVerify: true, // of the origin: our own list counts
		})
		if err != nil {
			return // it has been answered
		}
		conn.SetReadLimit(limits.MaxGraphQLBody)
		s := &socket{Transport: t, exec: exec, conn: conn, asked: r, visitor: make(chan commerce.Principal, 1), open: map[string]*admitted{}}
		s.ctx, s.cancel = context.WithCancel(requestid.With(context.Background(), requestid.From(r.Context())))
		s.serve()
	})
}

// serve reads until the connection ends, and waits for all that it opened.
func (s *socket) serve() {
	var supervisor sync.WaitGroup
	supervisor.Go(s.supervise)
	err := error(&goodbye{closeNoProtocol, "Subprotocol not acceptable"})
	if s.conn.Subprotocol() == socketProtocol {
		err = s.read()
	}
	if g, ok := errors.AsType[*goodbye](err); ok {
		s.end(g.code, g.reason)
	}
	s.cancel()
	s.work.Wait()
	supervisor.Wait()
	_ = s.conn.CloseNow()
	s.because(live.Gone)
	s.Live.Ended(s.asked.Context(), *s.why.Load())
}

// supervise ends the connection when its time has come, and finds out when its client is gone.
func (s *socket) supervise() {
	began := time.NewTimer(initWithin)
	defer began.Stop()
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	session := time.NewTimer(forever)
	defer session.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case p := <-s.visitor:
			began.Stop()
			if !p.Expires.IsZero() {
				session.Reset(time.Until(p.Expires))
			}
		case <-began.C:
			s.end(closeInitLate, "Connection initialisation timeout")
			return
		case <-session.C:
			s.settle() // each has its own end with the session, and tells it
			s.end(closeUnauthorized, "the session is over")
			return
		case <-s.Live.Desk.Ending():
			s.settle() // each is completed
			s.end(websocket.StatusGoingAway, "the node is about to stop")
			return
		case <-beat.C:
			if err := s.ping(); err != nil {
				s.cut(err, live.Silent)
				return
			}
		}
	}
}

// settle waits for what is open, and has nothing opened any more.
func (s *socket) settle() {
	s.mu.Lock()
	s.ending = true
	s.mu.Unlock()
	s.work.Wait()
}

// end closes the connection, whether its client hears it or not.
func (s *socket) end(code websocket.StatusCode, reason string) {
	s.because(strconv.Itoa(int(code)))
	_ = s.conn.Close(code, reason)
}

// cut ends the connection of a client that left, or was late: nothing is kept for it.
func (s *socket) cut(err error, late string) {
	if unsent(err) == live.Slow {
		s.because(late)
	}
	_ = s.conn.CloseNow()
}

// because notes why the connection ends, unless that is known.
func (s *socket) because(why string) { s.why.CompareAndSwap(nil, &why) }

func (s *socket) ping() error {
	ctx, cancel := context.WithTimeout(s.ctx, takeIn)
	defer cancel()
	return s.conn.Ping(ctx)
}

// message is one of the protocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// read takes messages until the connection ends.
func (s *socket) read() error {
	for {
		kind, data, err := s.conn.Read(s.ctx)
		if err != nil {
			return err
		}
		var m message
		if kind != websocket.MessageText || json.Unmarshal(data, &m) != nil {
			return &goodbye{closeBadMessage, "Invalid message"}
		}
		if err := s.take(m); err != nil {
			return err
		}
	}
}

func (s *socket) take(m message) error {
	switch m.Type {
	case "connection_init":
		return s.begin(m)
	case "ping":
		return s.write(message{Type: "pong", Payload: m.Payload})
	case "pong":
		return nil
	case "subscribe":
		return s.subscribeTo(m)
	case "complete":
		s.mu.Lock()
		a := s.open[m.ID]
		delete(s.open, m.ID)
		s.mu.Unlock()
		if a != nil {
			a.leave()
		}
		return nil
	default:
		return &goodbye{closeBadMessage, "Invalid message"}
	}
}

// write sends a message, which the client has to take in time.
func (s *socket) write(m message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, takeIn)
	defer cancel()
	err = s.conn.Write(ctx, websocket.MessageText, text)
	if err != nil {
		s.cut(err, live.Slow)
	}
	return err
}

// begin finds out who asks and where, from what the client says first: browsers cannot set a
// WebSocket's headers.
func (s *socket) begin(m message) error {
	if s.who != nil {
		return &goodbye{closeInitTwice, "Too many initialisation requests"}
	}
	ctx, cancel := context.WithTimeout(s.ctx, initWithin)
	defer cancel()
	said, err := saidOf(m.Payload, s.asked.Header)
	if err != nil {
		return &goodbye{closeBadMessage, "the payload of connection_init must be an object of texts"}
	}
	p, err := s.Live.Verify(ctx, said.Get("Authorization"))
	if errors.Is(err, commerce.ErrUnauthenticated) {
		return &goodbye{closeUnauthorized, "Unauthorized"}
	}
	if err != nil {
		return &goodbye{websocket.StatusTryAgainLater, "who asks cannot be found out now"}
	}
	market, err := s.Live.Market(said)
	if err != nil {
		return &goodbye{closeForbidden, "no such channel, currency or country"}
	}
	s.token = said.Get("Authorization")
	caller.Client(s.asked.Context()).As(p)
	s.who = caller.WithMarket(caller.WithPrincipal(s.ctx, p), market)
	s.visitor <- p
	return s.write(message{Type: "connection_ack"})
}

// saidOf is what a client says of itself: by the payload of connection_init, in the names of
// headers, or else by the headers of the request.
func saidOf(payload json.RawMessage, header http.Header) (http.Header, error) {
	said := http.Header{}
	for _, name := range []string{"Authorization", "X-Channel", "Accept-Language", "X-Currency", "X-Country"} {
		said[name] = header[name]
	}
	if len(payload) == 0 || string(payload) == "null" {
		return said, nil
	}
	var sent map[string]any
	if err := json.Unmarshal(payload, &sent); err != nil {
		return nil, err
	}
	for name, value := range sent {
		name = http.CanonicalHeaderKey(name)
		if _, ours := said[name]; !ours || value == nil {
			continue // clients send what is for others, too
		}
		text, ok := value.(string)
		if !ok {
			return nil, errNoText
		}
		said.Set(name, text)
	}
	return said, nil
}

var errNoText = errors.New("must be a text")

// subscribeTo opens a subscription, or tells why not.
func (s *socket) subscribeTo(m message) error {
	if s.who == nil {
		return &goodbye{closeUnauthorized, "Unauthorized"}
	}
	if m.ID == "" {
		return &goodbye{closeBadMessage, "Invalid message"}
	}
	if err := s.room(m.ID); err != nil {
		return s.refuse(m.ID, err)
	}
	a, err := s.admit(m.Payload)
	if err != nil {
		return s.refuse(m.ID, err)
	}
	if !s.opened(m.ID, a) {
		a.over(live.Stopped)
		a.leave()
		return s.refuse(m.ID, notLetIn(live.ErrEnding))
	}
	go func() { // waited for by work
		defer s.work.Done()
		defer a.leave()
		why, err := a.sub.run(a.ctx, sink{next: func(body []byte) error {
			return s.write(message{ID: m.ID, Type: "next", Payload: body})
		}})
		a.over(why)
		s.done(m.ID, a, why, err)
	}()
	return nil
}

// opened notes a subscription, unless the connection ends.
func (s *socket) opened(id string, a *admitted) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return false
	}
	s.open[id] = a
	s.work.Add(1)
	return true
}

// room is why no subscription of this id can be opened now.
func (s *socket) room(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.open[id] != nil:
		return &goodbye{closeSameID, "Subscriber for " + clip(id) + " already exists"}
	case s.ending:
		return notLetIn(live.ErrEnding)
	case len(s.open) >= mostOnSocket:
		return errSocketFull
	}
	return nil
}

// done tells the client that a subscription ended, unless it was the one who ended it.
func (s *socket) done(id string, a *admitted, why string, err error) {
	s.mu.Lock()
	if s.open[id] == a { // else the client has completed it, and may use the id again
		delete(s.open, id)
	}
	s.mu.Unlock()
	switch {
	case why == live.Gone || why == live.Slow: // nobody hears it
	case err != nil:
		_ = s.tell(id, gqlerror.List{endOf(s.who, err)}) // a client that left is no one's error
	default:
		_ = s.write(message{ID: id, Type: "complete"})
	}
}

// refuse tells why nothing is opened. What breaks the protocol ends the connection.
func (s *socket) refuse(id string, err error) error {
	if g, ok := errors.AsType[*goodbye](err); ok {
		return g
	}
	if own, ok := errors.AsType[gqlerror.List](err); ok {
		return s.tell(id, own)
	}
	_, shown := shownOf(s.who, err)
	return s.tell(id, gqlerror.List{shown})
}

func (s *socket) tell(id string, errs gqlerror.List) error {
	text, err := json.Marshal(errs)
	if err != nil {
		return err
	}
	return s.write(message{ID: id, Type: "error", Payload: text})
}

var (
	errSocketFull = &refusal{http.StatusTooManyRequests, "SUBSCRIPTION_LIMIT", "a connection has at most 100 subscriptions at once", ""}
	errNotLive    = &refusal{http.StatusBadRequest, "SUBSCRIPTIONS_ONLY", "a WebSocket is for subscriptions: use POST for whatever is none", "query"}
)
