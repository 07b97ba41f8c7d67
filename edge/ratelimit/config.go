package ratelimit

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/portico-bff/portico/edge/clientip"
)

// Config says how much callers may ask for. A budget of 0 is none: nobody is limited.
type Config struct {
	Customer        int      `env:"RATE_LIMIT_CUSTOMER" envDefault:"1200" doc:"What a signed-in customer's requests may cost in a minute, all nodes together; 0 does not limit. A request costs 1 and one more for each call of a system that it can come to; a kept answer costs 1."`
	Address         int      `env:"RATE_LIMIT_ADDRESS" envDefault:"6000" doc:"What the requests from one address may cost in a minute, a network of the /64 of IPv6; 0 does not limit."`
	CustomerCoupons int      `env:"RATE_LIMIT_CUSTOMER_COUPONS" envDefault:"10" doc:"Coupons that a customer may try in a minute; 0 does not limit. Each alias of a mutation is one more."`
	AddressCoupons  int      `env:"RATE_LIMIT_ADDRESS_COUPONS" envDefault:"60" doc:"Coupons that may be tried from one address in a minute; 0 does not limit."`
	Proxies         []string `env:"TRUSTED_PROXIES" doc:"Addresses and networks (10.0.0.0/8) of the proxies in front, separated by commas; only what they say in X-Forwarded-For is believed."`
	Exempt          []string `env:"RATE_LIMIT_EXEMPT" envDefault:"127.0.0.0/8,::1" doc:"Addresses and networks whose requests are not limited, such as the shop's own server rendering; none limits everyone. A proxy's address must be in TRUSTED_PROXIES, or all its clients are the proxy."`
}

// Validate checks budgets and addresses.
func (c Config) Validate() error {
	var errs []error
	for variable, n := range map[string]int{
		"RATE_LIMIT_CUSTOMER": c.Customer, "RATE_LIMIT_ADDRESS": c.Address,
		"RATE_LIMIT_CUSTOMER_COUPONS": c.CustomerCoupons, "RATE_LIMIT_ADDRESS_COUPONS": c.AddressCoupons,
	} {
		if n < 0 || n > maxBudget {
			errs = append(errs, fmt.Errorf("%s must be 0 to %d", variable, maxBudget))
		}
	}
	_, err := clientip.New(c.Proxies)
	errs = append(errs, err)
	_, err = clientip.Parse("RATE_LIMIT_EXEMPT", c.Exempt)
	return errors.Join(append(errs, err)...)
}

// maxBudget keeps sums far from the end of numbers.
const maxBudget = 100_000_000

// neighborhood is what one client can easily use all addresses of: an address, or a /64.
func neighborhood(addr netip.Addr) netip.Addr {
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return addr
}
