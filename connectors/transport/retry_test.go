package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestN4_RetryOnlyReadsAndOnlyWhereItHelps(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	cases := []struct {
		name  string
		first step
		tries int // of a Read
	}{
		{"connect error", step{err: refused}, 2},
		{"reset before the answer", step{err: &net.OpError{Op: "read", Err: syscall.ECONNRESET}}, 2},
		{"closed before the answer", step{err: io.EOF}, 2},
		{"429", step{status: 429}, 2},
		{"502", step{status: 502}, 2},
		{"503", step{status: 503}, 2},
		{"504", step{status: 504}, 2},
		{"500", step{status: 500}, 1},
		{"501", step{status: 501}, 1},
		{"404", step{status: 404}, 1},
		{"408", step{status: 408}, 1},
		{"302", step{status: 302}, 1},
		{"certificate", step{err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}, 1},
		{"host name", step{err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}}, 1},
		{"not TLS", step{err: tls.RecordHeaderError{Msg: "m"}}, 1},
		{"refused address", step{err: &net.OpError{Op: "dial", Err: errAddress}}, 1},
		{"attempt timeout", step{takes: time.Hour}, 1},
	}
	for _, tc := range cases {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			for _, traits := range []commerce.Traits{readTraits, writeTraits, {}} {
				t.Run(fmt.Sprintf("%s/%s/access %d", tc.name, method, traits.Access), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						upstream := &script{steps: []step{tc.first, {status: 200, body: "{}"}}}
						_, err := do(t, over(t, Config{}, upstream), traits, Request{Method: method})
						want := 1
						if traits.Access == commerce.Read {
							want = tc.tries
						}
						assert.Len(t, upstream.seen, want)
						if want == 2 {
							assert.NoError(t, err)
						}
					})
				})
			}
		}
	}
}

func TestN3_AtMostThreeAttempts(t *testing.T) {
	t.Parallel()
	for allowed := range 3 {
		synctest.Test(t, func(t *testing.T) {
			upstream := &script{steps: []step{{status: 503}}}
			_, err := do(t, over(t, Config{MaxAttempts: allowed + 1}, upstream), readTraits, get())
			assert.Len(t, upstream.seen, allowed+1)
			require.ErrorIs(t, err, commerce.ErrUnavailable)
		})
	}
}

// The distance of 10,000 delays from the uniform distribution stays below the
// Kolmogorov–Smirnov bound for p = 0.01.
func TestN4_FullJitterIsUniform(t *testing.T) {
	t.Parallel()
	const n = 10_000
	for attempt, ceiling := range map[int]time.Duration{0: 25 * time.Millisecond, 2: 100 * time.Millisecond, 6: time.Second, 60: time.Second} {
		// A false alarm is possible once in a hundred; three in a row are not one.
		distance := 1.0
		for range 3 {
			distance = min(distance, distanceFromUniform(attempt, ceiling, n))
		}
		assert.Less(t, distance, 1.63/math.Sqrt(n), "attempt %d", attempt)
	}
}

func distanceFromUniform(attempt int, ceiling time.Duration, n int) float64 {
	delays := make([]float64, n)
	for i := range delays {
		delays[i] = float64(jitter(attempt)) / float64(ceiling)
	}
	slices.Sort(delays)
	distance := 0.0
	for i, d := range delays {
		distance = max(distance, math.Abs(d-float64(i)/float64(n)), math.Abs(float64(i+1)/float64(n)-d))
	}
	return distance
}

func TestN5_RetryAfterIsClamped(t *testing.T) {
	t.Parallel()
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // a bubble's clock starts here
	cases := []struct {
		name     string
		values   []string
		least    time.Duration // the wait, at least; the backoff's ceiling of 25 ms and 2 s are the other bounds
		most     time.Duration
		attempts int
	}{
		{"absent", nil, 0, backoffBase, 2},
		{"zero", []string{"0"}, 0, backoffBase, 2},
		{"negative", []string{"-5"}, 0, backoffBase, 2},
		{"past date", []string{start.Add(-time.Hour).Format(http.TimeFormat)}, 0, backoffBase, 2},
		{"garbage", []string{"soon"}, 0, backoffBase, 2},
		{"fraction", []string{"1.5"}, 0, backoffBase, 2},
		{"empty", []string{""}, 0, backoffBase, 2},
		{"one second", []string{"1"}, time.Second, time.Second, 2},
		{"date", []string{start.Add(time.Second).Format(http.TimeFormat)}, time.Second, time.Second, 2},
		{"more than two seconds", []string{"4"}, 2 * time.Second, 2 * time.Second, 2},
		{"repeated", []string{"0", "1", "garbage"}, time.Second, time.Second, 2},
		{"more than remains", []string{"5"}, 0, 0, 1},
		{"far date", []string{start.AddDate(500, 0, 0).Format(http.TimeFormat)}, 0, 0, 1},
		{"a year", []string{"31536000"}, 0, 0, 1},
		{"overflows a duration", []string{"9223372037"}, 0, 0, 1},
		{"overflows an integer", []string{"99999999999999999999999"}, 0, 0, 1},
		{"repeated, one of them huge", []string{"1", "31536000"}, 0, 0, 1},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				upstream := &script{steps: []step{{status: 503, header: http.Header{"Retry-After": tc.values}}, {status: 200, body: "{}"}}}
				_, err := do(t, over(t, Config{}, upstream), readTraits, get())
				require.Len(t, upstream.seen, tc.attempts)
				if tc.attempts == 1 {
					require.ErrorIs(t, err, commerce.ErrUnavailable)
					assert.Zero(t, time.Since(begun), "gives up at once")
					assert.Positive(t, callError(t, err).RetryAfter)
					assert.LessOrEqual(t, callError(t, err).RetryAfter, longestReport)
					return
				}
				require.NoError(t, err)
				wait := upstream.seen[1].Sub(upstream.seen[0])
				assert.GreaterOrEqual(t, wait, tc.least)
				assert.LessOrEqual(t, wait, tc.most)
			})
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, s := range []string{"0", "-1", "120", "9223372037", "18446744073709551616", "soon", "Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "\x00", "１２"} {
		f.Add(s, s, int64(time.Second))
	}
	f.Fuzz(func(t *testing.T, one, two string, left int64) {
		asked := retryAfter(http.Header{"Retry-After": {one, two}}, now)
		require.GreaterOrEqual(t, asked, time.Duration(0))
		remaining := time.Duration(left)
		wait, ok := pause(0, asked, remaining)
		require.GreaterOrEqual(t, wait, time.Duration(0))
		require.LessOrEqual(t, wait, maxAskedWait)
		require.GreaterOrEqual(t, wait, min(asked, maxAskedWait))
		if ok {
			require.LessOrEqual(t, wait, remaining)
			require.LessOrEqual(t, asked, remaining)
		}
	})
}

