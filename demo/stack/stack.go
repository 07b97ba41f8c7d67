// Package stack runs the sandbox and both channels in one process.
package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	bffmobile "github.com/portico-bff/portico/bff-mobile"
	bffweb "github.com/portico-bff/portico/bff-web"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/schema/commerce"
)

// Stack is the running demo.
type Stack struct {
	Sandbox, Web, Mobile  string // base URLs: "http://127.0.0.1:8080"
	WebAdmin, MobileAdmin string

	server   *sandbox.Server
	web      *bffweb.App
	mobile   *bffmobile.App
	cancel   context.CancelFunc // stops the channels …
	shut     context.CancelFunc // … and the systems they may still be asking
	channels errgroup.Group
	upstream errgroup.Group
}

// startTimeout is how long a server may take to listen.
const startTimeout = time.Minute

// Start starts everything and returns once all of it listens. environ, a list of
// KEY=VALUE, overrides the demo's settings. The stack runs until ctx ends; when
// that happens before everything listens, the error is ctx's.
func Start(ctx context.Context, environ []string) (*Stack, error) {
	s := &Stack{}
	ctx, s.cancel = context.WithCancel(ctx)
	if err := s.start(ctx, environ); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context, environ []string) error {
	if err := s.imitate(ctx, lookup(environ, "SANDBOX_ADDR", "127.0.0.1:8090")); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	settings := append(defaults(s.Sandbox), environ...)
	if err := s.openWeb(ctx, listeningAt(settings, "EVENTS_ADDR", lookup(environ, "EVENTS_ADDR", anyPort))); err != nil {
		return fmt.Errorf("web: %w", err)
	}
	if err := s.openMobile(ctx, listeningAt(settings, "EVENTS_ADDR", anyPort)); err != nil {
		return fmt.Errorf("mobile: %w", err)
	}
	return s.tellChanges(settings)
}

// anyPort is where a channel of the demo takes change events: only the sandbox has to know.
const anyPort = "127.0.0.1:0"

// listeningAt is settings with one more.
func listeningAt(settings []string, key, addr string) []string {
	return append(slices.Clip(settings), key+"="+addr)
}

// tellChanges has the imitated systems tell both channels what changes. With Redis
// the second one knows already; without, each has a cache of its own.
func (s *Stack) tellChanges(settings []string) error {
	secret, _, _ := strings.Cut(lookup(settings, "EVENTS_SECRET", ""), ",")
	var urls []string
	for _, service := range []*events.Service{s.web.Backend().Events, s.mobile.Backend().Events} {
		urls = append(urls, "http://"+service.Addr()+"/events")
	}
	return s.server.SendEvents(commerce.Secret(secret), urls...)
}

// defaults point both channels at the sandbox. They share one key for guests'
// order tokens and one for change events, as the nodes of a company do.
func defaults(base string) []string {
	return append(sandbox.Environ(base), "PORTICO_MODE=development", "WEB_OPEN_QUERIES=true", "WEB_DEMO_URL="+base, "MOBILE_DEMO_URL="+base, "PIM_THUMBNAILS="+sandbox.Thumbnails,
		"ORDER_TOKEN_KEY="+rand.Text()+rand.Text(), "EVENTS_SECRET="+rand.Text()+rand.Text())
}

// imitate serves the systems until the channels have stopped.
func (s *Stack) imitate(ctx context.Context, addr string) error {
	server, err := sandbox.New(sandbox.Config{Addr: addr})
	if err != nil {
		return err
	}
	s.server = server
	upstream, shut := context.WithCancel(context.WithoutCancel(ctx))
	s.shut = shut
	s.upstream.Go(func() error {
		defer s.cancel()
		return server.Serve(upstream)
	})
	if err := listening(ctx, server.Ready()); err != nil {
		return err
	}
	s.Sandbox = "http://" + server.Addr()
	return nil
}

func (s *Stack) openWeb(ctx context.Context, settings []string) error {
	cfg, err := bffweb.Load(settings)
	if err != nil {
		return err
	}
	if cfg.Manifests, err = documents(); err != nil {
		return fmt.Errorf("documents: %w", err)
	}
	if s.web, err = bffweb.New(ctx, cfg); err != nil {
		return err
	}
	s.serve(ctx, s.web.Serve)
	if err := listening(ctx, s.web.Ready()); err != nil {
		return err
	}
	s.Web, s.WebAdmin = "http://"+s.web.Addr(), "http://"+s.web.AdminAddr()
	return nil
}

func (s *Stack) openMobile(ctx context.Context, settings []string) error {
	cfg, err := bffmobile.Load(settings)
	if err != nil {
		return err
	}
	if s.mobile, err = bffmobile.New(ctx, cfg); err != nil {
		return err
	}
	s.serve(ctx, s.mobile.Serve)
	if err := listening(ctx, s.mobile.Ready()); err != nil {
		return err
	}
	s.Mobile, s.MobileAdmin = "http://"+s.mobile.Addr(), "http://"+s.mobile.AdminAddr()
	return nil
}

// serve runs a channel; one that ends takes the other along.
func (s *Stack) serve(ctx context.Context, channel func(context.Context) error) {
	s.channels.Go(func() error {
		defer s.cancel()
		return channel(ctx)
	})
}

func listening(ctx context.Context, ready <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("not listening: %w", ctx.Err())
	}
}

// Wait answers when everything has stopped: the channels first, then the systems.
func (s *Stack) Wait() error {
	err := s.channels.Wait()
	s.shut()
	return errors.Join(err, s.upstream.Wait())
}

// Stop ends everything gracefully and waits for it.
func (s *Stack) Stop() error {
	s.cancel()
	if s.shut == nil {
		return nil
	}
	return s.Wait()
}

// Server is the sandbox, for tests that look behind the wire.
func (s *Stack) Server() *sandbox.Server { return s.server }

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
