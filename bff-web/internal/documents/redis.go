package documents

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Keys of Redis. The braces keep both on one node of a cluster, so that one
// transaction writes them.
const (
	ManifestsKey = "{portico:documents}:manifests" // a hash: <client>/<version> → the manifest
	VersionKey   = "{portico:documents}:version"   // changes with every publication: INCR it last
)

// store of Redis as a source. The client must honour context deadlines.
type remote struct {
	client  redis.UniversalClient
	version string // of what was read; empty when there was none
	sums    map[string][sha256.Size]byte
}

func newRemote(client redis.UniversalClient) *remote { return &remote{client: client} }

func (*remote) name() string { return "redis" }

// read is [source]'s. The version is read first: what is published meanwhile changes
// it, and is read again.
func (r *remote) read(ctx context.Context) (listing, error) {
	version, err := r.client.Get(ctx, VersionKey).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return listing{}, failed(err)
	}
	if version != "" && version == r.version {
		return listing{same: true}, nil
	}
	fields, err := r.fields(ctx)
	if err != nil {
		return listing{}, err
	}
	var all listing
	sums := map[string][sha256.Size]byte{}
	for _, field := range fields {
		name := field + ".json"
		client, version, _ := strings.Cut(field, "/")
		if !names.MatchString(client) || !names.MatchString(version) {
			all.issues = append(all.issues, Problem{Source: r.name(), File: clip(name), Cause: badName})
			continue
		}
		f, err := r.file(ctx, field)
		if errors.Is(err, redis.Nil) {
			continue // taken away meanwhile
		}
		if err != nil {
			return listing{}, failed(err)
		}
		f.client, f.name = Client{client, version}, name
		if was, ok := r.sums[field]; ok && was == f.sum {
			f.same, f.data = true, nil
		}
		sums[field] = f.sum
		all.files = append(all.files, f)
	}
	r.version, r.sums = version, sums
	return all, nil
}

// fields lists the manifests' names, in order.
func (r *remote) fields(ctx context.Context) ([]string, error) {
	n, err := r.client.HLen(ctx, ManifestsKey).Result()
	if err != nil {
		return nil, failed(err)
	}
	if n > MaxManifests {
		return nil, fmt.Errorf("holds %d manifests; there are at most %d", n, MaxManifests)
	}
	fields, err := r.client.HKeys(ctx, ManifestsKey).Result()
	if err != nil {
		return nil, failed(err)
	}
	slices.Sort(fields)
	return fields, nil
}

// file reads one manifest, unless it is larger than one may be.
func (r *remote) file(ctx context.Context, field string) (file, error) {
	var f file
	size, err := r.client.HStrLen(ctx, ManifestsKey, field).Result()
	if err != nil {
		return f, err
	}
	if size > MaxManifestBytes {
		f.fault = tooLarge(int(size))
		return f, nil
	}
	f.data, err = r.client.HGet(ctx, ManifestsKey, field).Bytes()
	f.sum = sha256.Sum256(f.data)
	return f, err
}

func failed(err error) error { return fmt.Errorf("does not answer: %w", err) }
