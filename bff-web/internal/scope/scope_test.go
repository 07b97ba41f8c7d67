package scope_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/bff-web/internal/scope"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type (
	aKey struct{}
	bKey struct{}
	nKey int
)

func request(t *testing.T, ctx context.Context) *http.Request { //nolint:revive // t stands first in tests
	t.Helper()
	return httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
}

func begun(r *http.Request) *http.Request {
	r, _ = scope.Begin(r)
	return r
}

func TestValuesAreFoundFromEverywhere(t *testing.T) {
	t.Parallel()
	r := begun(request(t, context.WithValue(t.Context(), aKey{}, "parent's")))
	assert.Equal(t, "parent's", r.Context().Value(aKey{}))
	assert.Same(t, r, scope.Put(r, bKey{}, 1), "the request itself")
	derived := r.WithContext(context.WithValue(r.Context(), bKey{}, 2))
	assert.Equal(t, 2, derived.Context().Value(bKey{}))
	scope.Put(derived, aKey{}, "own")
	assert.Equal(t, "own", r.Context().Value(aKey{}))
	scope.Put(r, aKey{}, "later")
	assert.Equal(t, "later", derived.Context().Value(aKey{}))
	assert.Nil(t, r.Context().Value(nKey(1)))
	assert.Nil(t, scope.Of(t.Context()))
}

func TestAsManyValuesAsAnyContext(t *testing.T) {
	t.Parallel()
	for _, r := range []*http.Request{request(t, t.Context()), begun(request(t, t.Context()))} {
		for i := range 20 {
			r = scope.Put(r, nKey(i), i)
		}
		for i := range 20 {
			assert.Equal(t, i, r.Context().Value(nKey(i)))
		}
	}
}

// Whoever waits within a scope, at whatever time, sees it end as any context ends.
func TestAScopeEndsInTime(t *testing.T) {
	t.Parallel()
	ending := func(wait func(context.Context) (context.Context, context.CancelFunc)) func(*testing.T, context.Context) context.Context {
		return func(t *testing.T, ctx context.Context) context.Context {
			ctx, cancel := wait(ctx)
			t.Cleanup(cancel)
			return ctx
		}
	}
	for name, wait := range map[string]func(*testing.T, context.Context) context.Context{
		"itself":   func(_ *testing.T, ctx context.Context) context.Context { return ctx },
		"by value": func(_ *testing.T, ctx context.Context) context.Context { return context.WithValue(ctx, aKey{}, 1) },
		"a child":  ending(context.WithCancel),
		"a later end": ending(func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Hour)
		}),
	} {
		synctest.Test(t, func(t *testing.T) {
			r, end := scope.Within(begun(request(t, t.Context())), time.Now().Add(time.Second))
			defer end.Close()
			at, ok := r.Context().Deadline()
			require.True(t, ok, name)
			assert.Equal(t, time.Now().Add(time.Second), at, name)
			time.Sleep(time.Second / 2)
			ctx := wait(t, r.Context())
			require.NoError(t, ctx.Err(), name)
			<-ctx.Done()
			assert.Equal(t, at, time.Now(), name)
			assert.ErrorIs(t, ctx.Err(), context.DeadlineExceeded, name)
			assert.ErrorIs(t, context.Cause(ctx), context.DeadlineExceeded, name)
			end.Close()
			assert.ErrorIs(t, r.Context().Err(), context.DeadlineExceeded, name)
		})
	}
}

func TestWhatARequestStartedEndsWithIt(t *testing.T) {
	t.Parallel()
	r, end := scope.Within(begun(request(t, t.Context())), time.Now().Add(time.Hour))
	child, cancel := context.WithCancel(r.Context())
	defer cancel()
	end.Close()
	<-child.Done()
	assert.ErrorIs(t, child.Err(), context.Canceled)

	r, end = scope.Within(begun(request(t, t.Context())), time.Now().Add(time.Hour))
	end.Close()
	<-r.Context().Done() // who looks for the first time when it is over
	assert.ErrorIs(t, r.Context().Err(), context.Canceled)
}

func TestWhoLeavesEndsItsRequest(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	r, end := scope.Within(begun(request(t, ctx)), time.Now().Add(time.Hour))
	defer end.Close()
	child, cancel := context.WithCancel(r.Context())
	defer cancel()
	leave()
	<-child.Done()
	assert.ErrorIs(t, r.Context().Err(), context.Canceled)
}

func TestTheEarlierEndCounts(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	at, _ := ctx.Deadline()
	r, end := scope.Within(begun(request(t, ctx)), time.Now().Add(time.Hour))
	defer end.Close()
	got, _ := r.Context().Deadline()
	assert.Equal(t, at, got)
	twice, end := scope.Within(r, time.Now().Add(time.Second))
	defer end.Close()
	got, _ = twice.Context().Deadline()
	assert.True(t, got.Before(at))
}

// Children need no goroutine of their own to hear of the end.
func TestChildrenCostNoGoroutine(t *testing.T) { //nolint:paralleltest // counts goroutines
	r, end := scope.Within(begun(request(t, t.Context())), time.Now().Add(time.Hour))
	defer end.Close()
	before := runtime.NumGoroutine()
	var cancels []context.CancelFunc
	for range 100 {
		_, cancel := context.WithCancel(r.Context())
		cancels = append(cancels, cancel)
	}
	assert.Less(t, runtime.NumGoroutine(), before+50)
	for _, cancel := range cancels {
		cancel()
	}
}

func TestManyMayWait(t *testing.T) {
	t.Parallel()
	for range 50 {
		r, end := scope.Within(begun(request(t, t.Context())), time.Now().Add(time.Hour))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(r.Context())
				defer cancel()
				_ = ctx.Value(aKey{})
				<-ctx.Done()
				assert.ErrorIs(t, ctx.Err(), context.Canceled)
			})
		}
		end.Close()
		wg.Wait()
	}
}
