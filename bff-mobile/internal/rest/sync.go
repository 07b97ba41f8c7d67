package rest

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/fields"
	"github.com/portico-bff/portico/bff-mobile/internal/pen"
	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/schema/commerce"
)

// briefly is for how long others may be given an answer of the sync: an older one
// tells what was known then, and leads to the same end.
const briefly = "public, max-age=5"

// sync answers a page of the catalogue, or of what changed in it: the same for everyone in a market.
func (a *API) sync(c *fiber.Ctx) error {
	q := readQuery(c, "syncCatalogue")
	if q.err != nil {
		return q.err
	}
	if err := charge(c, fields.Set{}); err != nil {
		return err
	}
	market := web.CallerOf(c).Market
	page, err := a.Syncing.Page(c.UserContext(), market, q.Text("since"), q.Number("first"))
	if errors.Is(err, events.ErrExpired) {
		return &problem.Error{Type: problem.SyncExpired, Field: "since", Detail: "since: what changed since then is not known any more; begin without it"}
	}
	if err != nil {
		return err
	}
	body, err := pen.Marshal(page)
	if err != nil {
		return err
	}
	web.Shared(c)
	body, in := web.EncodingOf(c).Encode(body)
	etag := entityOf(market, in.String(), body)
	if web.NoneMatchOf(c, etag) {
		web.SendUnchanged(c, etag, briefly)
		return nil
	}
	c.Set(fiber.HeaderCacheControl, briefly)
	c.Set(fiber.HeaderETag, etag)
	web.SendEncoded(c, body, in)
	return nil
}

// entityOf is the entity tag of a body in a market and a coding, as RFC 9110 wants a strong
// one: another body, market or coding has another.
func entityOf(m commerce.Market, coding string, body []byte) string {
	sum := sha256.New()
	for _, part := range []string{m.Channel, m.Locale, m.Currency, m.Country, coding} {
		sum.Write(append([]byte(part), 0))
	}
	sum.Write(body)
	const enough = 12 // bytes
	return `"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:enough]) + `"`
}
