package limits

import (
	"math"
	"time"
)

// sample is how many requests what they cost is averaged over.
const sample = 32

// bill is what requests cost of processor time.
type bill struct {
	processors time.Duration
	used       time.Duration // by the process, as far as is known
	from       time.Duration // was used before it was counted
	left       int           // requests that are done since then
	cost       time.Duration // of one of them
	// most is what one is taken to cost at most. What else the process does counts as theirs,
	// such as refusing others: where that is much they would seem dear, so that fewer are
	// served and yet more are refused.
	most time.Duration
}

func newBill(used time.Duration, processors int) bill {
	return bill{processors: time.Duration(processors), used: used, from: used, most: math.MaxInt64}
}

// serving is how long it takes to serve n.
func (b *bill) serving(n int) time.Duration { return time.Duration(n) * b.cost / b.processors }

// measure learns what the process used so far.
func (b *bill) measure(used time.Duration) {
	b.used = used
	b.cost = min(b.most, (used-b.from)/time.Duration(max(1, b.left)))
	if b.left > sample { // what was long ago counts half
		b.left, b.from = b.left/2, used-(used-b.from)/2
	}
}
