// Command demo runs all of Portico on one machine: five imitated systems over one
// world, the web channel and the mobile channel. It needs nothing but Go.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/portico-bff/portico/demo/stack"
)

//go:generate go run ./internal/variables

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	begin := time.Now()
	s, err := stack.Start(ctx, os.Environ())
	if errors.Is(err, context.Canceled) {
		return nil // told to stop before it was up
	}
	if err != nil {
		return err
	}
	fmt.Print(greeting(s, time.Since(begin)))
	return s.Wait()
}

// greeting says where everything is and what to try.
func greeting(s *stack.Stack, took time.Duration) string {
	text := requests
	for name, value := range map[string]string{
		"WEB": s.Web, "MOBILE": s.Mobile, "SANDBOX": s.Sandbox, "WEB_ADMIN": s.WebAdmin, "MOBILE_ADMIN": s.MobileAdmin,
		"TOOK": took.Round(time.Millisecond).String(),
	} {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

const requests = `
Portico is ready after {TOOK}.

  shop     {WEB}/             a web shop, in a browser
  web      {WEB}/graphql      GraphiQL in a browser
  mobile   {MOBILE}/docs         Swagger UI, as any of the customers; the spec is at /openapi.yaml
  sandbox  {SANDBOX}/_sandbox/customers
  console  {WEB_ADMIN}/console and {MOBILE_ADMIN}/console: the systems, the caches, the requests that went badly
  admin    {WEB_ADMIN} and {MOBILE_ADMIN}: /systems says how each system stands, /cache what is kept and given; /metrics, /readyz

Try the web channel:

  curl -s {WEB}/graphql -H 'Content-Type: application/json' -d '{"query":"{ product(sku: \"BK-R93R-62\") { name brand price { unit { formatted } } availability { inStock quantity } } }"}'
  curl -s {WEB}/graphql -H 'Content-Type: application/json' -H 'X-Currency: EUR' -d '{"query":"{ search(text: \"helmet\", first: 3) { totalCount nodes { sku name price { unit { formatted } } } facets { code values { value count } } } }"}'
  curl -s {WEB}/graphql -H 'Content-Type: application/json' -d '{"query":"mutation { cartCreate { cart { id } userErrors { code message field } } }"}'

Watch a product's stock, and change it (below) from another terminal:

  curl -sN {WEB}/graphql -H 'Content-Type: application/json' -H 'Accept: text/event-stream' -d '{"query":"subscription { availability(skus: [\"BK-R93R-62\"]) { sku availability { quantity } } }"}'

Or as a shop's own build would, by the id of a published document (docs/web.md; {WEB_ADMIN}/documents says which are asked for):

  curl -sG {WEB}/graphql -H 'X-Client-Name: demo-shop' -H 'X-Client-Version: 1.1.0' --data-urlencode 'variables={"sku":"BK-R93R-62"}' \
    -d documentId=sha256:7f031336653abdf1b733ce52f36c57b0582b931c14f87c68d20b82304c032b3c

Try the mobile channel:

  curl -s {MOBILE}/v1/screens/home
  curl -s {MOBILE}/v1/screens/products/BK-R93R-62 -H 'Accept-Language: fr'
  curl -s -X POST {MOBILE}/v1/carts -H 'Content-Type: application/json' -H "Idempotency-Key: $(head -c 18 /dev/urandom | base64)" -d '{}'

Be a customer, change a product, or break a system, and try again:

  curl -s -X POST {SANDBOX}/_sandbox/token -d '{"customer":"AW00011000"}'
  curl -s -X POST {SANDBOX}/_sandbox/world -d '{"sku":"BK-R93R-62","price":"999.00","stock":5}'
  curl -s -X POST {SANDBOX}/_sandbox/faults -d '{"system":"odoo","operation":"*","errorRate":1,"status":503,"mode":"status"}'
  curl -s -X DELETE {SANDBOX}/_sandbox/faults

Ctrl-C stops everything.
`
