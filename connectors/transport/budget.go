package transport

import "sync"

const (
	budgetTokens = 20.0 // most
	budgetFloor  = 10.0 // retries and hedges only above
	budgetRefill = 0.1  // for each good attempt
)

// budget bounds what retries and hedges add to a system that is unwell: the token
// count of gRPC proposal A6. Each failed attempt takes a token, each good one
// gives a tenth back, and nothing is repeated while half or less are left. So a
// system that only fails gets ten attempts too many, however fast it fails (a
// budget of concurrent retries would allow any number of fast ones), and in the
// long run attempts are repeated only while fewer than one in ten fails.
// Start with a full budget.
type budget struct {
	mu     sync.Mutex
	tokens float64
}

func newBudget() *budget { return &budget{tokens: budgetTokens} }

func (b *budget) good() { b.add(budgetRefill) }

func (b *budget) bad() { b.add(-1) }

func (b *budget) add(n float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(budgetTokens, max(0, b.tokens+n))
}

// allows tells whether anything may be repeated now.
func (b *budget) allows() bool { return b.left() > budgetFloor }

func (b *budget) left() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tokens
}
