package pimcore

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// thumbnail is a size in which the PIM offers pictures.
type thumbnail struct {
	name  string
	alias string // under which it is asked for
	width int
}

// pictures knows which sizes to ask for and where clients find them.
type pictures struct {
	thumbnails []thumbnail // by ascending width
	base       *url.URL
	below      string // what an address begins with whose path needs no escaping; empty when that cannot be said
	rewrite    bool   // also for pictures that the PIM places on another host
}

var thumbnailPattern = regexp.MustCompile(`^([A-Za-z0-9_-]+)=([1-9][0-9]{0,4})$`)

func parsePictures(cfg Config) (pictures, error) {
	p := pictures{rewrite: cfg.PublicAssetURL != ""}
	for _, item := range cfg.Thumbnails {
		parts := thumbnailPattern.FindStringSubmatch(strings.TrimSpace(item))
		if parts == nil {
			return p, transport.BadSetting("THUMBNAILS", "must be pairs of name and width such as small=80")
		}
		width, err := strconv.Atoi(parts[2])
		if err != nil {
			return p, transport.BadSetting("THUMBNAILS", "must have a width in pixels")
		}
		p.thumbnails = append(p.thumbnails, thumbnail{name: parts[1], width: width})
	}
	slices.SortStableFunc(p.thumbnails, func(a, b thumbnail) int { return cmp.Compare(a.width, b.width) })
	base, err := url.Parse(cmp.Or(cfg.PublicAssetURL, cfg.BaseURL))
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" || base.User != nil {
		return p, transport.BadSetting("PUBLIC_ASSET_URL", "must begin with http:// or https:// and a host")
	}
	p.base = base
	for i := range p.thumbnails {
		p.thumbnails[i].alias = alias(i)
	}
	const probe = "/x"
	if address, ok := p.joined(probe); ok && strings.HasSuffix(address, probe) {
		p.below = strings.TrimSuffix(address, probe)
	}
	return p, nil
}

// selection is what a query asks of an asset: one alias for each size.
func (p *pictures) selection() string {
	var b strings.Builder
	for i, t := range p.thumbnails {
		b.WriteString(alias(i) + `: fullpath(thumbnail: "` + t.name + `") `)
	}
	return b.String()
}

func alias(i int) string { return "t" + strconv.Itoa(i) }

// renditions are the usable sizes of what a query got of an asset; none when there is none.
func (p *pictures) renditions(w wireAsset) []commerce.Rendition {
	if len(w) == 0 {
		return nil
	}
	list := make([]commerce.Rendition, 0, len(p.thumbnails))
	for _, t := range p.thumbnails {
		if address, ok := p.address(w.path(t.alias)); ok {
			list = append(list, commerce.Rendition{Width: t.width, URL: address})
		}
	}
	return list
}

// pointer is the image of what has one picture or none.
func (p *pictures) pointer(w wireAsset, alt string) *commerce.Image {
	if sizes := p.renditions(w); len(sizes) > 0 {
		return &commerce.Image{Alt: alt, Renditions: sizes}
	}
	return nil
}

// address is where clients find what the PIM calls path.
func (p *pictures) address(path string) (string, bool) {
	if p.below != "" && isPlainPath(path) {
		return p.below + path, true
	}
	return p.joined(path)
}

// isPlainPath tells whether path begins with a slash and has nothing that is escaped, left out or read
// in another way: neither query nor host, and no segment that is empty or begins with a dot.
func isPlainPath(path string) bool {
	if len(path) < 2 || path[0] != '/' {
		return false
	}
	for i := range len(path) {
		switch c := path[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		case c == '.' && path[i-min(i, 1)] != '/':
		case c == '/' && i+1 < len(path) && path[i+1] != '/':
		default:
			return false
		}
	}
	return true
}

// joined is address for any path.
func (p *pictures) joined(path string) (string, bool) {
	asset, err := url.Parse(path)
	if err != nil || path == "" || asset.User != nil {
		return "", false
	}
	if asset.Host != "" && !p.rewrite {
		return asset.String(), asset.Scheme == "http" || asset.Scheme == "https"
	}
	if !strings.HasPrefix(asset.Path, "/") {
		return "", false
	}
	target := p.base.JoinPath(asset.EscapedPath())
	target.RawQuery = asset.RawQuery
	return target.String(), true
}
