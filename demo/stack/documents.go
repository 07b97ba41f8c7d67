package stack

import (
	"embed"
	"io/fs"
	"os"
)

// published are the trusted documents of the demo's shop, in two versions, as its
// build would publish them.
//
//go:embed documents
var published embed.FS

// publish writes the demo's documents to a directory of their own, where the web
// channel takes them from. The caller removes it.
func publish() (dir string, err error) {
	files, err := fs.Sub(published, "documents")
	if err != nil {
		return "", err
	}
	if dir, err = os.MkdirTemp("", "portico-documents-"); err != nil {
		return "", err
	}
	return dir, os.CopyFS(dir, files)
}
