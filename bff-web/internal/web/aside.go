package web

import (
	"context"
	"net/http"

	"github.com/portico-bff/portico/bff-web/internal/scope"
)

type stayKey struct{}

// Aside has next answer on a goroutine of its own, and waits for it; then it does what next
// left to be done with [Stay]. A stack that was grown once keeps its size for as long as
// something deep waits on it: what stays open for hours is to wait on a stack that nothing
// was done on.
func Aside(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var rest func()
		r = scope.Put(r, stayKey{}, &rest)
		over := make(chan any)
		go func() {
			defer func() { over <- recover() }()
			next.ServeHTTP(w, r)
		}()
		if p := <-over; p != nil {
			panic(p)
		}
		if rest != nil {
			rest()
		}
	})
}

// Stay has rest done when the handlers below [Aside] have returned, and the goroutine on
// which they ran is gone. Without it rest is done at once.
func Stay(ctx context.Context, rest func()) {
	if at, ok := ctx.Value(stayKey{}).(*func()); ok {
		*at = rest
		return
	}
	rest()
}
