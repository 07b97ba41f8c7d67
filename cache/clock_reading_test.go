package cache

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clockServer is a Redis that says what time it is, or what it takes for that, after so long.
type clockServer struct {
	redis.UniversalClient
	after time.Duration
	says  []any
	err   error
}

func (s *clockServer) Eval(ctx context.Context, _ string, _ []string, _ ...any) *redis.Cmd {
	time.Sleep(s.after)
	cmd := redis.NewCmd(ctx)
	cmd.SetVal(s.says)
	cmd.SetErr(s.err)
	return cmd
}

// What Redis's clock says is taken as of when it was asked for, to the microsecond. What
// took long to come is worth little, but more than nothing; what is no time is nothing.
func TestC8_HowRedissClockIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clockServer{}
		n := &news{remote: &remote{}, reader: server}
		reads := func(after time.Duration, says ...any) {
			server.after, server.says = after, says
			n.readClock(t.Context())
		}
		reads(0, "nonsense", "1")
		reads(0, "1", "nonsense")
		reads(0, "1")
		require.True(t, n.remote.redisTime(time.Now()).IsZero(), "never read")

		asked := time.Now()
		reads(redisIO+1, "100", "250000")
		require.Equal(t, time.Unix(100, 250_000_000), n.remote.redisTime(asked), "late, but the first")
		require.Equal(t, time.Unix(101, 250_000_000), n.remote.redisTime(asked.Add(time.Second)), "it goes on")
		require.Equal(t, time.Unix(99, 250_000_000), n.remote.redisTime(asked.Add(-time.Second)), "and went on before")

		reads(redisIO+1, "900", "0")
		reads(0, "nonsense", "1")
		reads(0, "1", "nonsense")
		reads(0, "1")
		server.err = errors.New("no")
		reads(0, "900", "0")
		server.err = nil
		require.Equal(t, time.Unix(100, 250_000_000), n.remote.redisTime(asked), "what came late or made no sense replaces nothing")

		asked = time.Now()
		reads(redisIO, "200", "1")
		assert.Equal(t, time.Unix(200, 1000), n.remote.redisTime(asked), "what came soon does")
	})
}

// A stored entry is as old as the one clock or the other says, whichever says more, and
// never younger than new; who does not know Redis's time goes by the other.
func TestC8_TheAgeOfWhatIsStored(t *testing.T) {
	t.Parallel()
	now := time.Now()
	knows, knowsNot := &remote{}, &remote{}
	knows.clock.Store(&reading{at: now, said: time.Unix(1000, 0)})
	for name, tc := range map[string]struct {
		r     *remote
		began time.Duration // ago, by the process's clocks
		redis time.Time
		age   time.Duration
	}{
		"both agree":                     {knows, seconds(10), time.Unix(990, 0), seconds(10)},
		"Redis says more":                {knows, seconds(10), time.Unix(980, 0), seconds(20)},
		"the processes say more":         {knows, seconds(30), time.Unix(980, 0), seconds(30)},
		"it comes from the future":       {knows, seconds(-1), time.Unix(1001, 0), 0},
		"who stored it did not know":     {knows, seconds(10), time.Time{}, seconds(10)},
		"who reads it does not know":     {knowsNot, seconds(10), time.Unix(5, 0), seconds(10)},
		"the future, and nobody knows":   {knowsNot, seconds(-1), time.Time{}, 0},
		"from the future, but not Redis": {knows, seconds(-1), time.Unix(995, 0), seconds(5)},
	} {
		s := stored{began: now.Add(-tc.began).Round(0), redis: tc.redis}
		assert.InDelta(t, tc.age, tc.r.age(s, now), float64(time.Millisecond), name)
	}
}
