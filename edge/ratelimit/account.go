package ratelimit

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// account is what one of those who are limited has left of a budget.
type account struct {
	budget *budget
	key    string // in Redis
	local  *rate.Limiter

	mu       sync.Mutex
	owed     int       // spent here and not settled with Redis
	settling bool      // somebody is about to
	blocked  time.Time // until when all nodes together have spent it
}

func newAccount(b *budget, key string) *account {
	return &account{budget: b, key: key, local: rate.NewLimiter(rate.Limit(float64(b.most)/window.Seconds()), b.most)}
}

// spend takes n from the account, or answers how long to wait until it has so much.
// More than a whole budget is taken when all of it is there.
func (a *account) spend(ctx context.Context, l *Limiter, n int) (wait time.Duration, ok bool) {
	now := time.Now()
	n = min(n, a.budget.most)
	a.mu.Lock()
	if now.Before(a.blocked) {
		a.mu.Unlock()
		return a.blocked.Sub(now), false
	}
	if !a.local.AllowN(now, n) {
		a.mu.Unlock()
		return a.refill(float64(n) - a.local.TokensAt(now)), false
	}
	a.owed = min(a.owed+n, a.spent(now))
	due := a.owed
	if l.redis == nil || due < a.budget.every || a.settling {
		a.mu.Unlock()
		return 0, true
	}
	a.settling = true
	a.mu.Unlock()
	return a.settle(ctx, l, due, n)
}

// settle pays what is due. When all nodes together have not so much, whoever met it is
// refused what it wanted, n, and so is everyone else until it is there.
func (a *account) settle(ctx context.Context, l *Limiter, due, n int) (wait time.Duration, ok bool) {
	now := time.Now()
	result, asked := l.settle(ctx, a, due, now)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settling = false
	if result == nil { // this node's own budget has it
		if asked { // it is not told again: Redis may have heard
			a.owed = max(a.owed-due, 0)
		}
		return 0, true
	}
	a.owed -= result.Allowed
	if result.Allowed >= due {
		return 0, true
	}
	a.owed = max(a.owed-n, 0)
	wait = a.refill(float64(due - result.Allowed))
	a.blocked = now.Add(wait)
	return wait, false
}

// spent is what was spent here and has not refilled: who owes more, after Redis was away for
// long, would be refused what they have.
func (a *account) spent(now time.Time) int {
	return a.budget.most - max(int(a.local.TokensAt(now)), 0)
}

// refill is how long it takes to get so much back.
func (a *account) refill(missing float64) time.Duration {
	return time.Duration(missing / float64(a.budget.most) * float64(window))
}

// left is what can be spent now, as far as this node knows.
func (a *account) left(now time.Time) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Before(a.blocked) {
		return 0
	}
	return max(int(a.local.TokensAt(now)), 0)
}
