package bffmobile

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/bff-mobile/internal/web"
)

// running is what is known once the channel listens.
type running struct {
	ready       chan struct{}
	once        sync.Once
	addr, admin string
}

func newRunning() running { return running{ready: make(chan struct{})} }

// Ready is closed once the channel listens.
func (a *App) Ready() <-chan struct{} { return a.ready }

// Addr is where the channel listens; valid once it is ready.
func (a *App) Addr() string { return a.addr }

// AdminAddr is where the operators' endpoints listen; valid once the channel is ready.
func (a *App) AdminAddr() string { return a.admin }

const (
	adminHeaderTimeout = 2 * time.Second
	adminTimeout       = 30 * time.Second
)

// Serve listens on both addresses until ctx ends, then stops gracefully: not
// ready first, then no new connections, then what is in flight is finished. It
// answers nil after that, and may be called once.
func (a *App) Serve(ctx context.Context) error {
	public, admin, err := a.listen(ctx)
	if err != nil {
		return errors.Join(err, a.backend.Close(context.WithoutCancel(ctx)))
	}
	operators := &http.Server{
		Handler: a.backend.Admin(), ReadHeaderTimeout: adminHeaderTimeout, ReadTimeout: adminTimeout,
		WriteTimeout: adminTimeout, IdleTimeout: adminTimeout,
	}
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.backend.Events.Serve(gctx) })
	group.Go(func() error { return web.Serve(a.server, public) })
	group.Go(func() error {
		if err := operators.Serve(admin); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-gctx.Done()
		return a.stop(context.WithoutCancel(ctx), operators)
	})
	a.addr, a.admin = public.Addr().String(), admin.Addr().String()
	a.once.Do(func() { close(a.ready) })
	err = group.Wait()
	a.gate.Close()
	return errors.Join(err, a.backend.Close(context.WithoutCancel(ctx)))
}

func (a *App) listen(ctx context.Context) (public, admin net.Listener, err error) {
	var lc net.ListenConfig
	if public, err = lc.Listen(ctx, "tcp", a.config.Addr); err != nil {
		return nil, nil, err
	}
	if admin, err = lc.Listen(ctx, "tcp", a.config.AdminAddr); err != nil {
		return nil, nil, errors.Join(err, public.Close())
	}
	if err = a.backend.Events.Listen(ctx); err != nil {
		return nil, nil, errors.Join(err, public.Close(), admin.Close())
	}
	return public, admin, nil
}

// stop drains: load balancers see that the channel is not ready while it still
// answers, then connections end.
func (a *App) stop(ctx context.Context, operators *http.Server) error {
	a.backend.Drain()
	limits := a.backend.Config.Limits
	if limits.DrainDelay > 0 {
		delay := time.NewTimer(limits.DrainDelay)
		defer delay.Stop()
		<-delay.C
	}
	ctx, cancel := context.WithTimeout(ctx, limits.DrainTimeout)
	defer cancel()
	return errors.Join(a.server.ShutdownWithContext(ctx), operators.Shutdown(ctx))
}
