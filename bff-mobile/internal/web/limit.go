package web

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/edge/clientip"
	"github.com/portico-bff/portico/edge/ratelimit"
)

// LimitAddress charges each request to its address, before who sent it is known: a request
// costs 1. What it costs beyond that is charged by [Charge] when that is known. Every answer
// but those that others share ([Shared]) tells what is left of the caller's budgets.
func LimitAddress(limiter *ratelimit.Limiter) fiber.Handler {
	if limiter == nil {
		return func(c *fiber.Ctx) error { return c.Next() }
	}
	return func(c *fiber.Ctx) error {
		peer := peerOf(c.Context())
		client := limiter.ClientAt(peer, forwarded(limiter, peer, c.Context()))
		if client == nil {
			return c.Next()
		}
		c.Locals(clientKey, client)
		err := tooMany(client.Address(c.UserContext(), 1))
		if err == nil {
			err = c.Next()
		}
		tellLimits(c, client)
		return err
	}
}

// AdmitAddress is [LimitAddress] for requests that never reach fiber: it charges 1 to the
// address and tells whether its budget had that. When not, nothing was charged.
func AdmitAddress(limiter *ratelimit.Limiter, c *fasthttp.RequestCtx) bool {
	if limiter == nil {
		return true
	}
	peer := peerOf(c)
	return limiter.Address(context.Background(), peer, forwarded(limiter, peer, c), 1) == nil
}

// LimitCustomer charges each request to who signed in. It stands behind [Identify].
func LimitCustomer(c *fiber.Ctx) error {
	if client := clientOf(c); client != nil {
		client.As(CallerOf(c).Principal)
		if err := tooMany(client.Customer(c.UserContext(), 1)); err != nil {
			return err
		}
	}
	return c.Next()
}

// Charge charges n to the caller's address and to the customer, if one signed in: the calls
// of systems that the request is about to come to.
func Charge(c *fiber.Ctx, n int) error { return tooMany(clientOf(c).Both(c.UserContext(), n)) }

// ChargeCoupon charges one try of what may be guessed.
func ChargeCoupon(c *fiber.Ctx) error { return tooMany(clientOf(c).Coupons(c.UserContext(), 1)) }

// Shared says that the answer is for others as well, who have budgets of their own.
func Shared(c *fiber.Ctx) { c.Locals(sharedKey, true) }

// clientOf is whose budgets the request is charged to; nil is not limited.
func clientOf(c *fiber.Ctx) *ratelimit.Client {
	client, _ := c.Locals(clientKey).(*ratelimit.Client)
	return client
}

// peerOf is the socket's other end; the zero value is an unknown one.
func peerOf(c *fasthttp.RequestCtx) netip.AddrPort {
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}

// forwarded is what the request says about where it comes from, if that counts.
func forwarded(limiter *ratelimit.Limiter, peer netip.AddrPort, c *fasthttp.RequestCtx) []string {
	if !limiter.Trusts(peer) {
		return nil
	}
	var list []string
	for _, value := range c.Request.Header.PeekAll(clientip.Field) {
		list = append(list, string(value))
	}
	return list
}

// tellLimits tells a client its budgets and what is left of them, unless others get the same.
func tellLimits(c *fiber.Ctx, client *ratelimit.Client) {
	if shared, _ := c.Locals(sharedKey).(bool); shared {
		return
	}
	if policy, state := client.Fields(); policy != "" {
		c.Set(ratelimit.PolicyField, policy)
		c.Set(ratelimit.Field, state)
	}
}

// tooMany is the refusal of a request that its budget does not have; nil stays nil.
func tooMany(r *ratelimit.Refused) error {
	if r == nil {
		return nil
	}
	return &problem.Error{
		Type: problem.RateLimited, Wait: r.Wait,
		Detail: fmt.Sprintf("the budget %q of %d a minute has not enough left; come back in %d s", r.Budget, r.Most, r.Seconds()),
	}
}
