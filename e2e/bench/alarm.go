package main

import (
	"container/heap"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// alarm wakes goroutines to some 50 µs. Go's own timers are good to a millisecond, and
// a goroutine that sleeps in the kernel keeps a processor from the others until the
// runtime notices: with one processor, that is later than what is measured here.
type alarm struct {
	clock *os.File // of the kernel; what it has to say is waited for like a connection

	mu   sync.Mutex
	list sleepers
}

// sleeper is a goroutine that waits until a time.
type sleeper struct {
	until time.Time
	woken chan struct{}
}

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	a := &alarm{clock: os.NewFile(uintptr(fd), "clock")}
	go a.ring()
	return a, nil
}

// close ends the alarm: nobody may wait any more.
func (a *alarm) close() error { return a.clock.Close() }

// wait returns after d.
func (a *alarm) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	s := sleeper{until: time.Now().Add(d), woken: make(chan struct{})}
	a.mu.Lock()
	heap.Push(&a.list, s)
	if a.list[0].woken == s.woken {
		a.set(d)
	}
	a.mu.Unlock()
	<-s.woken
}

// set has the clock ring after d.
func (a *alarm) set(d time.Duration) {
	raw, err := a.clock.SyscallConn()
	if err != nil {
		return // closed
	}
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(max(1, d.Nanoseconds()))}
	_ = raw.Control(func(fd uintptr) { _ = unix.TimerfdSettime(int(fd), 0, &at, nil) }) //nolint:gosec // a descriptor is small
}

func (a *alarm) ring() {
	var times [8]byte
	for {
		if _, err := a.clock.Read(times[:]); err != nil {
			return
		}
		a.mu.Lock()
		now := time.Now()
		for len(a.list) > 0 && !a.list[0].until.After(now) {
			s, _ := heap.Pop(&a.list).(sleeper)
			close(s.woken)
		}
		if len(a.list) > 0 {
			a.set(a.list[0].until.Sub(now))
		}
		a.mu.Unlock()
	}
}

// sleepers are a heap, by when they are to wake.
type sleepers []sleeper

func (s sleepers) Len() int           { return len(s) }
func (s sleepers) Less(i, j int) bool { return s[i].until.Before(s[j].until) }
func (s sleepers) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *sleepers) Push(x any)        { *s = append(*s, x.(sleeper)) } //nolint:forcetypeassert // nothing else is pushed
func (s *sleepers) Pop() any {
	last := len(*s) - 1
	x := (*s)[last]
	*s = (*s)[:last]
	return x
}
