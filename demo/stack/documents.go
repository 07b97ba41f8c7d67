package stack

import (
	"embed"
	"io/fs"
)

// files are the trusted documents of the demo's shop, in two versions, as its build
// would publish them. The web channel reads them where they are: a demo that is killed
// leaves nothing behind.
//
//go:embed documents
var files embed.FS

// documents is files as the web channel takes them, <client>/<version>.json.
func documents() (fs.FS, error) { return fs.Sub(files, "documents") }
