// Package requestid names a request, so that its log lines, its answer and a
// client's complaint can be brought together.
package requestid

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
)

// Header is where a client sends an id, and where the answer repeats it.
const Header = "X-Request-Id"

// most is how long a client's id may be, in bytes.
const most = 64

// Key is under what a context keeps the id, for contexts that keep it themselves; the
// value is a string, or a pointer to one that nobody changes.
type Key struct{}

// New keeps incoming when it is 1 to 64 of [A-Za-z0-9._-], else it makes an id of
// 128 random bits. The result shares no memory with incoming.
func New(incoming string) string {
	if sane(incoming) {
		return strings.Clone(incoming)
	}
	var b [16]byte
	binary.NativeEndian.PutUint64(b[:8], rand.Uint64()) //nolint:gosec // an id is no secret; it has to be nobody else's
	binary.NativeEndian.PutUint64(b[8:], rand.Uint64()) //nolint:gosec // likewise
	return hex.EncodeToString(b[:])
}

func sane(id string) bool {
	if id == "" || len(id) > most {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// With puts the id into a context.
func With(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, Key{}, id)
}

// From is the context's id, or empty.
func From(ctx context.Context) string {
	switch id := ctx.Value(Key{}).(type) {
	case string:
		return id
	case *string:
		return *id
	default:
		return ""
	}
}
