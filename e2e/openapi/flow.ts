// A shopper buys in the app, by the generated client alone:
//
//   node build/flow.js http://127.0.0.1:8081
//
// Prints each call, and fails when anything is not as the contract says.
import assert from "node:assert/strict";
import { connect, must, refused, tap, type Address, type Client, type Item } from "./client.js";

const base = process.argv[2] ?? "http://127.0.0.1:8081";

const address: Address = {
  firstName: "Ann", lastName: "Lee", street: ["1 Pine St"], postcode: "98101", city: "Seattle", region: "WA", country: "US",
  phone: "555-0100",
};

function print(request: Request, response: Response): void {
  const notes = ["etag", "idempotent-replayed", "upgrade", "deprecation", "sunset"]
    .map((name) => [name, response.headers.get(name)] as const)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value}`);
  console.log([request.method.padEnd(6), String(response.status), request.url.slice(base.length), ...notes].join("  "));
}

const app = connect(base, { platform: "ios", version: "2.4.0", language: "en", currency: "USD" }, print);

/** What the app learns when it starts. */
async function start(app: Client): Promise<void> {
  const config = must(await app.GET("/v1/config"));
  assert.ok(config.markets.length > 0);
  assert.ok(config.locales.includes("en"));
  assert.equal(config.platforms.ios.minimum, "2.0");
  assert.equal(config.flags["newCheckout"], true);
}

/** Over the screens to something that can be bought. */
async function browse(app: Client): Promise<string> {
  const home = must(await app.GET("/v1/screens/home"));
  assert.equal(home.degraded, undefined);
  const category = home.categories?.[0]?.children?.[0];
  assert.ok(category, "a category below the first root");
  const screen = must(await app.GET("/v1/screens/categories/{id}", { params: { path: { id: category.id } } }));
  assert.equal(screen.name, category.name);
  assert.match(screen.products?.items?.[0]?.price?.unit.amount ?? "", /^[0-9]+\.[0-9]{2}$/);
  const found = must(await app.GET("/v1/screens/search", { params: { query: { q: "helmet", inStock: true } } }));
  const page = must(
    await app.GET("/v1/screens/search", {
      params: { query: { q: "helmet", inStock: true, first: 1, ...after(found.products) } },
    }),
  );
  assert.ok((page.products.items ?? []).length <= 1);
  const card = found.products.items?.find((c) => c.inStock === true);
  assert.ok(card, "a helmet in stock");
  const product = must(await app.GET("/v1/screens/products/{sku}", { params: { path: { sku: card.sku } } }));
  assert.ok((product.availability?.quantity ?? 0) > 0);
  return card.sku;
}

/** The cursor of the next page, when there is one. */
function after(list: { readonly hasNext: boolean; readonly endCursor?: string }): { after?: string } {
  return list.hasNext && list.endCursor !== undefined ? { after: list.endCursor } : {};
}

/** What the app has already is not sent again. */
async function revalidate(app: Client, sku: string): Promise<void> {
  const path = { sku };
  const first = await app.GET("/v1/screens/products/{sku}", { params: { path } });
  must(first);
  const etag = first.response.headers.get("ETag");
  assert.ok(etag, "a tag");
  const again = await app.GET("/v1/screens/products/{sku}", { params: { path, header: { "If-None-Match": etag } } });
  assert.equal(again.response.status, 304);
  assert.equal(again.data, undefined);
  assert.equal(again.response.headers.get("ETag"), etag);
  must(await app.GET("/v1/screens/products/{sku}", { params: { path, header: { "If-None-Match": '"another"' } } }));
}

/** A cart with one piece: the tap that was sent twice counted once. */
async function fill(app: Client, sku: string): Promise<string> {
  const { id } = must(await app.POST("/v1/carts", { params: { header: tap() }, body: {} }));
  const once = { params: { path: { id }, header: tap() }, body: { sku, quantity: 1 } };
  const first = must(await app.POST("/v1/carts/{id}/lines", once));
  const again = await app.POST("/v1/carts/{id}/lines", once); // the answer got lost on the way
  assert.deepEqual(must(again), first);
  assert.equal(again.response.headers.get("Idempotent-Replayed"), "true");
  assert.equal(first.quantity, 1);
  const other = refused(await app.POST("/v1/carts/{id}/lines", { ...once, body: { sku, quantity: 2 } }), 422);
  assert.equal(other.code, "IDEMPOTENCY_KEY_REUSED");
  return id;
}

/** Coupon, address and a way to send. Answers how the shopper can pay. */
async function checkout(app: Client, id: string): Promise<string> {
  const reduced = must(await app.PUT("/v1/carts/{id}/coupon", { params: { path: { id }, header: tap() }, body: { code: "WELCOME10" } }));
  assert.match(reduced.totals.discount?.amount ?? "", /^-/);
  const { options } = must(await app.POST("/v1/carts/{id}/shipping-options", { params: { path: { id } }, body: { address } }));
  const option = options?.[0];
  assert.ok(option, "a way to send it");
  const cart = must(
    await app.PUT("/v1/carts/{id}/shipping", {
      params: { path: { id }, header: tap() },
      body: { email: "ann@example.test", shippingAddress: address, methodCode: option.code },
    }),
  );
  const screen = must(await app.GET("/v1/screens/cart/{cartId}", { params: { path: { cartId: id } } }));
  assert.deepEqual(screen.cart.totals, cart.totals);
  const payment = cart.payments?.[0];
  assert.ok(payment, "a way to pay");
  return payment.code;
}

/** Orders, and reads the order as the guest who has its token. */
async function order(app: Client, id: string, paymentMethod: string): Promise<void> {
  const once = { params: { path: { id }, header: tap() }, body: { paymentMethod } };
  const placed = must(await app.POST("/v1/carts/{id}/order", once));
  assert.ok("number" in placed && placed.orderToken, "placed, with a guest's token");
  const again = await app.POST("/v1/carts/{id}/order", once);
  assert.deepEqual(must(again), placed);
  assert.equal(again.response.headers.get("Idempotent-Replayed"), "true");
  const path = { number: placed.number };
  const read = must(await app.GET("/v1/orders/{number}", { params: { path, header: { "X-Order-Token": placed.orderToken } } }));
  assert.equal(read.number, placed.number);
  assert.equal(read.totals.total.amount, placed.total.amount);
  refused(await app.GET("/v1/orders/{number}", { params: { path } }), 404);
}

/** Keeps a copy of the catalogue: all of it, and then what changed. Answers how many products it has. */
async function keep(app: Client): Promise<number> {
  const copy = new Map<string, Item>();
  let pages = 0;
  let page = must(await app.GET("/v1/sync", { params: { query: { first: 100 } } }));
  for (;;) {
    assert.ok(page.full || pages > 0); // what changed meanwhile comes at the end
    for (const item of page.items) copy.set(`${item.kind} ${item.id}`, item);
    pages++;
    if (!page.more) break;
    page = must(await app.GET("/v1/sync", { params: { query: { since: page.next, first: 100 } } }));
  }
  assert.ok(pages <= 5, `${pages} pages`);
  assert.ok((copy.get("categories all")?.categories?.length ?? 0) > 0);
  const kept = [...copy.values()].filter((item) => item.kind === "product");
  assert.ok(kept.every((item) => item.product?.sku === item.id && item.version !== undefined && item.deleted !== true));
  const wrong = refused(await app.GET("/v1/sync", { params: { query: { since: "garbage" } } }), 400);
  assert.equal(wrong.field, "since");
  const delta = await app.GET("/v1/sync", { params: { query: { since: page.next } } });
  if (must(await app.GET("/v1/config")).sync === "full") {
    assert.equal(refused(delta, 410).type, "/problems/sync-expired"); // nobody tells this server of changes
  } else {
    assert.deepEqual(must(delta).items, []);
  }
  return kept.length;
}

/** What is refused says why, to a program. */
async function mistakes(app: Client): Promise<void> {
  const problem = refused(await app.GET("/v1/screens/search", { params: { query: { first: 101 } } }), 400);
  assert.equal(problem.field, "first");
  assert.equal(problem.code, "OUT_OF_RANGE");
  const old = connect(base, { platform: "ios", version: "1.9", language: "en", currency: "USD" }, print);
  const outcome = await old.GET("/v1/screens/home");
  assert.equal(refused(outcome, 426).type, "/problems/upgrade-required");
  assert.equal(outcome.response.headers.get("Upgrade"), "ios-app/2.0");
  must(await old.GET("/v1/config"));
}

await start(app);
const sku = await browse(app);
await revalidate(app, sku);
const cart = await fill(app, sku);
await order(app, cart, await checkout(app, cart));
const kept = await keep(app);
await mistakes(app);
console.log(`bought ${sku}, kept ${kept} products`);
