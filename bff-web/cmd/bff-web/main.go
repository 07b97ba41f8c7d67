// Command bff-web serves the web channel.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	bffweb "github.com/portico-bff/portico/bff-web"
)

func main() {
	health := flag.Bool("health", false, "ask a running process whether it lives, and exit 0 if it does")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *health)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, health bool) error {
	cfg, err := bffweb.Load(os.Environ())
	if err != nil {
		return err
	}
	if health {
		return probe(ctx, cfg.Listen.AdminAddr)
	}
	app, err := bffweb.New(ctx, cfg)
	if err != nil {
		return err
	}
	app.Backend().PaceGC(os.Environ())
	return app.Serve(ctx)
}

// probe asks the admin address, for a container's health check.
func probe(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/healthz", nil)
	if err != nil {
		return err
	}
	client := http.Client{}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", addr, res.Status)
	}
	return nil
}
