package cors_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/cors"
)

func TestA14_OnlyExactOriginsAreAllowed(t *testing.T) {
	t.Parallel()
	p, err := cors.New(cors.Config{Origins: []string{"https://shop.example", " http://127.0.0.1:3000", ""}})
	require.NoError(t, err)
	matrix := map[string]bool{
		"https://shop.example":                   true,
		"http://127.0.0.1:3000":                  true,
		"":                                       false,
		"null":                                   false,
		"*":                                      false,
		"http://shop.example":                    false,
		"https://shop.example:443":               false,
		"https://shop.example:8443":              false,
		"https://shop.example/":                  false,
		"https://shop.example.":                  false,
		"https://shop.example.evil.test":         false,
		"https://shop.example@evil.test":         false,
		"https://evil.test#https://shop.example": false,
		"https://evil-shop.example":              false,
		"https://www.shop.example":               false,
		"https://shop.exampl":                    false,
		"HTTPS://SHOP.EXAMPLE":                   false,
		"https://Shop.example":                   false,
		" https://shop.example":                  false,
		"https://shop.example\r\nX: y":           false,
		"https://shop.example, https://evil.com": false,
		"http://127.0.0.1":                       false,
		"http://127.0.0.1:30000":                 false,
		"http://localhost:3000":                  false,
		"file://":                                false,
		"chrome-extension://shop.example":        false,
	}
	for origin, want := range matrix {
		assert.Equal(t, want, p.Allowed(origin), "%q", origin)
	}
}

func TestA14_ListsThatCouldMatchMoreAreRefused(t *testing.T) {
	t.Parallel()
	bad := []string{
		"*", "null", "https://*.shop.example", "shop.example", "https://", "//shop.example", "https://shop.example/",
		"https://shop.example/path", "https://shop.example?x", "https://user@shop.example", "https://Shop.example",
		"https://shop.example:443", "http://shop.example:80", "ftp://shop.example", "https://shop example", "%zz",
	}
	for _, origin := range bad {
		_, err := cors.New(cors.Config{Origins: []string{"https://good.example", origin}})
		require.ErrorContains(t, err, "WEB_ORIGINS: origin 2", "%q", origin)
		require.Error(t, cors.Config{Origins: []string{origin}}.Validate())
	}
}

func TestNoListAllowsNone(t *testing.T) {
	t.Parallel()
	p, err := cors.New(cors.Config{})
	require.NoError(t, err)
	assert.False(t, p.Allowed(""))
	var none *cors.Policy
	assert.False(t, none.Allowed("https://shop.example"))
}
