package lifecycle

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/web"
)

//go:generate go run ./generate ../../../schema/openapi/mobile.yaml deprecated.gen.go

// notice says since when something should no longer be used, and when it will go, both
// in seconds since 1970; 0 when that is not decided.
type notice struct{ at, sunset int64 }

// earlier is the first of what two notices announce.
func (n notice) earlier(other notice) notice {
	return notice{at: first(n.at, other.at), sunset: first(n.sunset, other.sunset)}
}

func first(a, b int64) int64 {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// deprecation is what of one operation is deprecated in the contract.
type deprecation struct {
	whole notice            // of the operation; zero when it is not deprecated
	query map[string]notice // by parameter
}

// Deprecated tells clients of an operation, named by its method and path as a router has it
// (/v1/orders/:number), when they use what the contract has deprecated: Deprecation
// (RFC 9745), Sunset (RFC 8594) and a Link to the contract. Problems do not carry them.
func Deprecated(method, path string) fiber.Handler {
	return deprecated[method+" "+path].handle
}

func (d deprecation) handle(c *fiber.Ctx) error {
	n := d.used(c)
	if n.at == 0 {
		return c.Next()
	}
	web.OfRequest(c)
	if err := c.Next(); err != nil {
		return err
	}
	if c.Response().StatusCode() >= fiber.StatusBadRequest {
		return nil
	}
	c.Set("Deprecation", "@"+strconv.FormatInt(n.at, 10))
	c.Set(fiber.HeaderLink, `</openapi.yaml>; rel="deprecation"; type="application/yaml"`)
	if n.sunset > 0 {
		c.Set("Sunset", time.Unix(n.sunset, 0).UTC().Format(http.TimeFormat))
	}
	return nil
}

// used is what of the operation's notices a request is given; zero for nothing.
func (d deprecation) used(c *fiber.Ctx) notice {
	n := d.whole
	for name, of := range d.query {
		if c.Context().QueryArgs().Has(name) {
			n = n.earlier(of)
		}
	}
	return n
}
