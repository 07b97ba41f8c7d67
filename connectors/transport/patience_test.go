package transport

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// leisurely is an upstream that takes its time, and notes what it was told of ours.
type leisurely struct {
	takes time.Duration
	told  string
}

func (u *leisurely) RoundTrip(req *http.Request) (*http.Response, error) {
	u.told = req.Header.Get(timeoutHeader)
	select {
	case <-time.After(u.takes):
	case <-req.Context().Done():
		return nil, context.Cause(req.Context())
	}
	return (&script{steps: []step{{status: http.StatusOK, body: "{}"}}}).RoundTrip(req)
}

// Who is patient has an attempt's answer as long as the call may take; others give up after
// the attempt's limit, and that is no cancellation.
func TestAPatientReadTakesWhatTheCallMayTake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for takes, want := range map[time.Duration]struct{ patient, others error }{
			1500 * time.Millisecond: {nil, nil},
			2500 * time.Millisecond: {nil, commerce.ErrTimeout},
			4 * time.Second:         {nil, commerce.ErrTimeout},
			time.Minute:             {commerce.ErrTimeout, commerce.ErrTimeout},
		} {
			u := &leisurely{takes: takes}
			ask := func(ctx context.Context) (time.Duration, error) {
				began := time.Now()
				_, err := over(t, Config{}, u).Do(ctx, readTraits, get())
				return time.Since(began), err
			}
			took, err := ask(t.Context())
			require.ErrorIs(t, err, want.others, takes)
			assert.Equal(t, min(takes, defaultAttemptTimeout), took)
			assert.Equal(t, "2000", u.told)

			took, err = ask(commerce.WithPatience(t.Context()))
			require.ErrorIs(t, err, want.patient, takes)
			assert.Equal(t, min(takes, defaultTimeout), took)
			assert.Equal(t, strconv.FormatInt(defaultTimeout.Milliseconds(), 10), u.told)

			ctx, cancel := context.WithTimeout(commerce.WithPatience(t.Context()), 3*time.Second)
			took, _ = ask(ctx)
			cancel()
			assert.LessOrEqual(t, took, 3*time.Second-deadlineMargin, "no longer than its caller")
		}
	})
}

// A load that others began has the time of the patient who joins it while it runs; without
// one it has theirs.
func TestALoadHasTheTimeOfThePatientWhoJoins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			takes, joins, ends time.Duration
			want               error
		}{
			{2500 * time.Millisecond, time.Second, 2500 * time.Millisecond, nil},
			{2500 * time.Millisecond, 1999 * time.Millisecond, 2500 * time.Millisecond, nil},
			{2500 * time.Millisecond, 3 * time.Second, defaultAttemptTimeout, commerce.ErrTimeout},
			{time.Minute, time.Second, defaultTimeout, commerce.ErrTimeout},
			{time.Second, 3 * time.Second, time.Second, nil},
		} {
			waiting := &commerce.Patience{}
			time.AfterFunc(c.joins, func() { waiting.Join(commerce.WithPatience(t.Context())) })
			began := time.Now()
			_, err := over(t, Config{}, &leisurely{takes: c.takes}).Do(waiting.In(t.Context()), readTraits, get())
			require.ErrorIs(t, err, c.want, "%+v", c)
			assert.Equal(t, c.ends, time.Since(began), "%+v", c)
			time.Sleep(5 * time.Second)
		}
		ctx, cancel := context.WithCancel((&commerce.Patience{}).In(t.Context()))
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		_, err := over(t, Config{}, &leisurely{takes: time.Minute}).Do(ctx, readTraits, get())
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, time.Second, time.Since(began))
	})
}

// A Write has its limit from the start, and an upstream that answers the patient in time is
// well: its breaker stays closed.
func TestPatienceIsNoBreakersConcern(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := over(t, Config{}, &leisurely{takes: 3 * time.Second})
		for range 2 * breakerLeast {
			_, err := c.Do(commerce.WithPatience(t.Context()), readTraits, get())
			require.NoError(t, err)
		}
		for range breakerStreak {
			_, err := c.Do(t.Context(), readTraits, get())
			require.ErrorIs(t, err, commerce.ErrTimeout)
		}
		_, err := c.Do(commerce.WithPatience(t.Context()), readTraits, get())
		require.ErrorIs(t, err, commerce.ErrUnavailable, "of the others it was")
		assert.Equal(t, "open", c.state(0).Operations[0].Breaker)
		time.Sleep(probeEvery)
		_, err = c.Do(commerce.WithPatience(t.Context()), readTraits, get())
		require.NoError(t, err, "a patient probe closes it")
		assert.Equal(t, "closed", c.state(0).Operations[0].Breaker)
	})
}
