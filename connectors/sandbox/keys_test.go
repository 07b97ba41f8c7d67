package sandbox_test

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// publicKeys reads a JSON Web Key Set as a stranger would.
func publicKeys(t *testing.T, document string) map[string]*rsa.PublicKey {
	t.Helper()
	var set struct {
		Keys []struct{ Kid, Kty, Alg, Use, N, E string }
	}
	require.NoError(t, json.Unmarshal([]byte(document), &set))
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		require.Equal(t, "RSA", k.Kty)
		require.Equal(t, "RS256", k.Alg)
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		require.NoError(t, err)
		e, err := base64.RawURLEncoding.DecodeString(k.E)
		require.NoError(t, err)
		keys[k.Kid] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
		require.Equal(t, 2048, keys[k.Kid].N.BitLen())
	}
	return keys
}