func TestDeadlineIsTheEarliestLimitAndLeavesTheCallerTime(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name                    string
		caller, operation, want time.Duration
	}{
		{"configuration", time.Hour, 0, 1500 * time.Millisecond},
		{"operation", time.Hour, 300 * time.Millisecond, 300 * time.Millisecond},
		{"caller", 200 * time.Millisecond, time.Second, 190 * time.Millisecond},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), tc.caller)
				defer cancel()
				traits := readTraits
				traits.Timeout = tc.operation
				upstream := &script{steps: []step{{takes: time.Hour}}}
				_, err := over(t, Config{Timeout: 1500 * time.Millisecond, AttemptTimeout: 2 * time.Second}, upstream).Do(ctx, traits, get())
				require.ErrorIs(t, err, commerce.ErrTimeout)
				assert.Equal(t, commerce.ReasonTimeout, callError(t, err).Reason)
				assert.Equal(t, tc.want, time.Since(begun))
			})
		})
	}
}

func TestNoAttemptWithoutTimeForIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), deadlineMargin)
		defer cancel()
		upstream := &script{steps: []step{{status: 200}}}
		_, err := over(t, Config{}, upstream).Do(ctx, readTraits, get())
		require.ErrorIs(t, err, commerce.ErrTimeout)
		assert.Empty(t, upstream.seen)
	})
	synctest.Test(t, func(t *testing.T) {
		upstream := &script{steps: []step{{status: 503, takes: 95 * time.Millisecond}}}
		_, err := over(t, Config{Timeout: 100 * time.Millisecond}, upstream).Do(t.Context(), readTraits, get())
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		assert.Len(t, upstream.seen, 1, "5 ms remain: less than an attempt needs")
	})
}

func TestCancellationPassesUnchanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, upstream := range map[string]*script{
			"in an attempt": {steps: []step{{takes: time.Hour}}},
			"in a wait":     {steps: []step{{status: 503, header: http.Header{"Retry-After": {"1"}}}}},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(30*time.Millisecond, cancel)
			_, err := over(t, Config{}, upstream).Do(ctx, readTraits, get())
			require.Equal(t, context.Canceled, err, name)
			assert.Len(t, upstream.seen, 1)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		upstream := &script{steps: []step{{status: 200}}}
		_, err := over(t, Config{}, upstream).Do(ctx, readTraits, get())
		require.Equal(t, context.Canceled, err)
		assert.Empty(t, upstream.seen)
	})
}

func TestN19_RetriedBodiesAreIdentical(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for size := 0; size <= 1<<20; size = size*3 + 1 {
			body := make([]byte, size)
			for i := range body {
				body[i] = byte(i * 7)
			}
			upstream := &script{steps: []step{{status: 502}, {err: io.EOF}, {status: 200}}}
			_, err := do(t, over(t, Config{}, upstream), readTraits, Request{Method: http.MethodPost, Body: body})
			require.NoError(t, err)
			require.Equal(t, []string{string(body), string(body), string(body)}, upstream.body)
		}
	})
}

func TestRetriesLeaveATrail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, trail := commerce.WithTrail(t.Context())
		c := over(t, Config{}, &script{steps: []step{{status: 200}}})
		_, err := c.Do(ctx, readTraits, get())
		require.NoError(t, err)
		assert.Empty(t, trail.Outcomes())

		c = over(t, Config{}, &script{steps: []step{{status: 503}, {status: 503}, {status: 200}}})
		_, err = c.Do(ctx, readTraits, get())
		require.NoError(t, err)
		assert.Equal(t, []commerce.Reason{commerce.ReasonRetried}, trail.Outcomes())
	})
}

func TestEachAttemptIsSignedAfresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &script{steps: []step{{status: 503}, {status: 200}}}
		c := over(t, Config{}, upstream)
		nonces := 0
		c.sign = func(req *http.Request) error {
			nonces++
			if got := req.Header.Get("Authorization"); got != "" {
				return errors.New("signed already")
			}
			req.Header.Set("Authorization", fmt.Sprint(nonces))
			return nil
		}
		_, err := do(t, c, readTraits, get())
		require.NoError(t, err)
		assert.Equal(t, 2, nonces)
	})
}
