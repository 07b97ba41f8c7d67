package ratelimit

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// What nodes share in Redis is one person's at one tenant, or one address's: who has the
// same subject elsewhere pays for nobody else.
func TestW10_SharedAccountsAreOnePersonsOrOneAddresss(t *testing.T) {
	t.Parallel()
	const most = 10
	everyone := []struct {
		peer string
		who  commerce.Principal
	}{
		{"203.0.113.1:1", ann},
		{"203.0.113.1:1", abby},
		{"203.0.113.1:1", commerce.Principal{Tenant: "default", Subject: "anne"}},
		{"203.0.113.1:1", commerce.Principal{Tenant: "defaultann", Subject: "ann"}},
		{"203.0.113.1:1", commerce.Principal{Tenant: "defaulta", Subject: "nn"}},
	}
	nodes := shared(t, miniredis.RunT(t), 2, Config{CustomerCoupons: most})
	for _, one := range everyone {
		require.Nil(t, client(nodes[0], one.peer, one.who).Coupons(t.Context(), most), "%+v", one)
	}
	for _, one := range everyone {
		assert.NotNil(t, client(nodes[1], one.peer, one.who).Coupons(t.Context(), most), "%+v has spent it on the other node", one)
	}

	nodes = shared(t, miniredis.RunT(t), 2, Config{AddressCoupons: most})
	for _, peer := range []string{"203.0.113.1:1", "203.0.113.2:1", "[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1"} {
		require.Nil(t, client(nodes[0], peer, ann).Coupons(t.Context(), most), peer)
		assert.NotNil(t, client(nodes[1], peer, abby).Coupons(t.Context(), most), "%s has spent it, whoever signs in there", peer)
	}
}

// Two budgets of one person are two accounts.
func TestW10_BudgetsOfOnePersonAreApartInRedis(t *testing.T) {
	t.Parallel()
	nodes := shared(t, miniredis.RunT(t), 2, Config{Customer: 10, Address: 10, CustomerCoupons: 10, AddressCoupons: 10})
	require.Nil(t, client(nodes[0], "203.0.113.1:1", ann).Coupons(t.Context(), 10))
	c := client(nodes[1], "203.0.113.1:1", ann)
	assert.Nil(t, c.Both(t.Context(), 10), "coupons are not requests")
	assert.NotNil(t, c.Coupons(t.Context(), 1))
}

// Who met the end of what all nodes share is refused on this node until it is there again,
// also for what is too little to be settled.
func TestW10_WhatAllNodesHaveSpentIsSpentHere(t *testing.T) {
	t.Parallel()
	nodes := shared(t, miniredis.RunT(t), 2, Config{Customer: 400})
	require.Nil(t, client(nodes[0], "203.0.113.1:1", ann).Customer(t.Context(), 400))
	here := client(nodes[1], "203.0.113.1:1", ann)
	require.NotNil(t, here.Customer(t.Context(), 200), "a part is settled, and there is none")
	refused := here.Customer(t.Context(), 1)
	require.NotNil(t, refused)
	assert.Positive(t, refused.Wait)
	_, state := here.Fields()
	assert.Contains(t, state, `"customer";r=0;`)
}
