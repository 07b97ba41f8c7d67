// Package requestid names a request, so that its log lines, its answer and a
// client's complaint can be brought together.
package requestid

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
)

// Header is where a client sends an id, and where the answer repeats it.
const Header = "X-Request-Id"

var sane = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

type key struct{}

// New keeps incoming when it is 1 to 64 of [A-Za-z0-9._-], else it makes an id of
// 128 random bits. The result shares no memory with incoming.
func New(incoming string) string {
	if sane.MatchString(incoming) {
		return strings.Clone(incoming)
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b[:])
}

// With puts the id into a context.
func With(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, key{}, id)
}

// From is the context's id, or empty.
func From(ctx context.Context) string {
	id, _ := ctx.Value(key{}).(string)
	return id
}
