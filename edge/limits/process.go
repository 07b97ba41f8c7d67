package limits

import (
	"runtime"
	"time"
)

// Process is what a gate asks of the process that it guards.
type Process struct {
	Count int // of processors; 1 or more
	// Pass has the calling goroutine wait until all has run that could, at least on one
	// processor, and tells how long that took.
	Pass func() time.Duration
	// Spent is the processor time that was used so far.
	Spent func() time.Duration
}

// ThisProcess is the one that asks.
func ThisProcess() Process { return Process{Count: runtime.GOMAXPROCS(0), Pass: pass, Spent: spent} }

func pass() time.Duration {
	begin := time.Now()
	runtime.Gosched()
	return time.Since(begin)
}
