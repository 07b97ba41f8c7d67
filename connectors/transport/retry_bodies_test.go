package transport

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestN19_AThousandRandomBodiesAreRetriedByteForByte(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(19, 19)) //nolint:gosec // the same each time
	fail := []step{
		{status: 502},
		{status: 429},
		{err: io.EOF},
		{err: &net.OpError{Op: "read", Err: syscall.ECONNRESET}},
	}
	synctest.Test(t, func(t *testing.T) {
		for i := range 1000 {
			var body []byte
			switch i % 100 {
			case 0: // empty
			case 1:
				body = make([]byte, 1<<20)
			default:
				body = make([]byte, dice.IntN(1<<(1+i%16)))
			}
			for j := range body {
				body[j] = byte(dice.Uint32())
			}
			want := string(body)
			upstream := &script{steps: []step{fail[i%len(fail)], fail[dice.IntN(len(fail))], {status: 200}}}
			method := []string{http.MethodGet, http.MethodPost, http.MethodPut}[i%3]
			_, err := do(t, over(t, Config{}, upstream), readTraits, Request{Method: method, Body: body})
			require.NoError(t, err)
			require.Len(t, upstream.body, 3)
			same := !slices.ContainsFunc(upstream.body, func(sent string) bool { return sent != want })
			require.True(t, same, "body %d of %d bytes", i, len(body))
		}
	})
}

// Of every kind of Retry-After, with every length of deadline: the wait is at
// least what was asked for, at most 2 s and what remains, and who cannot wait
// that long does not wait at all.
func TestN5_EveryKindOfRetryAfterWithEveryDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dice := rand.New(rand.NewPCG(5, 5)) //nolint:gosec // the same each time
		for range 2000 {
			values, asked := drawRetryAfter(dice)
			timeout := time.Duration(20+dice.IntN(8000)) * time.Millisecond
			status := []int{429, 502, 503, 504}[dice.IntN(4)]
			upstream := &script{steps: []step{{status: status, header: http.Header{"Retry-After": values}}, {status: 200}}}
			begun := time.Now()
			_, err := do(t, over(t, Config{Timeout: timeout, AttemptTimeout: time.Second, MaxAttempts: 2}, upstream), readTraits, get())
			if len(upstream.seen) == 1 {
				require.Error(t, err)
				require.Zero(t, time.Since(begun), "gives up at once")
				require.Greater(t, max(asked, backoffBase), timeout-leastAttempt, "%q within %v", values, timeout)
				continue
			}
			require.NoError(t, err)
			wait := upstream.seen[1].Sub(upstream.seen[0])
			require.GreaterOrEqual(t, wait, min(asked, maxAskedWait), "%q", values)
			require.LessOrEqual(t, wait, max(min(asked, maxAskedWait), backoffBase), "%q", values)
			require.LessOrEqual(t, asked, timeout, "%q was waited for", values)
		}
	})
}

// drawRetryAfter draws up to three headers and tells what they ask for.
func drawRetryAfter(dice *rand.Rand) (values []string, asked time.Duration) {
	for range 1 + dice.IntN(3) {
		var value string
		wait := time.Duration(0)
		switch dice.IntN(7) {
		case 0:
			value = "0"
		case 1:
			value = strconv.Itoa(-1 - dice.IntN(100))
		case 2:
			value = time.Now().Add(-time.Duration(dice.IntN(1e6)) * time.Second).UTC().Format(http.TimeFormat)
		case 3:
			n := dice.IntN(9)
			date := time.Now().Add(time.Duration(n) * time.Second).Truncate(time.Second)
			value, wait = date.UTC().Format(http.TimeFormat), max(0, time.Until(date))
		case 4:
			value, wait = []string{"9223372037", "31536000", "99999999999999999999999"}[dice.IntN(3)], time.Hour
		case 5:
			value = []string{"soon", "1.5", "1e3", "0x10", "１", "", "+1"}[dice.IntN(7)]
		case 6:
			n := dice.IntN(9)
			value, wait = strconv.Itoa(n), time.Duration(n)*time.Second
		}
		values = append(values, value)
		asked = max(asked, wait)
	}
	return values, asked
}

// Only a Read is ever repeated, whatever the method says and however often the
// same failure comes.
func TestN4_WritesAreNeverRepeatedWhateverTheMethod(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, access := range []commerce.Traits{writeTraits, {System: "odoo", Operation: commerce.OpAvailability}} {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodPost, http.MethodPatch} {
				for _, status := range []int{408, 425, 429, 500, 502, 503, 504, 507} {
					upstream := &script{steps: []step{{status: status, header: http.Header{"Retry-After": {"0"}}}}}
					_, err := do(t, over(t, Config{}, upstream), access, Request{Method: method})
					assert.Len(t, upstream.seen, 1, fmt.Sprint(method, status))
					if status >= 429 && status != 507 {
						require.Error(t, err)
					}
				}
			}
		}
	})
}
