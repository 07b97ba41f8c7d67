package docs

import (
	"bytes"
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/edge/demo"
)

// Customers is where the page learns whom a developer can be, and gets their tokens.
const Customers = "/docs/customers"

// maxSent is how long a customer's number with its JSON around may be.
const maxSent = 1 << 10

// mark is the line of the page that the bar with customers takes.
var mark = []byte("<!-- customers -->")

// RegisterDemo gives the page a bar of customers to be, whose tokens box signs. It is for
// development, and has to come before [Register].
func RegisterDemo(app *fiber.App, box demo.Sandbox) {
	app.Get("/docs", func(c *fiber.Ctx) error {
		text, err := assets.ReadFile("assets/index.html")
		if err != nil {
			return err
		}
		return page(c, bytes.Replace(text, mark, []byte(`<script src="/docs/customers.js"></script>`), 1))
	})
	app.Get("/docs/customers.js", func(c *fiber.Ctx) error { return file(c, "customers.js", "text/javascript; charset=utf-8") })
	app.Get(Customers, func(c *fiber.Ctx) error {
		list, err := box.Customers(c.UserContext())
		if err != nil {
			list = []demo.Customer{} // then the page offers none
		}
		return answer(c, list)
	})
	app.Post(Customers, func(c *fiber.Ctx) error {
		body, err := web.JSONBody(c)
		if err != nil {
			return err
		}
		var sent struct {
			Customer string `json:"customer"`
		}
		if len(body) > maxSent || json.Unmarshal(body, &sent) != nil || sent.Customer == "" {
			return &problem.Error{Type: problem.Invalid, Field: "customer", Detail: "customer: must be a number of " + Customers}
		}
		token, err := box.Token(c.UserContext(), sent.Customer)
		if err != nil {
			return &problem.Error{Type: problem.BadUpstream, Detail: "the sandbox signed no token"}
		}
		return answer(c, struct {
			Token string `json:"token"`
		}{token})
	})
}

func answer(c *fiber.Ctx, content any) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(content)
}
