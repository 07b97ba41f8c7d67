package stack_test

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/schema/stack"
)

// moved tells whether f had the stack of a new goroutine copied. It may be Go's own affair, too:
// a collection gives back what is not used.
func moved(before, f func()) bool {
	answer := make(chan bool)
	go func() {
		var here byte
		before()
		was := uintptr(unsafe.Pointer(&here)) // follows no pointer: a number stays what it was
		f()
		answer <- was != uintptr(unsafe.Pointer(&here))
	}()
	return <-answer
}

// need calls itself until so many KiB are on the stack.
//
//go:noinline
func need(kib int) byte {
	var room [1 << 10]byte
	room[kib] = byte(kib)
	if kib == 0 {
		return room[0]
	}
	return need(kib-1) + room[kib]
}

func nothing() {}

// sometime tells whether f answers want in one of many tries.
func sometime(want bool, f func() bool) bool {
	for range 1000 {
		if f() == want {
			return true
		}
	}
	return false
}

func TestWhatIsAskedForIsThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ask func()
		kib int
	}{"8 KiB": {stack.To8K, 3}, "16 KiB": {stack.To16K, 7}} {
		assert.True(t, sometime(false, func() bool { return moved(c.ask, func() { need(c.kib) }) }), "%s: nothing is copied later", name)
	}
	assert.True(t, sometime(true, func() bool { return moved(nothing, func() { need(14) }) }), "who did not ask is copied")
}

// BenchmarkBegun is a goroutine that goes as deep as a load does.
func BenchmarkBegun(b *testing.B) {
	for name, ask := range map[string]func(){"asked": stack.To16K, "not": nothing} {
		b.Run(name, func(b *testing.B) {
			done := make(chan struct{})
			for b.Loop() {
				go func() {
					ask()
					need(8)
					done <- struct{}{}
				}()
				<-done
			}
		})
	}
}
