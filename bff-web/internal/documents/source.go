package documents

import (
	"context"
	"crypto/sha256"
)

// file is a manifest as it lies in a source.
type file struct {
	client Client
	name   string // <client>/<version>.json
	data   []byte // nil when same
	sum    [sha256.Size]byte
	same   bool   // it is what the last reading brought
	fault  string // why it could not be read
}

// listing is everything in a source.
type listing struct {
	files  []file
	issues []Problem // about what is no file
	same   bool      // nothing has changed since the last reading; there is nothing else here
}

// source is where manifests are published.
type source interface {
	name() string
	// read lists what there is. With an error nothing is known, and what was read before stays.
	read(ctx context.Context) (listing, error)
}
