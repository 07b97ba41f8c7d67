package commercetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// strangers are principals that must not be taken for the fixture's customer.
func strangers(f Fixture) map[string]commerce.Principal {
	unverified := f.Customer
	unverified.EmailVerified = false
	unverified.Subject += "-other"
	return map[string]commerce.Principal{"nobody": f.Nobody, "anonymous": {}, "unverified e-mail": unverified}
}

// Customers is the contract of [commerce.Customers].
func Customers(t *testing.T, port commerce.Customers, f Fixture) {
	own, err := port.Customer(t.Context(), f.Customer)
	require.NoError(t, err)
	assert.Equal(t, f.Customer.Email, own.Email)
	assert.NotEmpty(t, own.FirstName)
	assert.NotEmpty(t, own.LastName)
	other, err := port.Customer(t.Context(), f.Neighbor)
	require.NoError(t, err)
	assert.Equal(t, f.Neighbor.Email, other.Email)
	for name, p := range strangers(f) {
		t.Run(name, func(t *testing.T) {
			_, err := port.Customer(t.Context(), p)
			kindOf(t, err, commerce.ErrNotFound)
		})
	}
}

// Loyalty is the contract of [commerce.Loyalty].
func Loyalty(t *testing.T, port commerce.Loyalty, f Fixture) {
	own, err := port.Loyalty(t.Context(), f.Customer)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, own.Points, 0)
	assert.GreaterOrEqual(t, own.Earned, own.Points)
	if own.NextLevel == "" {
		assert.Zero(t, own.PointsToNextLevel)
	}
	for name, p := range strangers(f) {
		t.Run(name, func(t *testing.T) {
			_, err := port.Loyalty(t.Context(), p)
			kindOf(t, err, commerce.ErrNotFound)
		})
	}
}

// Notifications is the contract of [commerce.Notifications].
func Notifications(t *testing.T, port commerce.Notifications, f Fixture) {
	require.NoError(t, port.Notify(t.Context(), f.Customer, "order-placed", map[string]string{"number": string(f.Order)}))
	kindOf(t, port.Notify(t.Context(), commerce.Principal{}, "order-placed", nil), commerce.ErrNotFound)
}
