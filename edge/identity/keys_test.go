package identity_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestA9_UnknownKeysCostOneFetchIn30Seconds(t *testing.T) {
	signers() // made outside of the bubble, whose clock stands still
	synctest.Test(t, func(t *testing.T) {
		v, server := start(t)
		unknown := "Bearer " + token{signer: "other-rsa"}.sign(t)
		_, err := v.Verify(t.Context(), "Bearer "+token{}.sign(t))
		require.NoError(t, err)
		first := server.fetches.Load()
		var wg sync.WaitGroup
		for range 29 { // 1,000 a second would only take longer
			for range 50 {
				wg.Go(func() {
					_, err := v.Verify(context.WithoutCancel(t.Context()), unknown)
					assert.ErrorIs(t, err, commerce.ErrUnauthenticated)
				})
			}
			wg.Wait()
			time.Sleep(time.Second)
		}
		assert.Equal(t, int64(1), server.fetches.Load()-first)
		time.Sleep(2 * time.Second)
		_, err = v.Verify(t.Context(), unknown)
		require.ErrorIs(t, err, commerce.ErrUnauthenticated)
		assert.Equal(t, int64(2), server.fetches.Load()-first)
		v.Close()
	})
}

func TestA9_RotationFailsNoRequest(t *testing.T) {
	signers()
	synctest.Test(t, func(t *testing.T) {
		v, server := start(t)
		_, err := v.Verify(t.Context(), "Bearer "+token{}.sign(t))
		require.NoError(t, err)
		server.publish(t, "rsa", "other-rsa")
		p, err := v.Verify(t.Context(), "Bearer "+token{signer: "other-rsa"}.sign(t))
		require.NoError(t, err)
		assert.Equal(t, "AW00011000", p.Subject)
		v.Close()
	})
}

func TestA9_LastGoodKeysLiveADay(t *testing.T) {
	signers()
	synctest.Test(t, func(t *testing.T) {
		v, server := start(t)
		verify := func() error {
			_, err := v.Verify(t.Context(), "Bearer "+token{}.sign(t))
			return err
		}
		require.NoError(t, verify())
		server.set(func(s *issuerServer) { s.down = true })
		for range 23 {
			time.Sleep(time.Hour)
			require.NoError(t, verify())
			synctest.Wait() // the refresh in the background
		}
		time.Sleep(61 * time.Minute)
		require.ErrorIs(t, verify(), commerce.ErrUnavailable)
		server.set(func(s *issuerServer) { s.down = false })
		time.Sleep(2 * time.Second)
		require.NoError(t, verify(), "it heals by itself")
		v.Close()
	})
}

func TestKeysThatWereNeverReachedAreUnavailable(t *testing.T) {
	signers()
	synctest.Test(t, func(t *testing.T) {
		v, server := start(t)
		answers := map[string]func(*issuerServer){
			"down":      func(s *issuerServer) { s.down = true },
			"an error":  func(s *issuerServer) { s.down, s.status = false, http.StatusInternalServerError },
			"a move":    func(s *issuerServer) { s.status = http.StatusFound },
			"no JSON":   func(s *issuerServer) { s.status, s.body = http.StatusOK, []byte("<html>") },
			"no keys":   func(s *issuerServer) { s.body = []byte(`{"keys":[]}`) },
			"too large": func(s *issuerServer) { s.body = make([]byte, 1<<20) },
		}
		for name, answer := range answers {
			server.set(answer)
			_, err := v.Verify(t.Context(), "Bearer "+token{}.sign(t))
			require.ErrorIs(t, err, commerce.ErrUnavailable, name)
			time.Sleep(2 * time.Second)
		}
		server.publish(t, "rsa")
		_, err := v.Verify(t.Context(), "Bearer "+token{}.sign(t))
		require.NoError(t, err)
		v.Close()
	})
}
