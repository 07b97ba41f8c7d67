package limits

import "time"

// sample is how many requests what they cost is averaged over.
const sample = 32

// bill is what requests cost of processor time.
type bill struct {
	processors int
	used       time.Duration // by the process, as far as is known
	from       time.Duration // was used before it was counted
	came, left int           // requests since then
	cost       time.Duration // of one of them: who is not done is half done
}

// newBill takes a request to cost so much, as if a few had.
func newBill(processors int, used, cost time.Duration) bill {
	return bill{processors: processors, used: used, from: used - few*cost/2, came: few, cost: cost}
}

// serving is how long it takes to serve n.
func (b *bill) serving(n int) time.Duration {
	return time.Duration(n) * b.cost / time.Duration(b.processors)
}

// all is how much time all processors have in d.
func (b *bill) all(d time.Duration) time.Duration { return d * time.Duration(b.processors) }

// known tells whether enough requests have left for what they cost to be measured anew.
func (b *bill) known() bool { return b.left >= sample }

// measure learns what the process used so far.
func (b *bill) measure(used time.Duration) {
	b.used = used
	b.cost = 2 * (used - b.from) / time.Duration(b.came+b.left)
	if b.known() { // what was long ago counts half
		b.came, b.left, b.from = b.came/2, b.left/2, used-(used-b.from)/2
	}
}
