package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/connectors/sandbox"
)

// rig is everything that runs during a measurement.
type rig struct {
	file      string // the recording
	documents string // folder of trusted documents
	recorded  *recording
	stubAddr  string
	redisURL  string
	running   []*process

	web, mobile *channel
	plain       *process
	plainAt     *target
	plainKept   *target
	stubAt      *target
	distinct    atomic.Int64 // numbers everything that must not be shared
	options     options
}

// channel is one of our two binaries.
type channel struct {
	*process
	*target
	admin   string // address of health and metrics
	environ []string
	binary  string
}

// newRig records, and starts the systems, Redis, the baseline and both channels.
func newRig(ctx context.Context, self, dir string, o options) (*rig, error) {
	r := &rig{file: filepath.Join(dir, "recording.json"), documents: filepath.Join(dir, "documents"), options: o}
	var err error
	if r.recorded, err = record(ctx); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	raw, err := json.Marshal(r.recorded)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.WriteFile(r.file, raw, 0o600), publish(r.documents)); err != nil {
		return nil, err
	}
	if err := errors.Join(r.startSystems(ctx, self), r.startRedis(ctx, dir), r.startPlain(ctx, self)); err != nil {
		return r, err
	}
	if r.web, err = r.startChannel(ctx, "web"); err != nil {
		return r, err
	}
	r.mobile, err = r.startChannel(ctx, "mobile")
	return r, err
}

func (r *rig) startSystems(ctx context.Context, self string) error {
	var err error
	if r.stubAddr, err = freeAddr(ctx); err != nil {
		return err
	}
	r.stubAt = newTarget("systems", r.stubAddr)
	p, err := launch(ctx, coreBeside, os.Environ(), "http://"+r.stubAddr+"/_stub/calls", self, "-as", "systems", "-addr", r.stubAddr, "-recording", r.file)
	r.keep(p)
	return err
}

func (r *rig) startRedis(ctx context.Context, dir string) error {
	addr, err := freeAddr(ctx)
	if err != nil {
		return err
	}
	_, port, _ := strings.Cut(addr, ":")
	r.redisURL = "redis://" + addr + "/0"
	p, err := launch(ctx, coreBeside, os.Environ(), "", "redis-server", "--port", port, "--bind", "127.0.0.1",
		"--save", "", "--appendonly", "no", "--dir", dir, "--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru")
	r.keep(p)
	return err
}

func (r *rig) startPlain(ctx context.Context, self string) error {
	addr, err := freeAddr(ctx)
	if err != nil {
		return err
	}
	r.plainAt, r.plainKept = newTarget("plain", addr), newTarget("plain, keeping", addr)
	r.plainKept.prefix = "/kept"
	r.plain, err = launch(ctx, coreUnderTest, os.Environ(), "http://"+addr+"/readyz", self,
		"-as", "plain", "-addr", addr, "-systems", "http://"+r.stubAddr, "-recording", r.file)
	r.keep(r.plain)
	return err
}

// startChannel starts one of our binaries as it is shipped: only addresses and secrets are
// set, and settings, which are NAME=value.
func (r *rig) startChannel(ctx context.Context, name string, settings ...string) (*channel, error) {
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	c := &channel{binary: filepath.Join(r.options.bin, "bff-"+name)}
	if c.admin, err = freeAddr(ctx); err != nil {
		return nil, err
	}
	prefix := strings.ToUpper(name)
	c.environ = append(sandbox.Environ("http://"+r.stubAddr), "PATH="+os.Getenv("PATH"), "HOME="+os.Getenv("HOME"),
		"PORTICO_MODE=production", "WEB_DOCUMENTS_DIR="+r.documents, "REDIS_URL="+r.redisURL, prefix+"_ADDR="+addr, prefix+"_ADMIN_ADDR="+c.admin,
		"ORDER_TOKEN_KEY=only-for-measurements-only-for-measurements")
	c.environ = append(append(c.environ, settings...), r.options.settings...)
	c.target = newTarget(name, addr)
	c.process, err = launch(ctx, coreUnderTest, c.environ, "http://"+c.admin+"/readyz", c.binary)
	r.keep(c.process)
	return c, err
}

func (r *rig) keep(p *process) {
	if p != nil {
		r.running = append(r.running, p)
	}
}

// end stops one channel.
func (r *rig) end(c *channel) error {
	r.running = slices.DeleteFunc(r.running, func(p *process) bool { return p == c.process })
	return c.stop()
}

// stop ends all programs, the last first.
func (r *rig) stop() error {
	var errs []error
	for i := len(r.running) - 1; i >= 0; i-- {
		errs = append(errs, r.running[i].stop())
	}
	return errors.Join(errs...)
}

// name is the channel's.
func (c *channel) name() string { return c.target.name }

// set puts a weather in force and answers the calls of each system since the last one.
func (r *rig) set(w weather) (map[string]int, error) {
	body, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	status, answer, err := r.stubAt.once(func(req *fasthttp.Request, _ int64) {
		req.Header.SetMethod(fasthttp.MethodPost)
		req.SetRequestURI("/_stub/weather")
		req.SetBody(body)
	}, 0)
	if err != nil || status != fasthttp.StatusOK {
		return nil, fmt.Errorf("weather: %d %w", status, err)
	}
	var calls map[string]int
	return calls, json.Unmarshal(answer, &calls)
}

// once sends one request and answers status and body.
func (t *target) once(set func(*fasthttp.Request, int64), n int64) (int, []byte, error) {
	w := newWorker(t, ask{set: set, right: func(*fasthttp.Response) bool { return true }})
	w.send(n, time.Now())
	if w.failed > 0 {
		return 0, nil, errors.New(w.sample)
	}
	return w.res.StatusCode(), append([]byte(nil), w.res.Body()...), nil
}

// tagOf is the entity tag of what a target answers; empty where it has none.
func (t *target) tagOf(a ask, n int64) string {
	w := newWorker(t, ask{set: a.set})
	w.send(n, time.Now())
	return string(w.res.Header.Peek(fasthttp.HeaderETag))
}
