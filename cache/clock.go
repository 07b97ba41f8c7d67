package cache

import (
	"context"
	"strconv"
	"time"
)

// clockScript reads the clock of the server that has the key, which is one for all.
const clockScript = `return redis.call('time')`

// reading is what Redis's clock said when this process's was at.
type reading struct{ at, said time.Time }

// readClock notes what Redis's clock says. When it cannot be read, or only after so long that
// the reading is worth little, the one before stays.
func (n *news) readClock(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, newsPatience)
	defer cancel()
	asked := time.Now()
	reply, err := n.reader.Eval(ctx, clockScript, []string{newsStream}).StringSlice()
	if err != nil || len(reply) != 2 || (time.Since(asked) > redisIO && n.remote.clock.Load() != nil) {
		return
	}
	seconds, err1 := strconv.ParseInt(reply[0], 10, 64)
	micros, err2 := strconv.ParseInt(reply[1], 10, 64)
	if err1 == nil && err2 == nil {
		n.remote.clock.Store(&reading{at: asked, said: time.Unix(seconds, micros*int64(time.Microsecond))})
	}
}

// redisTime is what Redis's clock said when this process's steady clock was at, or will
// have; zero when it was never read.
func (r *remote) redisTime(at time.Time) time.Time {
	last := r.clock.Load()
	if last == nil {
		return time.Time{}
	}
	return last.said.Add(at.Sub(last.at))
}

// age is how old a stored entry is at now: the most that the clocks of those who wrote
// and read it say, or Redis's. Each of them may have been set meanwhile; as long as one
// tells the truth, nothing is taken for younger than it is.
func (r *remote) age(s stored, now time.Time) time.Duration {
	age := max(0, now.Round(0).Sub(s.began))
	if there := r.redisTime(now); !there.IsZero() && !s.redis.IsZero() {
		age = max(age, there.Sub(s.redis))
	}
	return age
}
