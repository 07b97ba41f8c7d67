// Package stack has goroutines that are begun for a job begin with the stack that the job
// takes. Go gives them two to four KiB and twice as much whenever that is not enough, to
// which it copies what lies there, frame by frame: in the depth of a call through cache,
// transport and net/http that takes ten microseconds each time, and with nothing on the
// stack yet a fraction of one.
package stack

// To8K makes the stack of the calling goroutine one of 8 KiB at least, of which the most part
// is free if it is called first. That is done on entering what it calls: nothing is cleared.
func To8K() { room4(false) }

// To16K is To8K for 16 KiB.
func To16K() { room8(false) }

//go:noinline
func room4(use bool) byte {
	if !use {
		return 0
	}
	var room [4 << 10]byte
	return first(room[:])
}

//go:noinline
func room8(use bool) byte {
	if !use {
		return 0
	}
	var room [8 << 10]byte
	return first(room[:])
}

//go:noinline
func first(room []byte) byte { return room[0] }
