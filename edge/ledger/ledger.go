// Package ledger keeps small records of what was begun and how it ended, so that
// nobody begins it twice. It lives in Redis, where all nodes see it, or in the
// process when there is no Redis.
package ledger

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Ledger keeps a text under a key for a while. Every method is atomic. When the
// ledger cannot be reached the error is a commerce.ErrUnavailable or ErrTimeout,
// and the effect is unknown.
type Ledger interface {
	// Claim writes value unless the key is taken; it answers what the key holds now.
	Claim(ctx context.Context, key, value string, ttl time.Duration) (held string, claimed bool, err error)
	// Replace writes value when the key holds old, or nothing; it tells whether it did.
	Replace(ctx context.Context, key, old, value string, ttl time.Duration) (bool, error)
	// Extend lets the key live for ttl from now when it holds value; it tells whether it did.
	Extend(ctx context.Context, key, value string, ttl time.Duration) (bool, error)
	// Drop removes the key when it holds old; it tells whether it did.
	Drop(ctx context.Context, key, old string) (bool, error)
	// Get answers what the key holds; empty when nothing.
	Get(ctx context.Context, key string) (string, error)
}

// Key names a record. Parts are length-prefixed and hashed: no two lists of parts
// collide, and no secret among them can be read from the store.
func Key(space string, parts ...string) string {
	h := sha256.New()
	for _, part := range append([]string{space}, parts...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		_, _ = h.Write(n[:]) // a hash never fails
		_, _ = h.Write([]byte(part))
	}
	return "portico:" + space + ":" + hex.EncodeToString(h.Sum(nil))
}

// Token is 128 random bits as text, to tell one owner of a record from another.
func Token() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b[:])
}
