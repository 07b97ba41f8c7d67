package web

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/schema/commerce"
)

// Markets resolves where a request shops.
type Markets interface {
	Resolve(h market.Hints) (commerce.Market, error)
	PriceGroup(m commerce.Market, p commerce.Principal) commerce.PriceGroup
}

// Identity tells who sent a token.
type Identity interface {
	Verify(ctx context.Context, authorization string) (commerce.Principal, error)
}

// Caller is who asks, where they shop and whose prices they see.
type Caller struct {
	commerce.Shopper
	Group commerce.PriceGroup
}

// Identify resolves the caller; the answer names the market.
func Identify(markets Markets, identity Identity) fiber.Handler {
	return func(c *fiber.Ctx) error {
		m, err := markets.Resolve(market.Hints{
			Channel: c.Get("X-Channel"), AcceptLanguage: c.Get(fiber.HeaderAcceptLanguage),
			Currency: c.Get("X-Currency"), Country: c.Get("X-Country"),
		})
		if err != nil {
			return err
		}
		p, err := identity.Verify(c.UserContext(), strings.Clone(c.Get(fiber.HeaderAuthorization)))
		if err != nil {
			return err
		}
		c.Locals(callerKey, Caller{Shopper: commerce.Shopper{Market: m, Principal: p}, Group: markets.PriceGroup(m, p)})
		tellMarket(&c.Response().Header, m)
		return c.Next()
	}
}

// vary names all of a request's header that an answer of a market depends on.
const vary = market.Vary + ", " + fiber.HeaderAuthorization + ", " + fiber.HeaderAcceptEncoding + ", X-Platform, X-Pixel-Density"

// ofMarket are the fields that name an answer's market.
var ofMarket = [...]string{fiber.HeaderContentLanguage, "X-Channel", "X-Currency", "X-Country"}

// tellMarket tells which market an answer is for, and what it was chosen by.
func tellMarket(header *fasthttp.ResponseHeader, m commerce.Market) {
	set(header, fiber.HeaderContentLanguage, m.Locale)
	set(header, "X-Channel", m.Channel)
	set(header, "X-Currency", m.Currency)
	set(header, "X-Country", m.Country)
	set(header, fiber.HeaderVary, vary)
}

// CallerOf is who sent the request, once Identify has run.
func CallerOf(c *fiber.Ctx) Caller {
	caller, _ := c.Locals(callerKey).(Caller)
	return caller
}
