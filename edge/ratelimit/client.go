package ratelimit

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// Names of the header fields, as draft-ietf-httpapi-ratelimit-headers has them.
const (
	PolicyField = "RateLimit-Policy"
	Field       = "RateLimit"
)

// Client is who one request comes from. It is for that request only. A nil one is not
// limited.
type Client struct {
	limiter *Limiter
	address netip.Addr
	person  commerce.PrincipalKey
}

// As tells who has signed in. Anonymous callers have their address only.
func (c *Client) As(p commerce.Principal) {
	if c != nil && !p.Anonymous() {
		c.person = p.Key()
	}
}

// Refused is what a caller asked for too much of.
type Refused struct {
	Budget string        // "customer", "address", "customer-coupons" or "address-coupons"
	Most   int           // of the budget, in a minute
	Wait   time.Duration // until it is there
}

// Seconds is Wait for Retry-After: whole seconds, 1 or more.
func (r *Refused) Seconds() int { return max(int((r.Wait+time.Second-1)/time.Second), 1) }

// Address spends n of the address's budget. It answers nil when that has so much.
func (c *Client) Address(ctx context.Context, n int) *Refused {
	if c == nil {
		return nil
	}
	return c.limiter.spend(ctx, who{budget: c.limiter.address, address: c.address}, n)
}

// Customer spends n of the signed-in customer's budget.
func (c *Client) Customer(ctx context.Context, n int) *Refused {
	if c == nil || c.person.Subject == "" {
		return nil
	}
	return c.limiter.spend(ctx, who{budget: c.limiter.customer, person: c.person}, n)
}

// Both spends n of the address's and the customer's budget.
func (c *Client) Both(ctx context.Context, n int) *Refused {
	if r := c.Address(ctx, n); r != nil {
		return r
	}
	return c.Customer(ctx, n)
}

// Coupons spends n of what may be guessed.
func (c *Client) Coupons(ctx context.Context, n int) *Refused {
	if c == nil || n == 0 {
		return nil
	}
	if r := c.limiter.spend(ctx, who{budget: c.limiter.addressCoupons, address: c.address}, n); r != nil || c.person.Subject == "" {
		return r
	}
	return c.limiter.spend(ctx, who{budget: c.limiter.customerCoupons, person: c.person}, n)
}

// Fields are the values of [PolicyField] and [Field]: the budgets that the request has to
// keep to, and what is left of them here. They are empty where there is none.
func (c *Client) Fields() (policy, state string) {
	if c == nil {
		return "", ""
	}
	signedIn := c.person.Subject != ""
	if policy = c.limiter.policies[signedIn]; policy == "" {
		return "", ""
	}
	now := time.Now()
	var room [96]byte
	states := room[:0]
	if signedIn {
		states = c.appendState(states, who{budget: c.limiter.customer, person: c.person}, now)
	}
	return policy, string(c.appendState(states, who{budget: c.limiter.address, address: c.address}, now))
}

// appendState appends what is left of a budget, if there is one.
func (c *Client) appendState(states []byte, w who, now time.Time) []byte {
	if w.budget == nil {
		return states
	}
	if len(states) > 0 {
		states = append(states, ", "...)
	}
	left := c.limiter.account(w).left(now)
	return item(states, w.budget.name, "r", left, "t", (w.budget.most-left)*int(window.Seconds())/w.budget.most)
}

// policyOf writes budgets, of which some may be nil.
func policyOf(budgets ...*budget) string {
	var policies []byte
	for _, b := range budgets {
		if b == nil {
			continue
		}
		if len(policies) > 0 {
			policies = append(policies, ", "...)
		}
		policies = item(policies, b.name, "q", b.most, "w", int(window.Seconds()))
	}
	return string(policies)
}

// item appends "name";first=n;second=m, a structured field's string with parameters.
func item(b []byte, name, first string, n int, second string, m int) []byte {
	b = append(append(append(b, '"'), name...), '"')
	b = strconv.AppendInt(append(append(append(b, ';'), first...), '='), int64(n), 10)
	return strconv.AppendInt(append(append(append(b, ';'), second...), '='), int64(m), 10)
}
