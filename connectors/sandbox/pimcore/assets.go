package pimcore

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

const assetPath = "/assets/"

// asset is a picture: the large file is the original. Thumbnails are made of the small file or
// of the large one, and none is wider than what it is made of, as Pimcore does not enlarge.
type asset struct {
	aid   int
	small string
	large string
	size  int
}

func (a *asset) id() int          { return a.aid }
func (a *asset) path() string     { return assetPath + a.large }
func (a *asset) published() bool  { return true }
func (a *asset) typename() string { return "asset" }

func (a *asset) column(name string) (string, bool, bool) {
	switch name {
	case "id":
		return column(strconv.Itoa(a.aid))
	case "filename":
		return column(a.large)
	case "path":
		return column(assetPath)
	case "type":
		return column("image")
	case "mimetype":
		return column("image/gif")
	default:
		return "", false, false
	}
}

func (a *asset) field(name string, args arguments, _ string) any {
	switch name {
	case "id":
		return strconv.Itoa(a.aid)
	case "filename":
		return a.large
	case "fullpath":
		return a.fullpath(args.text("thumbnail"))
	case "mimetype":
		return "image/gif"
	case "type":
		return "image"
	case "filesize":
		return a.size
	case "creationDate", "modificationDate":
		return assetsUploaded.Unix()
	default:
		return nil // a field without a value is null
	}
}

// assetsUploaded is when all pictures came in.
var assetsUploaded = time.Date(2022, 5, 30, 0, 0, 0, 0, time.UTC)

// fullpath is a path below the site's root, of the original or of a thumbnail. An unknown thumbnail gets Pimcore's placeholder.
func (a *asset) fullpath(thumbnail string) string {
	switch {
	case thumbnail == "":
		return a.path()
	case thumbnails[thumbnail] > 0:
		return fmt.Sprintf("%simage-thumb__%d__%s/%s", assetPath, a.aid, thumbnail, a.thumbnail(thumbnail))
	default:
		return "/bundles/pimcoreadmin/img/filetype-not-supported.svg"
	}
}

// thumbnails are the thumbnail configurations that somebody has set up, and how wide each is.
var thumbnails = map[string]int{
	"small": smallWidth, "large": 240,
	"w160": 160, "w240": 240, "w320": 320, "w480": 480, "w640": 640, "w960": 960,
}

const smallWidth = 80 // of the small files, in pixels

func (a *asset) thumbnail(name string) string {
	if thumbnails[name] <= smallWidth {
		return a.small
	}
	return a.large
}

type hotspot struct{ image *asset }

func (hotspot) typename() string { return "hotspotimage" }

func (h hotspot) field(string, arguments, string) any { return h.image }

// asset serves originals and thumbnails, which never change.
func (s *server) asset(w http.ResponseWriter, r *http.Request) {
	file := strings.TrimPrefix(r.URL.Path, assetPath)
	if spec, name, ok := strings.Cut(file, "/"); ok {
		parts := strings.Split(spec, "__") // image-thumb, id, thumbnail
		if len(parts) != 3 || parts[0] != "image-thumb" || !s.repo.isThumbnail(parts[1], parts[2], name) {
			notFound(w, r)
			return
		}
		file = name
	}
	photo, ok := s.repo.world.Photo(file)
	if !ok {
		notFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/gif")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", assetsUploaded, bytes.NewReader(photo))
}

func (r *repository) isThumbnail(id, thumbnail, file string) bool {
	n, err := strconv.Atoi(id)
	if err != nil || thumbnails[thumbnail] == 0 {
		return false
	}
	for _, a := range r.assets {
		if a.aid == n {
			return a.thumbnail(thumbnail) == file
		}
	}
	return false
}

// loadAssets gives each picture of the world an id.
func (r *repository) loadAssets(w *world.World) {
	const firstAsset = 901
	r.assetByFile = map[string]*asset{}
	add := func(small, large string) {
		if large == "" || r.assetByFile[large] != nil {
			return
		}
		photo, _ := w.Photo(large)
		a := &asset{aid: firstAsset + len(r.assets), small: small, large: large, size: len(photo)}
		r.assets = append(r.assets, a)
		r.assetByFile[large] = a
	}
	for _, p := range w.Products() {
		add(p.PhotoSmall, p.PhotoLarge)
	}
	for _, p := range w.Pages() {
		add(strings.Replace(p.Image, "_large", "_small", 1), p.Image)
	}
}
