// Command figures measures a built demo from outside and prints a table: start-up,
// memory, upstream calls of a list, bytes of each screen against the bytes its
// upstreams sent, latency cold and warm. `make figures` builds and runs it. With
// -faults it measures instead what clients get while the systems fail: `make faults`;
// with -dark what is left when all of them, or Redis, are gone after a while of
// browsing: `make dark`.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	environment "github.com/portico-bff/portico/connectors/sandbox"
)

func main() {
	demo := flag.String("demo", "bin/demo", "the built demo")
	failing := flag.Duration("faults", 0, "how long to measure each way the systems fail; 0 measures the rest instead")
	gone := flag.Duration("dark", 0, "how long to browse before everything goes dark, and as long after it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute+time.Duration(len(weathers))*(*failing+10*time.Second)+4*(*gone))
	defer cancel()
	measure := func() error { return run(ctx, *demo, nil, startUp, listCalls, screenBytes, latencies, memory) }
	if *failing > 0 {
		measure = func() error { return faults(ctx, *demo, *failing) }
	}
	if *gone > 0 {
		measure = func() error { return errors.Join(dark(ctx, *demo, *gone), withoutRedis(ctx, *demo, *gone)) }
	}
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run launches the demo, with extra settings, and measures it.
func run(ctx context.Context, demo string, environ []string, measures ...func(context.Context, *process) error) error {
	p, err := launch(ctx, demo, environ)
	if err != nil {
		return err
	}
	defer p.stop()
	for _, measure := range measures {
		if err := measure(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// Addresses of the measured demo: not the defaults, so that one that runs already is left alone.
const (
	web     = "http://127.0.0.1:18080"
	mobile  = "http://127.0.0.1:18081"
	sandbox = "http://127.0.0.1:18090"
)

// process is the running demo.
type process struct {
	cmd  *exec.Cmd
	took time.Duration // from start to the first answered query
}

func launch(ctx context.Context, demo string, environ []string) (*process, error) {
	cmd := exec.CommandContext(ctx, demo)
	addr := func(url string) string { return strings.TrimPrefix(url, "http://") }
	cmd.Env = append(os.Environ(), "LOG_LEVEL=error", "SANDBOX_ADDR="+addr(sandbox), "WEB_ADDR="+addr(web),
		"MOBILE_ADDR="+addr(mobile), "WEB_ADMIN_ADDR=127.0.0.1:19080", "MOBILE_ADMIN_ADDR=127.0.0.1:19081")
	cmd.Env = append(cmd.Env, environ...)
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	for ctx.Err() == nil {
		if _, err := query(ctx, `{ product(sku: "BK-R93R-62") { name } }`); err == nil {
			p.took = time.Since(begin)
			return p, nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("the demo did not answer: %w", ctx.Err())
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	_ = p.cmd.Wait()
}

func startUp(_ context.Context, p *process) error {
	fmt.Printf("\nstart to first answered query: %s\n", p.took.Round(time.Millisecond))
	return nil
}

// memory reads what the kernel accounts to the demo, all three servers in it, and to each
// channel's own binary, which lies beside the demo's, after a query.
func memory(ctx context.Context, p *process) error {
	fmt.Println("\nresident memory:")
	if err := resident("demo: sandbox, web and mobile, after all of the above", p.cmd.Process.Pid); err != nil {
		return err
	}
	environ := append(environment.Environ(sandbox), "PORTICO_MODE=development", "WEB_OPEN_QUERIES=true", "LOG_LEVEL=error",
		"WEB_ADDR=127.0.0.1:18180", "WEB_ADMIN_ADDR=127.0.0.1:19180", "MOBILE_ADDR=127.0.0.1:18181", "MOBILE_ADMIN_ADDR=127.0.0.1:19181")
	for name, url := range map[string]string{"bff-web": "http://127.0.0.1:18180/graphql", "bff-mobile": "http://127.0.0.1:18181/v1/screens/home"} {
		body := ""
		if name == "bff-web" {
			body = `{"query":"{ search(first: 20) { nodes { name price { unit { formatted } } } } }"}`
		}
		cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(p.cmd.Path), name))
		cmd.Env = environ
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			return err
		}
		method := map[bool]string{true: "GET", false: "POST"}[body == ""]
		for ctx.Err() == nil {
			if _, err := request(ctx, method, url, body); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		err := resident(fmt.Sprintf("%s alone, %s after its start", name, time.Since(begin).Round(time.Millisecond)), cmd.Process.Pid)
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if err != nil {
			return err
		}
	}
	return nil
}

func resident(what string, pid int) error {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			fmt.Printf("  %-60s %s\n", what, strings.TrimSpace(rest))
		}
	}
	return nil
}

// listCalls counts the upstream calls of a list of 50 products with everything on it.
func listCalls(ctx context.Context, _ *process) error {
	fmt.Println("\nupstream calls of a list of 50 products (name, price, availability, reviews, related):")
	const list = `{ search(first: 50) { nodes { sku name price { unit { formatted } } availability { quantity } reviews { count average } related { sku name } } } }`
	for _, round := range []string{"cold", "warm"} {
		if err := forget(ctx); err != nil {
			return err
		}
		if _, err := query(ctx, list); err != nil {
			return err
		}
		counts, err := request(ctx, "GET", sandbox+"/_sandbox/calls", "")
		if err != nil {
			return err
		}
		fmt.Printf("  %s: %s\n", round, strings.TrimSpace(string(counts)))
	}
	return nil
}

// seen is a screen with what a caller has to send for it.
type seen struct {
	path    string
	headers []string
}

// screens lists every screen: the public ones each in another language, so that nothing
// is cached, the cart of a guest, and a customer's account.
func screens(ctx context.Context) ([]seen, error) {
	var token struct{ Token string }
	var cart struct{ ID string }
	if err := into(ctx, &token, sandbox+"/_sandbox/token", `{"customer":"AW00011000"}`); err != nil {
		return nil, err
	}
	if err := into(ctx, &cart, mobile+"/v1/carts", `{}`); err != nil {
		return nil, err
	}
	if err := into(ctx, &struct{}{}, mobile+"/v1/carts/"+cart.ID+"/lines", `{"sku":"HL-U509-R","quantity":2}`); err != nil {
		return nil, err
	}
	return []seen{
		{"/v1/screens/home", []string{"Accept-Language", "he"}},
		{"/v1/screens/categories/101", []string{"Accept-Language", "th"}},
		{"/v1/screens/search?q=helmet", []string{"Accept-Language", "ar"}},
		{"/v1/screens/products/BK-R93R-62", []string{"Accept-Language", "zh-Hant"}},
		{"/v1/screens/cart/" + cart.ID, []string{"Accept-Language", "he"}},
		{"/v1/screens/account", []string{"Authorization", "Bearer " + token.Token}},
	}, nil
}

// into posts a body and decodes the answer.
func into(ctx context.Context, answer any, url, body string) error {
	raw, err := request(ctx, "POST", url, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, answer)
}

// screenBytes compares what a screen weighs with what its upstreams sent for it, nothing cached.
func screenBytes(ctx context.Context, _ *process) error {
	fmt.Println("\nbytes of a screen against the bytes its upstreams sent for it:")
	list, err := screens(ctx)
	if err != nil {
		return err
	}
	for _, s := range list {
		if err := forget(ctx); err != nil {
			return err
		}
		body, err := request(ctx, "GET", mobile+s.path, "", s.headers...)
		if err != nil {
			return err
		}
		sent, err := upstreamBytes(ctx)
		if err != nil {
			return err
		}
		if sent == 0 {
			return fmt.Errorf("%s: no upstream was asked", s.path)
		}
		name, _, _ := strings.Cut(s.path, "g_")
		fmt.Printf("  %-36s %7d of %8d  %5.1f %%\n", name, len(body), sent, 100*float64(len(body))/float64(sent))
	}
	return nil
}

func upstreamBytes(ctx context.Context) (int64, error) {
	raw, err := request(ctx, "GET", sandbox+"/_sandbox/bytes", "")
	if err != nil {
		return 0, err
	}
	var bySystem map[string]int64
	if err := json.Unmarshal(raw, &bySystem); err != nil {
		return 0, err
	}
	var sum int64
	for _, n := range bySystem {
		sum += n
	}
	return sum, nil
}

// forget sets the sandbox's counters to zero.
func forget(ctx context.Context) error {
	_, err := request(ctx, "DELETE", sandbox+"/_sandbox/calls", "")
	return err
}
