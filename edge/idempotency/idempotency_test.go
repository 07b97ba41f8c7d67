package idempotency_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestMain(m *testing.M) {
	// go-redis looks for a server that is gone once a second, and sees only then that its client was closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

var (
	ann = commerce.Principal{Tenant: "default", Subject: "C1"}
	bob = commerce.Principal{Tenant: "default", Subject: "C2"}
)

func request(p commerce.Principal) idempotency.Request {
	return idempotency.Request{Principal: p, Operation: "lineAdd", Key: "key-1", Body: []byte(`{"sku":"A"}`)}
}

// counted runs a write that answers with the number of its run.
type counted struct{ runs atomic.Int64 }

func (c *counted) run(context.Context) (idempotency.Answer, error) {
	n := c.runs.Add(1)
	return idempotency.Answer{Status: http.StatusCreated, ContentType: "application/json", Body: fmt.Appendf(nil, "run %d", n)}, nil
}

func answering(status int, body string) func(context.Context) (idempotency.Answer, error) {
	return func(context.Context) (idempotency.Answer, error) {
		return idempotency.Answer{Status: status, Body: []byte(body)}, nil
	}
}

// stores runs a test with both kinds of ledger.
func stores(t *testing.T, test func(t *testing.T, s *idempotency.Store)) {
	quiet := slog.New(slog.DiscardHandler)
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, idempotency.New(ledger.NewMemory(), time.Second, quiet))
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		l, _ := onRedis(t)
		test(t, idempotency.New(l, time.Second, quiet))
	})
}

func onRedis(t *testing.T) (*ledger.Redis, *miniredis.Miniredis) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return ledger.NewRedis(client), server
}

func TestK1_FirstAnswerIsReplayed(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *idempotency.Store) {
		var c counted
		first, replayed, err := s.Do(t.Context(), request(ann), c.run)
		require.NoError(t, err)
		assert.False(t, replayed)
		again, replayed, err := s.Do(t.Context(), request(ann), c.run)
		require.NoError(t, err)
		assert.True(t, replayed)
		assert.Equal(t, first, again)
		assert.Equal(t, int64(1), c.runs.Load())
	})
}

func TestK1_Matrix(t *testing.T) {
	t.Parallel()
	bad := map[string]struct {
		change func(*idempotency.Request)
		code   commerce.Code
	}{
		"no key":              {func(r *idempotency.Request) { r.Key = "" }, commerce.CodeRequired},
		"key with a space":    {func(r *idempotency.Request) { r.Key = "a b" }, commerce.CodeInvalid},
		"key with a newline":  {func(r *idempotency.Request) { r.Key = "a\n" }, commerce.CodeInvalid},
		"key that is no text": {func(r *idempotency.Request) { r.Key = "\xff" }, commerce.CodeInvalid},
		"key too long":        {func(r *idempotency.Request) { r.Key = strings.Repeat("k", 256) }, commerce.CodeInvalid},
		"another body":        {func(r *idempotency.Request) { r.Body = []byte(`{"sku":"B"}`) }, commerce.CodeIdempotencyReused},
		"no body":             {func(r *idempotency.Request) { r.Body = nil }, commerce.CodeIdempotencyReused},
		"anonymous, no cart":  {func(r *idempotency.Request) { r.Principal = commerce.Principal{} }, commerce.CodeInvalid},
	}
	stores(t, func(t *testing.T, s *idempotency.Store) {
		var c counted
		_, _, err := s.Do(t.Context(), request(ann), c.run)
		require.NoError(t, err)
		for name, tc := range bad {
			r := request(ann)
			tc.change(&r)
			_, replayed, err := s.Do(t.Context(), r, c.run)
			require.ErrorIs(t, err, commerce.ErrInvalid, name)
			input, ok := errors.AsType[*commerce.InputError](err)
			require.True(t, ok, name)
			assert.Equal(t, "Idempotency-Key", input.Field, name)
			assert.Equal(t, tc.code, input.Code, name)
			assert.False(t, replayed, name)
		}
		assert.Equal(t, int64(1), c.runs.Load())
	})
}

func TestK1_InFlightIsAConflict(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *idempotency.Store) {
		var inner error
		_, _, err := s.Do(t.Context(), request(ann), func(ctx context.Context) (idempotency.Answer, error) {
			_, _, inner = s.Do(ctx, request(ann), answering(200, "second"))
			return idempotency.Answer{Status: 200}, nil
		})
		require.NoError(t, err)
		require.ErrorIs(t, inner, commerce.ErrConflict)
		input, ok := errors.AsType[*commerce.InputError](inner)
		require.True(t, ok)
		assert.Equal(t, commerce.CodeInProgress, input.Code)
	})
}

