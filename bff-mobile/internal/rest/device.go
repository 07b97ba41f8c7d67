package rest

import (
	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/lifecycle"
	"github.com/portico-bff/portico/bff-mobile/screen"
)

const densityHeader = "X-Pixel-Density"

// picturesOf is how wide pictures have to be on the device that a request says it is from. It
// is not ok where the request is to be refused for what it says.
func picturesOf(c *fiber.Ctx) (p screen.Pictures, ok bool) {
	header := &c.Request().Header
	density := header.PeekAll(densityHeader)
	if len(density) == 0 {
		return screen.PicturesFor(string(header.Peek(lifecycle.PlatformHeader)), "")
	}
	if len(density[0]) == 0 {
		return screen.Pictures{}, false // empty is not the same as absent
	}
	return screen.PicturesFor(string(header.Peek(lifecycle.PlatformHeader)), string(density[0]))
}

// pictures are those of the device, or of the width that the query asks for.
func (q *query) pictures(c *fiber.Ctx) screen.Pictures {
	if width := q.Number("width"); width > 0 {
		return screen.Pictures{Tile: width, Hero: width}
	}
	p, _ := picturesOf(c) // what the header says was checked
	return p
}
