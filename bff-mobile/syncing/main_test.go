package syncing

import (
	"runtime/debug"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // a thousand stories with two processes and a Redis each: collecting what they leave took half of their time
	goleak.VerifyTestMain(m)
}
