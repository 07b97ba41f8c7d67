package reference_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/schema/commerce"
)

func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n > 0
}

var ann = commerce.Principal{
	Tenant: "default", Subject: "C1", Email: "ann@example.test", EmailVerified: true, Claims: map[string]string{"shop_id": "7"},
}

func TestNobodyIsTakenForACustomer(t *testing.T) {
	t.Parallel()
	none := func(context.Context, string) (int, error) {
		t.Error("nobody is looked up")
		return 0, nil
	}
	spoiled := map[string]func(*commerce.Principal){
		"anonymous":           func(p *commerce.Principal) { p.Subject = "" },
		"unverified address":  func(p *commerce.Principal) { p.EmailVerified = false },
		"no address":          func(p *commerce.Principal) { p.Email = "" },
		"a malformed address": func(p *commerce.Principal) { p.Email = "ann@example.test, bob@example.test" },
	}
	for name, spoil := range spoiled {
		p := ann
		spoil(&p)
		_, err := reference.NewCustomers(reference.Config{Name: "customers"}, "", number).Of(t.Context(), p, none)
		require.ErrorIs(t, err, commerce.ErrNotFound, name)
	}
	for claim, p := range map[string]commerce.Principal{
		"missing": ann, "shop_id": {Subject: "C1", Claims: map[string]string{"shop_id": "7 or 1"}},
	} {
		_, err := reference.NewCustomers(reference.Config{Name: "customers"}, claim, number).Of(t.Context(), p, none)
		require.ErrorIs(t, err, commerce.ErrNotFound, claim)
	}
}

func TestAClaimHoldsTheID(t *testing.T) {
	t.Parallel()
	byClaim := reference.NewCustomers(reference.Config{Name: "customers"}, "shop_id", number)
	assert.False(t, byClaim.ByEmail())
	unverified := ann
	unverified.EmailVerified = false
	id, err := byClaim.Of(t.Context(), unverified, nil)
	require.NoError(t, err)
	assert.Equal(t, 7, id)
}

func TestAnAddressIsLookedUpOncePerPrincipalAndAddress(t *testing.T) {
	t.Parallel()
	customers := reference.NewCustomers(reference.Config{Name: "customers"}, "", number)
	var asked []string
	find := func(_ context.Context, email string) (int, error) {
		asked = append(asked, email)
		return len(asked), nil
	}
	of := func(p commerce.Principal) int {
		id, err := customers.Of(t.Context(), p, find)
		require.NoError(t, err)
		return id
	}
	assert.Equal(t, 1, of(ann))
	assert.Equal(t, 1, of(ann))
	moved := ann
	moved.Email = "ann.lee@example.test"
	assert.Equal(t, 2, of(moved), "another address is another look-up")
	tenant := ann
	tenant.Tenant = "other"
	assert.Equal(t, 3, of(tenant), "another tenant's principal is somebody else")
	customers.Forget(ann)
	assert.Equal(t, 4, of(ann))
	assert.Equal(t, []string{"ann@example.test", "ann.lee@example.test", "ann@example.test", "ann@example.test"}, asked)
}
