package lifecycle

import (
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Of all that is deprecated what comes first counts.
func TestTheFirstNoticeCounts(t *testing.T) {
	t.Parallel()
	n := notice{at: 5, sunset: 0}.earlier(notice{at: 3, sunset: 9})
	assert.Equal(t, notice{at: 3, sunset: 9}, n)
	assert.Equal(t, notice{at: 3, sunset: 8}, n.earlier(notice{at: 4, sunset: 8}))
	assert.Equal(t, notice{at: 3, sunset: 9}, notice{}.earlier(n))
}

// An operation says that it is deprecated, and so does a parameter that is used; what comes
// first is said. Problems say nothing, be they errors or answers that are sent again.
func TestOperationsAndParametersAreAnnounced(t *testing.T) {
	t.Parallel()
	d := deprecation{whole: notice{at: 200}, query: map[string]notice{"old": {at: 100, sunset: 86400}}}
	app := fiber.New()
	app.Get("/ok", d.handle, func(c *fiber.Ctx) error { return c.SendString("ok") })
	app.Get("/kept", d.handle, func(c *fiber.Ctx) error { return c.Status(409).SendString("kept") })
	app.Get("/fails", d.handle, func(*fiber.Ctx) error { return fiber.ErrTeapot })
	app.Get("/other", deprecation{}.handle, func(c *fiber.Ctx) error { return c.SendString("ok") })
	for target, want := range map[string][2]string{
		"/ok": {"@200", ""}, "/ok?old": {"@100", "Fri, 02 Jan 1970 00:00:00 GMT"}, "/ok?new=old": {"@200", ""},
		"/kept?old": {}, "/fails?old": {}, "/other?old": {},
	} {
		res, err := app.Test(httptest.NewRequestWithContext(t.Context(), "GET", target, nil), -1)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, want, [2]string{res.Header.Get("Deprecation"), res.Header.Get("Sunset")}, target)
		assert.Equal(t, want[0] != "", res.Header.Get("Link") != "", target)
	}
}
