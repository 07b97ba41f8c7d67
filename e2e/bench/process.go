package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Where processes run: the server under test alone on one core, all that is beside it on the other.
const (
	coreUnderTest = 0
	coreBeside    = 1
)

// process is a program that was started.
type process struct {
	name  string
	cmd   *exec.Cmd
	took  time.Duration // from start until it was ready
	said  *os.File      // what it printed
	ended chan error
}

// launch starts a program on a core and waits until ready answers 200, if it is not empty.
func launch(ctx context.Context, core int, environ []string, ready string, argv ...string) (*process, error) {
	p := &process{name: argv[0], cmd: exec.CommandContext(ctx, argv[0], argv[1:]...), ended: make(chan error, 1)}
	var err error
	if p.said, err = os.CreateTemp("", "bench-*.log"); err != nil {
		return nil, err
	}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = environ, p.said, p.said
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 10 * time.Second
	begin := time.Now()
	if err := startOn(core, p.cmd); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }()
	for ready != "" {
		if answers(ctx, ready) {
			break
		}
		select {
		case err := <-p.ended:
			return nil, fmt.Errorf("%s ended before it was ready: %w: %s", p.name, errors.Join(err, ctx.Err()), p.log())
		case <-time.After(time.Millisecond):
		}
	}
	p.took = time.Since(begin)
	return p, nil
}

// log is the beginning of what the program printed.
func (p *process) log() string {
	text := make([]byte, 2000)
	n, _ := p.said.ReadAt(text, 0)
	return string(text[:n])
}

// startOn starts a command whose threads all stay on one core: what a thread starts
// inherits where the thread may run.
func startOn(core int, cmd *exec.Cmd) error {
	if runtime.NumCPU() <= core {
		return cmd.Start()
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		var only unix.CPUSet
		only.Set(core)
		if err := unix.SchedSetaffinity(0, &only); err != nil {
			started <- err
			return
		}
		started <- cmd.Start()
	}()
	return <-started
}

// stay keeps this process on a core: all its threads, those that come later inherit it.
func stay(core int) error {
	if runtime.NumCPU() <= core {
		return nil
	}
	var only unix.CPUSet
	only.Set(core)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, &only); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return nil
}

// local asks processes of this machine; every request has a deadline of its own.
var local = &http.Client{Timeout: 2 * time.Minute}

func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := local.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// stop ends the program gracefully.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	defer func() { _, _ = p.said.Close(), os.Remove(p.said.Name()) }()
	select {
	case err := <-p.ended:
		return signalled(err)
	case <-time.After(15 * time.Second):
		return p.cmd.Process.Kill()
	}
}

// signalled takes an end by the signal that was sent for a good one.
func signalled(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGTERM {
			return nil
		}
	}
	return err
}

// cpu is the processor time that the program has taken, of user and system, by the clock that
// clock_getcpuclockid(3) names: to the nanosecond, where /proc counts ticks of 10 ms.
func (p *process) cpu() (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED of Linux
	var spent unix.Timespec
	err := unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|scheduled), &spent) //nolint:gosec // so are its numbers made
	return time.Duration(spent.Nano()), err
}

// resident is the memory the program holds now, and the most it held, in MiB.
func (p *process) resident() (now, most float64, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	return kibibytes(string(raw), "VmRSS:") / 1024, kibibytes(string(raw), "VmHWM:") / 1024, nil
}

func kibibytes(status, name string) float64 {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// ports are handed out from here on, below those that the kernel gives to outgoing connections.
var nextPort atomic.Int32

// freeAddr is an address of the loopback on which nothing listens.
func freeAddr(ctx context.Context) (string, error) {
	const first, many = 21_000, 9_000
	for range many {
		addr := fmt.Sprintf("127.0.0.1:%d", first+int(nextPort.Add(1))%many)
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err == nil {
			return addr, listener.Close()
		}
	}
	return "", errors.New("no port is free")
}
