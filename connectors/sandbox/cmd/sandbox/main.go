// Command sandbox serves the imitated systems. SANDBOX_ADDR says where
// (127.0.0.1:8090). With -health it asks a running sandbox whether it is well.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/portico-bff/portico/connectors/sandbox"
)

func main() {
	health := flag.Bool("health", false, "ask the running sandbox whether it is well, and exit 0 or 1")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var cfg sandbox.Config
	err := env.Parse(&cfg)
	if err == nil && *health {
		err = ask(ctx, cfg.Addr)
	} else if err == nil {
		err = serve(ctx, cfg)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1) //nolint:gocritic // stop has nothing left to do
	}
}

func serve(ctx context.Context, cfg sandbox.Config) error {
	server, err := sandbox.New(cfg)
	if err != nil {
		return err
	}
	return server.Serve(ctx)
}

// ask wants 200 from a sandbox at addr, which may listen on all interfaces.
func ask(ctx context.Context, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, port) + "/_sandbox/healthz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("health: %s", res.Status)
	}
	return nil
}
