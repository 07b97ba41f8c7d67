// Package docs serves the contract, a reader for it that needs no network, and
// the descriptions of the types of problem.
package docs

import (
	"embed"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/schema/openapi"
)

// The files of npm's swagger-ui-dist 5.35.0 (Apache-2.0), unchanged, and ours.
//
//go:embed assets
var assets embed.FS

// policy lets the page load from here only.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var files = map[string]string{
	"swagger-ui.css":                   "text/css; charset=utf-8",
	"swagger-ui-bundle.js":             "text/javascript; charset=utf-8",
	"swagger-ui-bundle.js.LICENSE.txt": "text/plain; charset=utf-8",
	"favicon-32x32.png":                "image/png",
	"start.js":                         "text/javascript; charset=utf-8",
	"page.css":                         "text/css; charset=utf-8",
	"LICENSE":                          "text/plain; charset=utf-8",
	"NOTICE":                           "text/plain; charset=utf-8",
}

// Register adds /openapi.yaml, /docs and /problems/{name}.
func Register(app *fiber.App) {
	app.Get("/openapi.yaml", func(c *fiber.Ctx) error { return send(c, "application/yaml", openapi.Mobile) })
	app.Get("/docs", func(c *fiber.Ctx) error {
		text, err := assets.ReadFile("assets/index.html")
		if err != nil {
			return err
		}
		return page(c, text)
	})
	for name, kind := range files {
		app.Get("/docs/"+name, func(c *fiber.Ctx) error { return file(c, name, kind) })
	}
	for _, t := range problem.Types {
		text := []byte(t.Title + "\n\n" + t.Meaning + "\n")
		app.Get(problem.Base+t.Name, func(c *fiber.Ctx) error { return send(c, "text/plain; charset=utf-8", text) })
	}
}

func page(c *fiber.Ctx, text []byte) error {
	secure(c)
	return send(c, "text/html; charset=utf-8", text)
}

func file(c *fiber.Ctx, name, kind string) error {
	data, err := assets.ReadFile("assets/" + name)
	if err != nil {
		return err
	}
	secure(c)
	return send(c, kind, data)
}

func secure(c *fiber.Ctx) {
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
}

func send(c *fiber.Ctx, kind string, data []byte) error {
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	if strings.HasPrefix(kind, "text/html") {
		c.Set(fiber.HeaderCacheControl, "no-cache")
	}
	c.Response().SetBodyRaw(data)
	return nil
}
