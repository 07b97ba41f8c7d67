// Package openloyalty reads customers and their loyalty accounts from Open
// Loyalty 3.x. It offers the ports Customers and Loyalty.
//
// A principal is found once by its verified e-mail address, or carries the CRM's
// id in a claim. Then a profile costs one call, its segments included, and a
// loyalty account two at once. When either of these fails, the account fails:
// an account without its rewards would look like one that has none.
package openloyalty

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

const system = "openloyalty"

// Config is an installation's settings.
type Config struct {
	transport.Config
	APIKey  commerce.Secret `env:"API_KEY,required,notEmpty" doc:"The server's master_api_key, sent as X-AUTH-TOKEN."`
	IDClaim string          `env:"ID_CLAIM" envDefault:"email" doc:"Token claim that holds the customer's id in the CRM; email looks the verified e-mail address up instead."`
}

// How long and how many principals' ids are remembered.
const (
	idTTL  = 10 * time.Minute
	maxIDs = 50_000
)

// traits say that everything is read, and for the customer alone.
func traits() map[commerce.Operation]commerce.Traits {
	table := map[commerce.Operation]commerce.Traits{}
	for _, op := range []commerce.Operation{commerce.OpCustomer, commerce.OpLoyalty} {
		table[op] = commerce.Traits{System: system, Operation: op, Access: commerce.Read, Scope: commerce.ScopeCustomer}
	}
	return table
}

// connector implements both ports over one installation.
type connector struct {
	client *transport.Client
	traits map[commerce.Operation]commerce.Traits
	ids    *reference.Customers[string]
}

var (
	_ commerce.Customers = (*connector)(nil)
	_ commerce.Loyalty   = (*connector)(nil)
)

// New connects to the installation. It makes no call; every bad setting is reported at once.
func New(cfg Config, deps transport.Deps) (commerce.Ports, error) {
	var errs []error
	if cfg.APIKey == "" {
		errs = append(errs, transport.BadSetting("API_KEY", "must not be empty"))
	}
	key := string(cfg.APIKey)
	client, err := transport.New(system, cfg.Config, func(r *http.Request) error {
		r.Header.Set("X-AUTH-TOKEN", key)
		return nil
	}, deps)
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return commerce.Ports{}, fmt.Errorf("openloyalty: %w", err)
	}
	c := &connector{
		client: client, traits: traits(),
		ids: reference.NewCustomers(reference.Config{
			Name: "openloyalty customers", TTL: idTTL, MaxEntries: maxIDs, Invalidations: deps.Invalidations, System: system,
		}, cfg.IDClaim, customerID),
	}
	return commerce.Ports{Customers: c, Loyalty: c, Traits: c.traits}, nil
}

// Why an answer was of no use. Constant texts: what the CRM says may repeat personal data.
var (
	errShape     = errors.New("answered without what was asked for")
	errForeign   = errors.New("answered with another customer")
	errAmbiguous = errors.New("several customers have the same e-mail address")
	errGone      = errors.New("the customer is not there any more")
	errNobody    = errors.New("the principal has no customer")
)

// get makes one call, decodes its answer into v and has it checked: check's error says
// why the answer is of no use.
func (c *connector) get(ctx context.Context, op commerce.Operation, r transport.Request, v any, check func() error) error {
	r.Method = http.MethodGet
	r.Read = func(res *transport.Response) error { return read(c.traits[op], res, v, check) }
	_, err := c.client.Do(ctx, c.traits[op], r)
	return err
}

func read(traits commerce.Traits, res *transport.Response, v any, check func() error) error {
	switch res.Status {
	case http.StatusOK:
	case http.StatusNotFound:
		return absent(traits, res)
	default:
		return transport.Refused(traits, res)
	}
	if err := transport.DecodeJSON(system, traits, res, v); err != nil {
		return err
	}
	if err := check(); err != nil {
		return transport.BadAnswer(traits, res, err)
	}
	return nil
}

// absent is a 404, which counts as such only when the CRM itself says so, in JSON.
func absent(traits commerce.Traits, res *transport.Response) error {
	var said wireFailure
	if err := transport.DecodeJSON(system, traits, res, &said); err != nil {
		return err
	}
	if said.Error.Code != "404" {
		return transport.Refused(traits, res)
	}
	return transport.Failed(traits, commerce.ErrNotFound, errGone)
}
