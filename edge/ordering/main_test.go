package ordering_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

func TestMain(m *testing.M) {
	// go-redis looks for a server that is gone once a second, and sees only then that its client was closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

const (
	tokenKey = "0123456789abcdef0123456789abcdef"
	timeout  = 2 * time.Second
	settle   = 10 * time.Second
)

// world is a service on a shop whose checkout can be made to lie.
type world struct {
	*ordering.Service
	shop     *commercetest.Shop
	fixture  commercetest.Fixture
	checkout *checkout
	ledger   ledger.Ledger
	forgot   []commerce.SKU
}

func start(l ledger.Ledger) *world {
	w := &world{shop: commercetest.NewShop(), ledger: l}
	w.fixture = w.shop.Fixture()
	ports := w.shop.Ports()
	w.checkout = &checkout{Checkout: ports.Checkout}
	ports.Checkout = w.checkout
	w.Service = w.over(ports)
	return w
}

// over is a service of another node on the same shop and ledger.
func (w *world) over(ports commerce.Ports) *ordering.Service {
	cfg := ordering.Config{TokenKey: tokenKey, SettleTime: settle}
	return ordering.New(cfg, ordering.Deps{
		Ports: ports, Ledger: w.ledger, Timeout: timeout, Log: slog.New(slog.DiscardHandler),
		Forget: func(_ context.Context, skus []commerce.SKU) { w.forgot = append(w.forgot, skus...) },
	})
}

func (w *world) guest() commerce.Shopper {
	return commerce.Shopper{Market: w.fixture.Market, Principal: commerce.Principal{Tenant: "default"}}
}

func (w *world) customer(p commerce.Principal) commerce.Shopper {
	return commerce.Shopper{Market: w.fixture.Market, Principal: p}
}

// cart is one that can be placed.
func (w *world) cart(t *testing.T, s commerce.Shopper) ordering.Request {
	t.Helper()
	ports := w.shop.Ports()
	cart, err := ports.Carts.Create(t.Context(), s)
	require.NoError(t, err)
	_, err = ports.CartLines.AddLine(t.Context(), s, cart.ID, w.fixture.Products[0], 2)
	require.NoError(t, err)
	options, err := ports.CheckoutOptions.ShippingOptions(t.Context(), s, cart.ID, w.fixture.Address)
	require.NoError(t, err)
	_, err = ports.CheckoutOptions.SetShipping(t.Context(), s, cart.ID, commerce.ShippingChoice{
		Email: w.fixture.Email, Shipping: w.fixture.Address, Code: options[0].Code,
	})
	require.NoError(t, err)
	return ordering.Request{Shopper: s, Cart: cart.ID, PaymentMethod: w.fixture.Payment}
}

// checkout passes on to a real one and then, as told, loses the answer or never
// asks; it counts what reaches it.
type checkout struct {
	commerce.Checkout
	mu      sync.Mutex
	script  []lie // one for each Place; the truth when it is empty
	down    bool  // Reconcile cannot be reached
	placed  int   // orders that came to be
	pending []func()
}

type lie int

const (
	truth    lie = iota
	lost         // the order comes to be, its answer is lost
	gone         // the order comes to be, the answer says that the cart is gone
	never        // the call is lost, no order comes to be
	later        // no answer, and the order comes to be when finish is called
	canceled     // the order comes to be, the connector reports cancellation
)

var errLost = &commerce.CallError{System: "shop", Operation: commerce.OpPlace, Kind: commerce.ErrTimeout, Err: commerce.ErrOutcomeUnknown}

func (c *checkout) next() lie {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.script) == 0 {
		return truth
	}
	l := c.script[0]
	c.script = c.script[1:]
	return l
}

func (c *checkout) Place(ctx context.Context, s commerce.Shopper, ref commerce.CheckoutRef, method string) (*commerce.PlacedOrder, error) {
	l := c.next()
	place := func(ctx context.Context) (*commerce.PlacedOrder, error) {
		order, err := c.Checkout.Place(ctx, s, ref, method)
		if err == nil {
			c.mu.Lock()
			c.placed++
			c.mu.Unlock()
		}
		return order, err
	}
	switch l {
	case never:
		return nil, errLost
	case later:
		c.mu.Lock()
		c.pending = append(c.pending, func() { _, _ = place(context.WithoutCancel(ctx)) })
		c.mu.Unlock()
		return nil, errLost
	}
	order, err := place(ctx)
	switch {
	case err != nil || l == truth:
		return order, err
	case l == gone:
		return nil, &commerce.CallError{System: "shop", Operation: commerce.OpPlace, Kind: commerce.ErrNotFound}
	case l == canceled:
		return nil, context.Canceled
	default:
		return nil, errLost
	}
}

// finish lets orders that are late come to be.
func (c *checkout) finish() {
	c.mu.Lock()
	pending := c.pending
	c.pending = nil
	c.mu.Unlock()
	for _, place := range pending {
		place()
	}
}

func (c *checkout) Reconcile(ctx context.Context, s commerce.Shopper, ref commerce.CheckoutRef) (*commerce.PlacedOrder, error) {
	c.mu.Lock()
	down := c.down
	c.mu.Unlock()
	if down {
		return nil, commerce.ErrUnavailable
	}
	return c.Checkout.Reconcile(ctx, s, ref)
}

func (c *checkout) set(change func(*checkout)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

func (c *checkout) orders() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.placed
}

func code(t *testing.T, err error) commerce.Code {
	t.Helper()
	input, ok := errors.AsType[*commerce.InputError](err)
	require.True(t, ok, "%v", err)
	return input.Code
}