func TestK1_OnlyLastWordsAreKept(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *idempotency.Store) {
		cases := map[string]struct {
			run  func(context.Context) (idempotency.Answer, error)
			kept bool
		}{
			"200":             {answering(200, "{}"), true},
			"404":             {answering(404, "{}"), true},
			"409":             {answering(409, `{"code":"CONFLICT"}`), true},
			"422":             {answering(422, "{}"), true},
			"409 in progress": {answering(409, `{"code":"IN_PROGRESS"}`), false},
			"202":             {answering(202, "{}"), false},
			"429":             {answering(429, "{}"), false},
			"500":             {answering(500, "{}"), false},
			"503":             {answering(503, "{}"), false},
			"an error":        {func(context.Context) (idempotency.Answer, error) { return idempotency.Answer{}, commerce.ErrTimeout }, false},
		}
		for name, tc := range cases {
			r := request(ann)
			r.Key = strings.ReplaceAll(name, " ", "-")
			_, _, _ = s.Do(t.Context(), r, tc.run) // what comes back is the next call's subject
			_, replayed, err := s.Do(t.Context(), r, answering(200, "second"))
			require.NoError(t, err, name)
			assert.Equal(t, tc.kept, replayed, name)
		}
	})
}

func TestK1_APanicReleasesTheKey(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *idempotency.Store) {
		assert.Panics(t, func() {
			_, _, _ = s.Do(t.Context(), request(ann), func(context.Context) (idempotency.Answer, error) { panic("boom") })
		})
		_, replayed, err := s.Do(t.Context(), request(ann), answering(200, "second"))
		require.NoError(t, err)
		assert.False(t, replayed)
	})
}

func TestK1_KeptFor72Hours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c counted
		s := idempotency.New(ledger.NewMemory(), time.Second, slog.New(slog.DiscardHandler))
		for i, want := range []bool{false, true, false} {
			_, replayed, err := s.Do(t.Context(), request(ann), c.run)
			require.NoError(t, err)
			assert.Equal(t, want, replayed, i)
			time.Sleep(36*time.Hour + time.Duration(i)*time.Second)
		}
	})
	l, server := onRedis(t)
	_, _, err := idempotency.New(l, time.Second, slog.New(slog.DiscardHandler)).Do(t.Context(), request(ann), answering(200, ""))
	require.NoError(t, err)
	keys := server.Keys()
	require.Len(t, keys, 1)
	assert.Equal(t, 72*time.Hour, server.TTL(keys[0]))
	assert.NotContains(t, keys[0], "key-1", "keys are hashed")
}

func TestK2_ScopesAreIndependent(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 22)
	scopes := []idempotency.Request{
		{Principal: ann, Operation: "lineAdd", Key: long},
		{Principal: bob, Operation: "lineAdd", Key: long},
		{Principal: commerce.Principal{Tenant: "other", Subject: "C1"}, Operation: "lineAdd", Key: long},
		{Principal: ann, Operation: "couponApply", Key: long},
		{Principal: ann, Operation: "lineAdd", Key: long + "2"},
		{Principal: commerce.Principal{Tenant: "default"}, Guest: "g_one", Operation: "lineAdd", Key: long},
		{Principal: commerce.Principal{Tenant: "default"}, Guest: "g_two", Operation: "lineAdd", Key: long},
		{Principal: commerce.Principal{Tenant: "default"}, Operation: "lineAdd", Key: long},
		{Principal: commerce.Principal{Tenant: "default", Subject: "g_one"}, Operation: "lineAdd", Key: long},
	}
	stores(t, func(t *testing.T, s *idempotency.Store) {
		var c counted
		for i, r := range scopes {
			a, replayed, err := s.Do(t.Context(), r, c.run)
			require.NoError(t, err)
			assert.False(t, replayed, i)
			assert.Equal(t, fmt.Sprintf("run %d", i+1), string(a.Body))
		}
		for i, r := range scopes {
			a, replayed, err := s.Do(t.Context(), r, c.run)
			require.NoError(t, err)
			assert.True(t, replayed, i)
			assert.Equal(t, fmt.Sprintf("run %d", i+1), string(a.Body), "nobody reads another's answer")
		}
	})
}

func TestK5_ParallelCallsWithOneKeyRunOnce(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *idempotency.Store) {
		var c counted
		var answered atomic.Int64
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				a, _, err := s.Do(t.Context(), request(ann), c.run)
				if err != nil {
					assert.ErrorIs(t, err, commerce.ErrConflict)
					return
				}
				answered.Add(1)
				assert.Equal(t, "run 1", string(a.Body))
			})
		}
		wg.Wait()
		assert.Equal(t, int64(1), c.runs.Load())
		assert.Positive(t, answered.Load())
	})
}

func TestStoreDownIsUnavailableBeforeRun(t *testing.T) {
	t.Parallel()
	l, server := onRedis(t)
	server.Close()
	s := idempotency.New(l, time.Second, slog.New(slog.DiscardHandler))
	var c counted
	_, _, err := s.Do(t.Context(), request(ann), c.run)
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	assert.Zero(t, c.runs.Load())
}

func TestStoreLostMeanwhileStillAnswers(t *testing.T) {
	t.Parallel()
	l, server := onRedis(t)
	var log bytes.Buffer
	s := idempotency.New(l, time.Second, slog.New(slog.NewJSONHandler(&log, nil)))
	a, _, err := s.Do(t.Context(), request(ann), func(context.Context) (idempotency.Answer, error) {
		server.Close()
		return idempotency.Answer{Status: 200}, nil
	})
	require.NoError(t, err)
	assert.Equal(t, 200, a.Status)
	assert.Contains(t, log.String(), "idempotency record not settled")
}

