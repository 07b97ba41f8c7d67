package documents

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// settled is how old a file has to be for its time of change to tell all changes: one
// that is written twice at once may keep the time of the first.
const settled = 2 * time.Second

// directory is a source: <client>/<version>.json below a path.
type directory struct {
	path string
	seen map[string]seen // by name
}

// seen is a file as it was read.
type seen struct {
	info os.FileInfo
	at   time.Time
	sum  [sha256.Size]byte
}

func newDirectory(path string) *directory { return &directory{path: path, seen: map[string]seen{}} }

func (*directory) name() string { return "directory" }

// read is [source]'s. Names that begin with a dot are left out: they are what tools
// that replace a directory at once put there.
func (d *directory) read(ctx context.Context) (listing, error) {
	clients, err := os.ReadDir(d.path)
	if err != nil {
		return listing{}, unreadable(err)
	}
	var all listing
	now := map[string]seen{}
	for _, client := range clients {
		if strings.HasPrefix(client.Name(), ".") {
			continue
		}
		if ctx.Err() != nil {
			return listing{}, ctx.Err()
		}
		if err := d.client(client.Name(), &all, now); err != nil {
			return listing{}, err
		}
	}
	if len(all.files) > MaxManifests {
		return listing{}, fmt.Errorf("holds %d manifests; there are at most %d", len(all.files), MaxManifests)
	}
	d.seen = now
	return all, nil
}

// client lists the versions of one client.
func (d *directory) client(name string, all *listing, now map[string]seen) error {
	stray := func(name, cause string) {
		all.issues = append(all.issues, Problem{Source: d.name(), File: name, Cause: cause})
	}
	info, err := os.Stat(filepath.Join(d.path, name)) // what a link points to
	if err != nil {
		return unreadable(err)
	}
	if !info.IsDir() {
		stray(clip(name), "is no folder; manifests are <client>/<version>.json")
		return nil
	}
	versions, err := os.ReadDir(filepath.Join(d.path, name))
	if err != nil {
		return unreadable(err)
	}
	for _, entry := range versions {
		version, ok := strings.CutSuffix(entry.Name(), ".json")
		if !ok || strings.HasPrefix(version, ".") {
			continue
		}
		path := name + "/" + entry.Name()
		if !names.MatchString(name) || !names.MatchString(version) {
			stray(clip(path), badName)
			continue
		}
		all.files = append(all.files, d.file(Client{name, version}, path, now))
	}
	return nil
}

const badName = "a client and a version are named with at most 64 letters, digits and any of . _ + -, the first a letter or digit"

// file reads one manifest, unless it is what was read before.
func (d *directory) file(client Client, name string, now map[string]seen) file {
	f := file{client: client, name: name}
	path := filepath.Join(d.path, filepath.FromSlash(name))
	at := time.Now()
	info, err := os.Stat(path)
	if err != nil {
		f.fault = unreadable(err).Error()
		return f
	}
	if was, ok := d.seen[name]; ok && was.stands(info) {
		f.sum, f.same = was.sum, true
		now[name] = was
		return f
	}
	if f.data, err = readFile(path); err != nil {
		f.fault = unreadable(err).Error()
		return f
	}
	f.sum = sha256.Sum256(f.data)
	now[name] = seen{info, at, f.sum}
	return f
}

// stands tells whether a file is certain to be as it was.
func (s seen) stands(info os.FileInfo) bool {
	return os.SameFile(s.info, info) && s.info.Size() == info.Size() && s.info.ModTime().Equal(info.ModTime()) &&
		s.at.Sub(info.ModTime()) > settled
}

// readFile reads one byte more than a manifest may have at most.
func readFile(path string) (data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, MaxManifestBytes+1))
}

// unreadable leaves out where on this machine something lies; the file is named beside it.
func unreadable(err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		err = path.Err
	}
	return fmt.Errorf("cannot be read: %w", err)
}
