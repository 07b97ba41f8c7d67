package graphhttp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/bff-web/internal/live"
	"github.com/portico-bff/portico/edge/watch"
	"github.com/portico-bff/portico/schema/commerce"
)

// Live is what subscriptions need beside what queries do.
type Live struct {
	Desk    *live.Desk    // nil: there are no subscriptions
	Timeout time.Duration // of reading a value once
	// Verify tells who sent an Authorization header: a subscription ends with its session.
	Verify func(ctx context.Context, authorization string) (commerce.Principal, error)
	// Market resolves where a WebSocket's client shops, by what it says in the names of headers.
	Market func(http.Header) (commerce.Market, error)
	// Address is where a request comes from, for the bound of those who are not signed in.
	Address func(*http.Request) string
	// Stay has a stream run once what let it in has returned, on a stack that is small.
	Stay func(ctx context.Context, run func())
	// Ended is told why a stream, or a connection, ended.
	Ended func(ctx context.Context, why string)
}

const (
	// beatEvery is how often a stream without news says that it lives: proxies cut what is
	// silent for a minute, and who is gone is found out.
	beatEvery = 15 * time.Second
	// takeIn is how long a client may take for what is sent; then it is dropped, since
	// nothing is kept for it.
	takeIn = 4 * time.Second
	// gapReread is about how soon a value that could not be had, or is not fresh, is read again.
	gapReread = 5 * time.Second
)

// subscription is an operation that was let in.
type subscription struct {
	*Transport
	exec          graphql.GraphExecutor
	oc            *graphql.OperationContext // nothing was executed in it
	cost          any                       // see [costKey]; nil where it is known of the document
	root          string                    // response key of the one field
	tags          []commerce.Tag
	authorization string // of who asks; empty: nobody is signed in

	known [sha256.Size]byte // of what was sent last
	spoke time.Time         // when something was sent last
}

// sink is where answers go. Each call waits until the client has taken it, or fails.
type sink struct {
	next func(body []byte) error
	beat func() error // nil: the connection sees to that itself
}

// subscribe makes a subscription of an operation that was checked.
func (t *Transport) subscribe(exec graphql.GraphExecutor, oc *graphql.OperationContext, authorization string) (*subscription, error) {
	field, tags, err := graph.Watched(oc, t.Ports.Traits)
	if err != nil {
		return nil, err
	}
	return &subscription{
		Transport: t, exec: exec, oc: again(oc), cost: oc.Stats.GetExtension(costKey),
		root: field.Alias, tags: tags, authorization: authorization,
	}, nil
}

// run sends the value as it is and then each time that it differs, until there is nothing
// left to watch, or nobody who does. It answers why it ended, and an error that the client
// is to be told.
func (s *subscription) run(ctx context.Context, to sink) (why string, err error) {
	watcher := s.Live.Desk.Hub().Watch(s.tags)
	defer watcher.Close()
	s.spoke = time.Now()
	for {
		did := s.step(ctx, to)
		if did.why != "" {
			return did.why, did.err
		}
		if why, err = s.wait(ctx, watcher, did.gap, to); why != "" {
			return why, err
		}
	}
}

// step is what came of reading the value once, and sending it if it differs.
type step struct {
	why string // it ended the subscription; empty: it goes on
	err error  // what the client is told of that
	gap bool   // part of the value is missing or not fresh
}

// step reads and sends beside the subscription's own goroutine, which waits for it: what
// waits for hours is to take little memory.
func (s *subscription) step(ctx context.Context, to sink) step {
	came := make(chan step, 1)
	go func() { // reading and sending have their deadlines
		var did step
		defer func() {
			if p := recover(); p != nil {
				err := &load.Panic{Value: p, Stack: debug.Stack()}
				if s.Fault != nil {
					s.Fault(ctx, err)
				}
				did = step{why: live.Failed, err: err}
			}
			came <- did
		}()
		did = s.stepNow(ctx, to)
	}()
	return <-came
}

func (s *subscription) stepNow(ctx context.Context, to sink) step {
	v, err := s.read(ctx)
	switch {
	case ctx.Err() != nil:
		return step{why: live.Gone}
	case errors.Is(err, commerce.ErrUnauthenticated) || sessionOver(ctx):
		return step{why: live.SignedOut, err: commerce.ErrUnauthenticated}
	case err != nil:
		return step{why: live.Failed, err: err}
	}
	if v.sum != s.known {
		if err := to.next(v.body); err != nil {
			return step{why: unsent(err)}
		}
		s.spoke = time.Now()
		s.known = v.sum
		s.Live.Desk.Sent()
	}
	if v.none {
		return step{why: live.Completed}
	}
	return step{gap: v.gap}
}

