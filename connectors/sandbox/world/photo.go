package world

import (
	"io/fs"
	"strings"
)

// Photo answers the bytes of a GIF by file name ("racer02_black_f_large.gif"); false when there is none.
func (w *World) Photo(file string) ([]byte, bool) {
	if strings.ContainsAny(file, "/\\") {
		return nil, false
	}
	bytes, err := fs.ReadFile(data, "data/images/"+file)
	return bytes, err == nil
}
