package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	system = "issuer"
	opKeys = commerce.Operation("identity.keys")

	fetchTimeout = 3 * time.Second
	maxJWKS      = 256 << 10        // bytes
	refreshAfter = time.Hour        // a key in use does not wait for it
	keepKeys     = 24 * time.Hour   // while the issuer cannot be reached
	unknownPause = 30 * time.Second // between fetches because of keys that nobody knows
	firstPause   = time.Second      // between fetches while there are no keys at all
	minRSABits   = 2048
)

// keySet holds the issuer's public keys. They are fetched when they are first
// needed, again in the background every hour, and at once, though rarely, for a
// key id that is not known: issuers rotate keys.
type keySet struct {
	url    string
	client *http.Client
	log    *slog.Logger

	ctx  context.Context // of fetches; ends with close
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu        sync.Mutex
	keys      map[string]publicKey
	fetchedAt time.Time // when keys came
	triedAt   time.Time // when the last fetch began
	unknownAt time.Time // when the last fetch began because of an unknown key id
	failed    bool      // the last fetch failed
	flight    chan struct{}
}

type publicKey struct {
	key any
	alg string // the only algorithm it is for; empty means any that fits its type
}

func newKeySet(url string, rt http.RoundTripper, log *slog.Logger) *keySet {
	ctx, stop := context.WithCancel(context.Background())
	client := &http.Client{
		Transport:     rt,
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &keySet{url: url, client: client, log: log, ctx: ctx, stop: stop}
}

func (s *keySet) close() {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	s.wg.Wait()
	s.client.CloseIdleConnections()
}

// key answers the key of that id, for the token's algorithm.
func (s *keySet) key(ctx context.Context, kid, alg string) (any, error) {
	k, wait, err := s.look(kid)
	if wait != nil {
		select {
		case <-wait:
			k, err = s.again(kid)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	switch {
	case err != nil:
		return nil, err
	case !k.fits(alg):
		return nil, refuse("key is for another algorithm")
	default:
		return k.key, nil
	}
}

// look answers a known key, or a fetch to wait for, or why neither is to be had.
func (s *keySet) look(kid string) (publicKey, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	usable := s.keys != nil && now.Sub(s.fetchedAt) < keepKeys
	k, known := s.keys[kid]
	switch {
	case usable && known:
		if now.Sub(s.fetchedAt) > refreshAfter && now.Sub(s.triedAt) > unknownPause {
			s.fetch(now)
		}
		return k, nil, nil
	case s.flight != nil:
		return publicKey{}, s.flight, nil
	case !usable && (s.triedAt.IsZero() || now.Sub(s.triedAt) >= firstPause):
		return publicKey{}, s.fetch(now), nil
	case usable && (s.unknownAt.IsZero() || now.Sub(s.unknownAt) >= unknownPause):
		s.unknownAt = now
		return publicKey{}, s.fetch(now), nil
	default:
		return publicKey{}, nil, s.absent(usable)
	}
}

// again looks once more after a fetch.
func (s *keySet) again(kid string) (publicKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	usable := s.keys != nil && time.Since(s.fetchedAt) < keepKeys
	if k, known := s.keys[kid]; usable && known {
		return k, nil
	}
	return publicKey{}, s.absent(usable)
}

// absent tells a token nobody signed from keys that could not be had.
func (s *keySet) absent(usable bool) error {
	if !usable || s.failed {
		return &commerce.CallError{System: system, Operation: opKeys, Kind: commerce.ErrUnavailable, Reason: commerce.ReasonUnavailable}
	}
	return refuse("unknown key")
}

// fetch starts the one fetch that everybody waits for. s.mu is held.
func (s *keySet) fetch(now time.Time) <-chan struct{} {
	if s.flight != nil {
		return s.flight
	}
	s.triedAt = now
	done := make(chan struct{})
	s.flight = done
	s.wg.Go(func() {
		keys, err := s.download()
		if err != nil {
			s.log.LogAttrs(s.ctx, slog.LevelWarn, "issuer's keys not fetched", slog.String("error", err.Error()))
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.flight, s.failed = nil, err != nil
		if err == nil {
			s.keys, s.fetchedAt = keys, time.Now()
		}
		close(done)
	})
	return done
}

func (s *keySet) download() (map[string]publicKey, error) {
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxJWKS+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxJWKS {
		return nil, errors.New("too large")
	}
	return parseKeys(body)
}

// parseKeys keeps the keys that can verify signatures; an issuer may publish others.
func parseKeys(body []byte) (map[string]publicKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, errors.New("not a key set")
	}
	keys := map[string]publicKey{}
	for _, raw := range set.Keys {
		jwk, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			continue
		}
		m := jwk.Marshal()
		k := publicKey{key: jwk.Key(), alg: m.ALG.String()}
		if m.KID == "" || (m.USE != "" && m.USE != jwkset.UseSig) || !k.verifies() {
			continue
		}
		keys[m.KID] = k
	}
	if len(keys) == 0 {
		return nil, errors.New("no usable key")
	}
	return keys, nil
}

func (k publicKey) verifies() bool {
	switch key := k.key.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= minRSABits
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	default:
		return false
	}
}

// fits tells whether a token with this algorithm may be checked with the key.
func (k publicKey) fits(alg string) bool {
	if k.alg != "" && k.alg != alg {
		return false
	}
	switch key := k.key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(alg, "RS") || strings.HasPrefix(alg, "PS")
	case *ecdsa.PublicKey:
		return alg == map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[key.Curve.Params().BitSize]
	default:
		return alg == "EdDSA"
	}
}