// wait waits until the value is to be read again; why is empty then.
func (s *subscription) wait(ctx context.Context, watcher *watch.Watcher, gap bool, to sink) (why string, err error) {
	stands := s.Live.Desk.Reread()
	if gap {
		stands = min(stands, live.Spread(gapReread))
	}
	reread, session := time.Now().Add(stands), caller.Principal(ctx).Expires
	for {
		next, beats := earlier(reread, session), false
		if beat := s.spoke.Add(beatEvery); to.beat != nil && beat.Before(next) {
			next, beats = beat, true
		}
		clock := time.NewTimer(time.Until(next))
		select {
		case <-clock.C:
		case <-watcher.Woken():
			clock.Stop()
			return "", nil
		case <-s.Live.Desk.Ending():
			clock.Stop()
			return live.Stopped, nil
		case <-ctx.Done():
			clock.Stop()
			return live.Gone, nil
		}
		switch {
		case sessionOver(ctx):
			return live.SignedOut, commerce.ErrUnauthenticated
		case !beats:
			return "", nil
		}
		if err := to.beat(); err != nil {
			return unsent(err), nil
		}
		s.spoke = time.Now()
	}
}

// unsent is why something could not be sent: the client took too long, or it left.
func unsent(err error) string {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return live.Slow
	}
	return live.Gone
}

// sessionOver tells whether the time of who asks has come.
func sessionOver(ctx context.Context) bool {
	at := caller.Principal(ctx).Expires
	return !at.IsZero() && !time.Now().Before(at)
}

// earlier is the earlier of two times, of which the second may be none.
func earlier(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// value is what a subscription is answered.
type value struct {
	body []byte
	sum  [sha256.Size]byte // equal for answers between which a client sees no difference
	gap  bool              // part of it is missing or not fresh
	none bool              // there is nothing to watch
}

// read reads the value once, in its turn.
func (s *subscription) read(ctx context.Context) (value, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Live.Timeout)
	defer cancel()
	if at := caller.Principal(ctx).Expires; !at.IsZero() {
		var end context.CancelFunc
		ctx, end = context.WithDeadline(ctx, at)
		defer end()
	}
	done, err := s.Live.Desk.Turn(ctx)
	if err != nil {
		return s.unread(ctx), nil
	}
	defer done()
	if err := s.stillSignedIn(ctx); err != nil {
		return value{}, err
	}
	oc := s.operation()
	var v value
	s.execute(ctx, s.exec, oc, func(_ context.Context, made outcome) {
		if made.response != nil {
			v = s.valueOf(made)
		}
	})
	if v.body == nil {
		v = s.unread(ctx)
	}
	return v, nil
}

// stillSignedIn is [commerce.ErrUnauthenticated] once the session is over. That the
// issuer's keys cannot be had right now ends nobody's.
func (s *subscription) stillSignedIn(ctx context.Context) error {
	if s.authorization == "" {
		return nil
	}
	now, err := s.Live.Verify(ctx, s.authorization)
	if errors.Is(err, commerce.ErrUnauthenticated) || err == nil && now.Key() != caller.Principal(ctx).Key() {
		return commerce.ErrUnauthenticated
	}
	return nil
}

// operation is the operation for one execution.
func (s *subscription) operation() *graphql.OperationContext {
	oc := again(s.oc)
	if s.cost != nil {
		oc.Stats.SetExtension(costKey, s.cost)
	}
	return oc
}

// again is an operation as it was before anything was found out about it.
func again(of *graphql.OperationContext) *graphql.OperationContext {
	return &graphql.OperationContext{
		RawQuery: of.RawQuery, Variables: of.Variables, OperationName: of.OperationName, Doc: of.Doc, Operation: of.Operation,
		DisableIntrospection: of.DisableIntrospection, RecoverFunc: of.RecoverFunc,
		ResolverMiddleware: of.ResolverMiddleware, RootResolverMiddleware: of.RootResolverMiddleware,
	}
}

// unread is the answer when the value was not read in time.
func (s *subscription) unread(ctx context.Context) value {
	shown := graph.Public(ctx, commerce.ErrTimeout)
	return s.valueOf(outcome{response: &graphql.Response{Errors: gqlerror.List{shown}, Data: s.null()}})
}

func (s *subscription) null() []byte { return []byte(`{"` + s.root + `":null}`) }

// valueOf is an execution's outcome as it is sent.
func (s *subscription) valueOf(made outcome) value {
	response := made.response
	h := sha256.New()
	h.Write(response.Data)
	for _, err := range response.Errors {
		_, _ = fmt.Fprintf(h, "\x00%s\x00%v", err.Path, err.Extensions["code"]) // a hash never fails
	}
	for _, r := range made.freshness {
		_, _ = fmt.Fprintf(h, "\x00%s\x00%s", r.Path, r.State)
	}
	v := value{gap: len(response.Errors)+len(made.freshness) > 0}
	h.Sum(v.sum[:0])
	v.body, _ = render(made.document())
	v.none = !v.gap && bytes.Equal(response.Data, s.null())
	return v
}

// answerOf is the one answer of a subscription's execution. Where the value could not be
// read, it is null, with the error: what is watched may come back.
func answerOf(ctx context.Context, oc *graphql.OperationContext, responses graphql.ResponseHandler) *graphql.Response {
	fields := graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) != 1 {
		return responses(ctx)
	}
	// The executor leaves the root out of the paths of what is below it.
	response := responses(graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Subscription", Field: fields[0]}))
	if response != nil && response.Data == nil {
		response.Data = []byte(`{"` + fields[0].Alias + `":null}`)
	}
	return response
}
