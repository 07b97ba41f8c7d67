//go:build !unix

package limits

import (
	"runtime"
	"time"
)

var started = time.Now()

// spent is not known: all processors seem to be used all the time.
func spent() time.Duration { return time.Since(started) * time.Duration(runtime.GOMAXPROCS(0)) }
