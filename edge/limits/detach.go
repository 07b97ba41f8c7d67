package limits

import (
	"context"
	"time"
)

// Detach is a context for work that must finish although its caller leaves: it
// ends at ctx's deadline, or after most when that is sooner, but not when ctx is
// cancelled. Values stay.
func Detach(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	end := time.Now().Add(most)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	return context.WithDeadline(context.WithoutCancel(ctx), end)
}
