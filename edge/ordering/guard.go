package ordering

import (
	"fmt"
	"runtime/debug"
)

// guarded is load for a goroutine of its own: a panic there, which nobody further up
// could catch, is an error of this request instead of the end of the process.
func guarded(load func() error) func() error {
	return func() (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v: %s", v, debug.Stack())
			}
		}()
		return load()
	}
}
