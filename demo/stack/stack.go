// Package stack runs the sandbox and both channels in one process.
package stack

import (
	"context"
	"errors"
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

	server   *sandbox.Server
	web      *bffweb.App
	mobile   *bffmobile.App
	cancel   context.CancelFunc
	channels errgroup.Group // both channels: they stop first …
	upstream errgroup.Group // … and the systems they may still be asking last
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
	if err := s.open(ctx, settings); err != nil {
		return nil, err
	}
	return s, s.run(ctx)
}

// open makes both channels, neither of which listens yet.
func (s *Stack) open(ctx context.Context, settings []string) error {
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
	upstream, stopUpstream := context.WithCancel(context.WithoutCancel(ctx))
	s.upstream.Go(func() error {
		defer s.cancel()
		return s.server.Serve(upstream)
	})
	for _, serve := range []func(context.Context) error{s.web.Serve, s.mobile.Serve} {
		s.channels.Go(func() error {
			defer s.cancel() // one that fails takes the other along
			return serve(ctx)
		})
	}
	s.upstream.Go(func() error {
		defer stopUpstream()
		return s.channels.Wait()
	})
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	for _, ready := range []<-chan struct{}{s.web.Ready(), s.mobile.Ready(), reachable(ctx, s.Sandbox)} {
		select {
		case <-ready:
		case <-ctx.Done():
			return s.Wait()
		case <-deadline.C:
			return errors.Join(fmt.Errorf("not listening after %s", startTimeout), s.Stop())
		}
	}
	s.Web, s.WebAdmin = "http://"+s.web.Addr(), "http://"+s.web.AdminAddr()
	s.Mobile, s.MobileAdmin = "http://"+s.mobile.Addr(), "http://"+s.mobile.AdminAddr()
	return nil
}

// Wait answers when everything has stopped.
func (s *Stack) Wait() error { return s.upstream.Wait() }

// Stop ends everything gracefully, the systems last, and waits for it.
func (s *Stack) Stop() error {
	s.cancel()
	return s.Wait()
}

// World is the sandbox's server, for tests that look behind the wire.
func (s *Stack) World() *sandbox.Server { return s.server }

// reachable is closed once url answers.
func reachable(ctx context.Context, url string) <-chan struct{} {
	done := make(chan struct{})
	once := &http.Transport{DisableKeepAlives: true}
	go func() {
		for ctx.Err() == nil {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/_sandbox/jwks.json", nil)
			if err != nil {
				return
			}
			if res, err := once.RoundTrip(req); err == nil {
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
