package bffmobile

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
)

var thumbnail = regexp.MustCompile(`__w([0-9]+)/`)

// widths of the pictures in an answer, by the property that they are in.
func widths(t *testing.T, a answer) map[string]map[int]bool {
	t.Helper()
	var whole any
	require.NoError(t, json.Unmarshal([]byte(a.Raw), &whole))
	found := map[string]map[int]bool{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(at, item)
			}
		case map[string]any:
			for name, member := range v {
				walk(name, member)
			}
			if address, ok := v["url"].(string); ok {
				match := thumbnail.FindStringSubmatch(address)
				require.NotNil(t, match, address)
				width, err := strconv.Atoi(match[1])
				require.NoError(t, err)
				if found[at] == nil {
					found[at] = map[int]bool{}
				}
				found[at][width] = true
			}
		}
	}
	walk("", whole)
	return found
}

// Each device gets the narrowest pictures that fill its pixels, of those that the PIM has.
func TestImagesFitPlatformAndDensity(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	s := against(t, box, "PIM_THUMBNAILS="+sandbox.Thumbnails)
	const product, list = "/v1/screens/products/BC-R205", "/v1/screens/categories/101?fields=products(items(image))"
	for _, device := range []struct {
		platform, density string
		tile, hero        int
	}{
		{"", "", 480, 960},
		{"", "1", 160, 320},
		{"", "1.5", 240, 480},
		{"", "2", 320, 640},
		{"", "3", 480, 960},
		{"", "4", 640, 960}, // there is none of 1280
		{"android", "", 480, 960},
		{"android", "1", 160, 320},
		{"android", "1.5", 240, 480},
		{"android", "4", 640, 960},
		{"ios", "", 480, 960},
		{"ios", "1", 160, 320},
		{"ios", "1.5", 320, 640},
		{"ios", "2", 320, 640},
		{"ios", "3", 480, 960},
		{"ios", "4", 480, 960},
	} {
		var headers []string
		if device.platform != "" {
			headers = append(headers, "X-Platform", device.platform, "X-App-Version", "9")
		}
		if device.density != "" {
			headers = append(headers, "X-Pixel-Density", device.density)
		}
		tile, hero := map[int]bool{device.tile: true}, map[int]bool{device.hero: true}
		a := s.checked(t, get(product, headers...))
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		require.Contains(t, a.Header.Get("Vary"), "X-Platform, X-Pixel-Density")
		require.Equal(t, hero, widths(t, a)["images"], device)
		require.Equal(t, tile, widths(t, s.checked(t, get(list, headers...)))["image"], device)
		wide := s.checked(t, get(list+"&width=200", headers...))
		require.Equal(t, map[int]bool{240: true}, widths(t, wide)["image"], "a width that is asked for")
	}
}

// What is kept for one device is given to those alone that get the same pictures.
func TestKeptPicturesAreThoseOfTheDevice(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	s := against(t, box, "PIM_THUMBNAILS="+sandbox.Thumbnails)
	const list = "/v1/screens/categories/101?fields=products(items(image))"
	token := "Bearer " + box.Token(t, box.Fixture().Customer.Subject)
	for range 2 {
		for _, signedIn := range []bool{false, true} {
			for density, width := range map[string]int{"1": 160, "1.5": 240, "2": 320, "4": 640} {
				headers := []string{"X-Pixel-Density", density}
				if signedIn {
					headers = append(headers, "Authorization", token)
				}
				a := s.ok(t, get(list, headers...))
				require.Equal(t, map[int]bool{width: true}, widths(t, a)["image"], "%s %v", density, signedIn)
			}
			require.Equal(t, http.StatusBadRequest, s.send(t, get(list, "X-Pixel-Density", "9", "Authorization", token)).Status)
		}
	}
}

// An empty density is a mistake, also where the answer to a request without one is kept.
func TestAnEmptyDensityIsRefusedWhateverIsKept(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	for _, token := range []string{without, "Bearer C1"} {
		c := get("/v1/screens/products/MUG-RED", "Authorization", token)
		for range 2 {
			s.ok(t, c)
		}
		require.Equal(t, "hit", s.how(t))
		c.headers = append(c.headers, "X-Pixel-Density", "")
		a := s.checked(t, c)
		require.Equal(t, 400, a.Status, a.Raw)
		require.Contains(t, a.Raw, `"field":"X-Pixel-Density"`)
	}
}
