// Command bff-mobile serves the mobile channel. With -health it asks a running
// one how it is, for container health checks.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	bffmobile "github.com/portico-bff/portico/bff-mobile"
)

func main() {
	health := flag.Bool("health", false, "ask the running channel's /healthz and exit 0 when it is well")
	flag.Parse()
	if err := run(*health); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(health bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg, err := bffmobile.Load(os.Environ())
	if err != nil {
		return err
	}
	if health {
		return ask(ctx, "http://"+cfg.Channel.AdminAddr+"/healthz")
	}
	app, err := bffmobile.New(ctx, cfg)
	if err != nil {
		return err
	}
	app.Backend().PaceGC(os.Environ())
	return app.Serve(ctx)
}

const healthTimeout = 2 * time.Second

func ask(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	if err := res.Body.Close(); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return errors.New("unhealthy: " + res.Status)
	}
	return nil
}
