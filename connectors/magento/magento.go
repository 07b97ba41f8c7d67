// Package magento speaks the REST API of Magento 2 and Adobe Commerce for carts,
// checkout and orders.
//
// Guests' carts use the open guest-cart routes; their masked id is a bearer
// secret that appears in no error and no log. Customers' carts use the admin
// routes with an OAuth 1.0a integration identity, after this package has checked
// that the cart is the principal's: Magento itself lets an integration touch
// every cart. A user's token is never forwarded.
//
// The integration needs the resources Magento_Cart::manage (carts),
// Magento_Sales::actions_view (orders) and, unless a claim holds the customer's
// id, Magento_Customer::customer (looking up an e-mail address).
package magento

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// System is the kind's name in configuration, errors and reports.
const System = "magento"

// Config says how to reach a Magento shop and as whom.
type Config struct {
	transport.Config // BaseURL is the shop's root, above /rest

	ConsumerKey    commerce.Secret   `env:"CONSUMER_KEY,required,notEmpty" doc:"OAuth consumer key of the shop's integration."`
	ConsumerSecret commerce.Secret   `env:"CONSUMER_SECRET,required,notEmpty" doc:"OAuth consumer secret of the shop's integration."`
	Token          commerce.Secret   `env:"TOKEN,required,notEmpty" doc:"OAuth access token of the shop's integration."`
	TokenSecret    commerce.Secret   `env:"TOKEN_SECRET,required,notEmpty" doc:"OAuth access token secret of the shop's integration."`
	Stores         map[string]string `env:"STORES" envDefault:"USD=default,EUR=eur,GBP=gbp" envKeyValSeparator:"=" doc:"Store view that sells in each currency, as CURRENCY=code pairs."`
	IDClaim        string            `env:"ID_CLAIM" envDefault:"email" doc:"Token claim that holds the customer's Magento id; email looks the verified e-mail address up instead."`
}

// placeTimeout is what an order may take: Magento reserves stock, authorizes the
// payment and renders an e-mail before it answers.
const placeTimeout = 15 * time.Second

// traits is what is known of each operation. Nothing that may change a cart is
// ever repeated, even where the method would allow it: a lost answer is read back.
var traits = map[commerce.Operation]commerce.Traits{
	commerce.OpCartCreate:      {Access: commerce.Write, Scope: commerce.ScopeSession},
	commerce.OpCartRead:        {Access: commerce.Read, Scope: commerce.ScopeSession},
	commerce.OpCartMerge:       {Access: commerce.Write, Scope: commerce.ScopeCustomer},
	commerce.OpLineAdd:         {Access: commerce.Write, Scope: commerce.ScopeSession},
	commerce.OpLineSet:         {Access: commerce.Write, Scope: commerce.ScopeSession},
	commerce.OpLineRemove:      {Access: commerce.Write, Scope: commerce.ScopeSession},
	commerce.OpCouponApply:     {Access: commerce.Write, Scope: commerce.ScopeSession},
	commerce.OpCouponRemove:    {Access: commerce.Write, Scope: commerce.ScopeSession},
	commerce.OpShippingOptions: {Access: commerce.Read, Scope: commerce.ScopeSession},
	commerce.OpShippingSet:     {Access: commerce.Write, Scope: commerce.ScopeSession},
	commerce.OpPrepare:         {Access: commerce.Read, Scope: commerce.ScopeSession},
	commerce.OpPlace:           {Access: commerce.Write, Scope: commerce.ScopeSession, Timeout: placeTimeout},
	commerce.OpReconcile:       {Access: commerce.Read, Scope: commerce.ScopeSession},
	commerce.OpOrders:          {Access: commerce.Read, Scope: commerce.ScopeCustomer},
	commerce.OpOrder:           {Access: commerce.Read, Scope: commerce.ScopeCustomer},
	commerce.OpGuestOrder:      {Access: commerce.Read, Scope: commerce.ScopeSession},
}

// Traits answers what the kind knows of its operations.
func Traits() map[commerce.Operation]commerce.Traits {
	table := make(map[commerce.Operation]commerce.Traits, len(traits))
	for op := range traits {
		table[op] = traitsOf(op)
	}
	return table
}

func traitsOf(op commerce.Operation) commerce.Traits {
	t := traits[op]
	t.System, t.Operation = System, op
	return t
}

// reading is op's traits for the calls around a write that only look.
func reading(op commerce.Operation) commerce.Traits {
	t := traitsOf(op)
	t.Access, t.Timeout = commerce.Read, 0
	return t
}

// connector implements the checkout's ports.
type connector struct {
	client    *transport.Client
	log       *slog.Logger
	stores    map[string]string
	customers *reference.Customers[string]
	countries *reference.Cache[string, []region]
	turns     turns
}

const (
	customerTTL = 10 * time.Minute
	countryTTL  = time.Hour
)