// A write that takes all of its time, and a little longer to come back, is still in flight; one
// that does not come back holds its key no longer.
func TestK1_ALeaseOutlivesTheWriteThatHoldsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := idempotency.New(ledger.NewMemory(), time.Minute, slog.New(slog.DiscardHandler))
		var c counted
		lost, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			_, _, err := s.Do(t.Context(), request(ann), func(context.Context) (idempotency.Answer, error) {
				<-lost
				return idempotency.Answer{}, errors.New("too late")
			})
			assert.Error(t, err)
		}()
		time.Sleep(time.Minute + 3*time.Second)
		_, _, err := s.Do(t.Context(), request(ann), c.run)
		require.ErrorIs(t, err, commerce.ErrConflict)
		assert.Zero(t, c.runs.Load())
		time.Sleep(10 * time.Second)
		_, replayed, err := s.Do(t.Context(), request(ann), c.run)
		require.NoError(t, err)
		assert.False(t, replayed, "the lease is over")
		close(lost)
		<-done
		_, replayed, err = s.Do(t.Context(), request(ann), c.run)
		require.NoError(t, err)
		assert.True(t, replayed, "who comes back too late drops nobody else's")
		assert.EqualValues(t, 1, c.runs.Load())
	})
}

func TestACrashedHolderIsTakenOver(t *testing.T) {
	t.Parallel()
	l, server := onRedis(t)
	s := idempotency.New(l, time.Second, slog.New(slog.DiscardHandler))
	var c counted
	_, _, err := s.Do(t.Context(), request(ann), func(ctx context.Context) (idempotency.Answer, error) {
		server.FastForward(7 * time.Second) // the holder slept past its lease
		return c.run(ctx)
	})
	require.NoError(t, err)
	_, replayed, err := s.Do(t.Context(), request(ann), c.run)
	require.NoError(t, err)
	assert.True(t, replayed, "a late answer fills the place if nobody took it")
}

func TestK13_TheWriteGoesOnWhenTheCallerLeaves(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *idempotency.Store) {
		ctx, leave := context.WithCancel(t.Context())
		_, _, err := s.Do(ctx, request(ann), func(ctx context.Context) (idempotency.Answer, error) {
			leave()
			_, bounded := ctx.Deadline()
			assert.True(t, bounded)
			return idempotency.Answer{Status: 201, Body: []byte("done")}, ctx.Err()
		})
		require.NoError(t, err)
		a, replayed, err := s.Do(t.Context(), request(ann), answering(500, ""))
		require.NoError(t, err)
		assert.True(t, replayed)
		assert.Equal(t, "done", string(a.Body))
	})
}

func TestAnAnswerTooLargeIsNotRunTwice(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *idempotency.Store) {
		_, _, err := s.Do(t.Context(), request(ann), answering(200, strings.Repeat("x", 257<<10)))
		require.NoError(t, err)
		var c counted
		_, _, err = s.Do(t.Context(), request(ann), c.run)
		require.ErrorIs(t, err, commerce.ErrConflict)
		assert.Zero(t, c.runs.Load())
	})
}

// What opens a guest's cart, or reads an order, is not to be read from the store, nor put into
// another record.
func TestK1_TheStoreHoldsNoSecretInTheClear(t *testing.T) {
	t.Parallel()
	const secret = "g_00112233445566778899aabbccddeeff"
	l, server := onRedis(t)
	s := idempotency.New(l, time.Second, slog.New(slog.DiscardHandler))
	guest := func(key string) idempotency.Request {
		return idempotency.Request{Operation: "createCart", Key: key, Body: []byte("{}")}
	}
	one, two := guest("a-key-of-many-characters-1"), guest("a-key-of-many-characters-2")
	answer := idempotency.Answer{Status: http.StatusCreated, ContentType: "application/json", ETag: `"` + secret + `"`, Body: []byte(`{"id":"` + secret + `"}`)}
	for _, r := range []idempotency.Request{one, two} {
		_, _, err := s.Do(t.Context(), r, func(context.Context) (idempotency.Answer, error) { return answer, nil })
		require.NoError(t, err)
	}
	var values []string
	for _, key := range server.Keys() {
		held, err := server.Get(key)
		require.NoError(t, err)
		for _, text := range []string{secret, one.Key, two.Key, base64.StdEncoding.EncodeToString(answer.Body), hex.EncodeToString(answer.Body)} {
			assert.NotContains(t, key+held, text)
		}
		values = append(values, held)
	}
	require.Len(t, values, 2)
	again, replayed, err := s.Do(t.Context(), one, nil)
	require.NoError(t, err)
	assert.True(t, replayed)
	assert.Equal(t, answer, again)
	for i, key := range server.Keys() {
		require.NoError(t, server.Set(key, values[1-i]))
	}
	for _, r := range []idempotency.Request{one, two} {
		_, _, err = s.Do(t.Context(), r, nil)
		require.ErrorIs(t, err, commerce.ErrUnavailable, "an answer is not another's")
	}
}
