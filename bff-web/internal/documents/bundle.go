package documents

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Bundled is a manifest that is part of the binary.
type Bundled struct {
	Client   Client
	Manifest []byte
}

// BundledIn lists the manifests in files, <client>/<version>.json; nil holds none. The
// error names a file that cannot be read, or is no manifest by its name.
func BundledIn(files fs.FS) ([]Bundled, error) {
	if files == nil {
		return nil, nil
	}
	var all []Bundled
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		client, version := path.Split(strings.TrimSuffix(name, ".json"))
		by := Client{Name: strings.TrimSuffix(client, "/"), Version: version}
		if path.Ext(name) != ".json" || !names.MatchString(by.Name) || !names.MatchString(by.Version) {
			return fmt.Errorf("manifest %s: %s, in <client>/<version>.json", name, badName)
		}
		data, err := fs.ReadFile(files, name)
		all = append(all, Bundled{by, data})
		return err
	})
	return all, err
}

// bundle is a source: what came with the binary, which never changes.
type bundle struct {
	manifests []Bundled
	taken     bool
}

func (*bundle) name() string { return "binary" }

func (b *bundle) read(context.Context) (listing, error) {
	if b.taken {
		return listing{same: true}, nil
	}
	b.taken = true
	var all listing
	for _, m := range b.manifests {
		all.files = append(all.files, file{client: m.Client, name: m.Client.Name + "/" + m.Client.Version + ".json", data: m.Manifest, sum: sha256.Sum256(m.Manifest)})
	}
	return all, nil
}
