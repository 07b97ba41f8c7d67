// Package stack runs the sandbox and both channels in one process.
package stack

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	bffmobile "github.com/portico-bff/portico/bff-mobile"
	bffweb "github.com/portico-bff/portico/bff-web"
	"github.com/portico-bff/portico/connectors/sandbox"
)

// Stack is the running demo.
type Stack struct {
	Sandbox, Web, Mobile  string // base URLs: "http://127.0.0.1:8080"
	WebAdmin, MobileAdmin string
	group                 *errgroup.Group
	cancel                context.CancelFunc
	server                *sandbox.Server
	web                   *bffweb.App
	mobile                *bffmobile.App
}

// startTimeout is how long the three servers may take to listen.
const startTimeout = 10 * time.Second

// Start starts everything and returns once all of it listens. environ, a list of
// KEY=VALUE, overrides the demo's settings. The stack runs until ctx ends.
func Start(ctx context.Context, environ []string) (*Stack, error) {
	sandboxAddr, err := listenable(lookup(environ, "SANDBOX_ADDR", "127.0.0.1:8090"))
	if err != nil {
		return nil, err
	}
	s := &Stack{Sandbox: "http://" + sandboxAddr}
	if s.server, err = sandbox.New(sandbox.Config{Addr: sandboxAddr}); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	settings := append(append([]string{"PORTICO_MODE=development"}, sandbox.Environ(s.Sandbox)...), environ...)
	if err := s.channels(ctx, settings); err != nil {
		return nil, err
	}
	return s, s.run(ctx)
}

// channels makes both channels, neither of which listens yet.
func (s *Stack) channels(ctx context.Context, settings []string) error {
	webConfig, err := bffweb.Load(settings)
	if err != nil {
		return fmt.Errorf("web: %w", err)
	}
	mobileConfig, err := bffmobile.Load(settings)
	if err != nil {
		return fmt.Errorf("mobile: %w", err)
	}
	if s.web, err = bffweb.New(ctx, webConfig); err != nil {
		return fmt.Errorf("web: %w", err)
	}
	if s.mobile, err = bffmobile.New(ctx, mobileConfig); err != nil {
		return fmt.Errorf("mobile: %w", err)
	}
	return nil
}

// run serves all three and waits until they listen.
func (s *Stack) run(ctx context.Context) error {
	ctx, s.cancel = context.WithCancel(ctx)
	s.group, ctx = errgroup.WithContext(ctx)
	s.group.Go(func() error { return s.server.Serve(ctx) })
	s.group.Go(func() error { return s.web.Serve(ctx) })
	s.group.Go(func() error { return s.mobile.Serve(ctx) })
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	for _, ready := range []<-chan struct{}{s.web.Ready(), s.mobile.Ready(), reachable(ctx, s.Sandbox)} {
		select {
		case <-ready:
		case <-ctx.Done():
			return s.group.Wait()
		case <-deadline.C:
			s.cancel()
			return fmt.Errorf("not listening after %s: %w", startTimeout, s.group.Wait())
		}
	}
	s.Web, s.WebAdmin = "http://"+s.web.Addr(), "http://"+s.web.AdminAddr()
	s.Mobile, s.MobileAdmin = "http://"+s.mobile.Addr(), "http://"+s.mobile.AdminAddr()
	return nil
}

// Wait answers when everything has stopped.
func (s *Stack) Wait() error { return s.group.Wait() }

// Stop ends everything gracefully and waits for it.
func (s *Stack) Stop() error {
	s.cancel()
	return s.group.Wait()
}

// World is the sandbox's server, for tests that look behind the wire.
func (s *Stack) World() *sandbox.Server { return s.server }

// reachable is closed once url answers.
func reachable(ctx context.Context, url string) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		for ctx.Err() == nil {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/_sandbox/jwks.json", nil)
			if err != nil {
				return
			}
			if res, err := http.DefaultTransport.RoundTrip(req); err == nil {
				_ = res.Body.Close()
				close(done)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return done
}

// listenable turns port 0 into a free port, so that the channels can be told where the sandbox will be.
func listenable(addr string) (string, error) {
	if !strings.HasSuffix(addr, ":0") {
		return addr, nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// lookup is the last value of key in environ, or the default.
func lookup(environ []string, key, def string) string {
	value := def
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok && k == key && v != "" {
			value = v
		}
	}
	return value
}
