package lifecycle

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/edge/market"
)

// Path is where apps read their configuration.
const Path = "/v1/config"

// shared lets everyone keep the document for a minute: so long a new minimum or a flag
// takes to reach the apps.
const shared = "public, max-age=60"

// Document is what apps are told when they start. Both of its forms are made once.
type Document struct {
	full, delta edition
	tells       func() bool
}

// edition is the document where changes are told, or where they are not.
type edition struct {
	body []byte
	etag string
}

// NewDocument makes the document of a valid configuration; tells is whether somebody tells
// of changes now, so that apps can ask for those alone.
func NewDocument(cfg Config, markets market.List, tells func() bool) *Document {
	content := api.Config{
		Platforms: api.Platforms{Ios: cfg.IOS.release(), Android: cfg.Android.release()},
		Flags:     cfg.Flags, Markets: []api.SalesChannel{},
		Locales: markets.Locales, Currencies: markets.Currencies, Countries: markets.Countries,
	}
	if content.Flags == nil {
		content.Flags = map[string]bool{}
	}
	for _, m := range markets.Channels {
		content.Markets = append(content.Markets, api.SalesChannel{Name: m.Channel, Locale: m.Locale, Currency: m.Currency, Country: m.Country})
	}
	d := &Document{tells: tells}
	content.Sync = api.SyncFull
	d.full = editionOf(content)
	content.Sync = api.SyncDelta
	d.delta = editionOf(content)
	return d
}

func editionOf(content api.Config) edition {
	body, _ := json.Marshal(content) // texts and truths always encode
	sum := sha256.Sum256(body)
	return edition{body: body, etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

func (a App) release() api.AppRelease {
	return api.AppRelease{Minimum: a.Minimum, Latest: a.Latest, StoreUrl: a.StoreURL}
}

// Register answers GET and HEAD of [Path] with the document, or with 304 to who has it.
func (d *Document) Register(app *fiber.App) { app.Get(Path, d.answer) }

func (d *Document) answer(c *fiber.Ctx) error {
	now := d.full
	if d.tells() {
		now = d.delta
	}
	c.Set(fiber.HeaderCacheControl, shared)
	c.Set(fiber.HeaderETag, now.etag)
	if web.NoneMatch(c.Request().Header.Peek(fiber.HeaderIfNoneMatch), now.etag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Response().SetBodyRaw(now.body)
	return nil
}