// New makes the ports Carts, CartLines, CartCoupons, CheckoutOptions, Checkout and
// PlacedOrders of the shop at cfg.BaseURL. It makes no call. Empty Stores and
// IDClaim mean the defaults that their tags name.
func New(cfg Config, deps transport.Deps) (commerce.Ports, error) {
	if len(cfg.Stores) == 0 {
		cfg.Stores = map[string]string{"USD": "default", "EUR": "eur", "GBP": "gbp"}
	}
	client, err := transport.New(System, cfg.Config, signer(cfg, time.Now), deps)
	if err = errors.Join(err, cfg.check()); err != nil {
		return commerce.Ports{}, err
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	c := &connector{
		client: client, log: deps.Log, stores: cfg.Stores,
		customers: reference.NewCustomers(reference.Config{
			Name: "magento customers", TTL: customerTTL, Invalidations: deps.Invalidations, System: System, Tags: []commerce.Tag{tagCustomers},
		}, cfg.IDClaim, claimedID),
		countries: reference.New[string, []region](reference.Config{
			Name: "magento countries", TTL: countryTTL, MaxEntries: 300, Invalidations: deps.Invalidations, System: System,
		}),
	}
	return commerce.Ports{
		Carts: c, CartLines: c, CartCoupons: c, CheckoutOptions: c, Checkout: c, PlacedOrders: placedOrders{c},
		Traits: Traits(),
	}, nil
}

var storePattern = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]{0,31}$`)

// check reports every bad setting of this kind at once.
func (cfg Config) check() error {
	var errs []error
	for _, s := range []struct {
		name  string
		value commerce.Secret
	}{
		{"CONSUMER_KEY", cfg.ConsumerKey},
		{"CONSUMER_SECRET", cfg.ConsumerSecret},
		{"TOKEN", cfg.Token},
		{"TOKEN_SECRET", cfg.TokenSecret},
	} {
		if s.value == "" {
			errs = append(errs, transport.BadSetting(s.name, "must not be empty"))
		}
	}
	for code, store := range cfg.Stores {
		if !commerce.IsCurrency(code) || !storePattern.MatchString(store) {
			errs = append(errs, transport.BadSetting("STORES", "must be pairs of a currency and a store view's code"))
		}
	}
	return errors.Join(errs...)
}

// adminStore is the store view of calls that belong to no market.
const adminStore = "all"

// store is the market's store view.
func (c *connector) store(m commerce.Market) (string, error) {
	store, ok := c.stores[m.Currency]
	if !ok {
		return "", &commerce.InputError{Field: "currency", Code: commerce.CodeUnsupported, Message: "is not sold in"}
	}
	return store, nil
}

// call is one REST call. Path begins after /V1.
type call struct {
	traits commerce.Traits
	store  string
	method string
	path   []string
	query  map[string][]string
	body   any          // encoded as JSON when not nil
	check  func() error // says why the decoded answer is of no use; nil when there is nothing to check
}

// send makes the call and decodes a 2xx answer into out.
func (c *connector) send(ctx context.Context, k call, out any) error {
	body, header, err := encodeBody(k.body)
	if err != nil {
		return err
	}
	_, err = c.client.Do(ctx, k.traits, transport.Request{
		Step: k.step(), Method: k.method, Path: append([]string{"rest", k.store, "V1"}, k.path...), Query: k.query, Header: header, Body: body,
		Read: func(res *transport.Response) error { return k.read(res, out) },
	})
	return err
}

// words are the parts of paths that do not vary.
var words = map[string]bool{
	"carts": true, "guest-carts": true, "customers": true, "orders": true, "search": true, "directory": true, "countries": true,
	"items": true, "totals": true, "coupons": true, "order": true, "payment-methods": true, "estimate-shipping-methods": true,
	"shipping-information": true, "payment-information": true,
}

// step is the method and the path without its ids: "GET carts/*/totals".
func (k call) step() string {
	parts := make([]string, len(k.path))
	for i, part := range k.path {
		parts[i] = part
		if !words[part] {
			parts[i] = "*"
		}
	}
	return k.method + " " + strings.Join(parts, "/")
}

func (k call) read(res *transport.Response, out any) error {
	if res.Status >= http.StatusMultipleChoices {
		return refused(k.traits, res)
	}
	if err := transport.DecodeJSON(System, k.traits, res, out); err != nil {
		return err
	}
	if k.check == nil {
		return nil
	}
	if err := k.check(); err != nil {
		return transport.BadAnswer(k.traits, res, err)
	}
	return nil
}

// failed is a call error that this package found by itself.
func failed(op commerce.Operation, kind error, text string) error {
	return transport.Failed(traitsOf(op), kind, errors.New(text))
}

func notFound(op commerce.Operation) error {
	return failed(op, commerce.ErrNotFound, "no such cart or order of the caller")
}
