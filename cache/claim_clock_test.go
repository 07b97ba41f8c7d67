package cache

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// stepped is t as a process would have it whose wall clock was set by d: what its
// steady clock says is the same. The words of a time.Time are no promise; if they
// change, the test says so.
func stepped(t *testing.T, at time.Time, d time.Duration) time.Time {
	t.Helper()
	const nsecBits = 30
	seconds := uint64(int64(d / time.Second))
	wall := (*uint64)(unsafe.Pointer(&at))
	*wall += seconds << nsecBits
	return at
}

func TestSteppedMovesTheWallClockOnly(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, d := range []time.Duration{time.Hour, -time.Hour} {
		then := stepped(t, now, d)
		require.Equal(t, d, then.Round(0).Sub(now.Round(0)))
		require.Zero(t, then.Sub(now))
	}
}

// A million puts, reads and steps of the wall clock by up to an hour: nothing is
// answered that is older than its policy allows, nor called fresh that is not.
func TestC8_NothingOutlivesItsPolicyHoweverTheClockIsSet(t *testing.T) {
	t.Parallel()
	const keys = 16
	r := rand.New(rand.NewPCG(8, 8))
	var ops []commerce.Operation
	for op, p := range policies {
		if p.Fresh > 0 {
			ops = append(ops, op)
		}
	}
	type known struct {
		*entry
		policy Policy
		truly  time.Duration // when it was loaded, by a clock that nobody sets
	}
	var table [keys]known
	base, elapsed, step := time.Now(), time.Duration(0), time.Duration(0)
	answered, dropped := 0, 0
	for range 1_000_000 {
		now := stepped(t, base.Add(elapsed), step)
		k := r.IntN(keys)
		switch r.IntN(8) {
		case 0:
			p := policies[ops[r.IntN(len(ops))]]
			e := newEntry("v", now, p).apart(phase(r.Float64()))
			if p.Negative > 0 && r.IntN(4) == 0 {
				e = notFound(now, p)
			}
			table[k] = known{entry: e, policy: p, truly: elapsed}
		case 1:
			step = time.Duration(r.IntN(7201)-3600) * time.Second
		case 2:
			elapsed += time.Duration(r.Int64N(int64(time.Minute)))
		case 3:
			if table[k].entry != nil {
				elapsed += time.Duration(r.Int64N(int64(table[k].policy.life() / 4)))
			}
		case 4:
			if table[k].entry != nil {
				table[k].failed(now, errDown)
			}
		default:
			e := table[k]
			v, age := useless, elapsed-e.truly
			if e.entry != nil {
				v = e.policy.judge(e.entry, span{until: e.fresh}, now)
			}
			if v == useless {
				dropped++
				continue
			}
			answered++
			most := e.policy.Fresh + max(e.policy.StaleIfError, e.policy.StaleWhileRevalidate, e.policy.Negative)
			if v == current || v == aging {
				most = max(e.policy.Fresh, e.policy.Negative)
			}
			if age > most || e.age(now) != age {
				require.Failf(t, "too old", "%v old, told as %v, at most %v may be answered as %v", age, e.age(now), most, v)
			}
		}
	}
	assert.Greater(t, answered, 50_000)
	assert.Greater(t, dropped, 1_000)
}
