package bffmobile

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/encoding"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/edge/market"
)

func TestConfigSaysWhatIsConfigured(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.checked(t, get("/v1/config", "X-Channel", "nowhere", "Authorization", "Bearer wrong"))
	require.Equal(t, 200, a.Status, "it needs neither a market nor a token")
	var config api.Config
	require.NoError(t, json.Unmarshal([]byte(a.Raw), &config))
	assert.Equal(t, api.AppRelease{Minimum: "2.4", Latest: "2.7.1", StoreUrl: "https://apps.apple.com/app/id1"}, config.Platforms.Ios)
	assert.Zero(t, config.Platforms.Android)
	assert.Equal(t, map[string]bool{"newCheckout": true}, config.Flags)
	assert.Equal(t, api.SalesChannel{Name: "us", Locale: "en", Currency: "USD", Country: "US"}, config.Markets[0])
	for _, m := range config.Markets { // what is offered can be asked for
		home := s.ok(t, get("/v1/screens/home", "X-Channel", m.Name, "Accept-Language", m.Locale, "X-Currency", m.Currency, "X-Country", m.Country))
		assert.Equal(t, m.Locale, home.Header.Get("Content-Language"))
	}
	assert.Equal(t, []string{"USD", "EUR", "GBP"}, config.Currencies)
	assert.Contains(t, config.Locales, "zh-Hant")
	assert.Contains(t, config.Countries, "DE")
	assert.Equal(t, "Accept-Encoding", a.Header.Get("Vary"), "it is the same for everyone")
	assert.Equal(t, "public, max-age=60", a.Header.Get("Cache-Control"))
}

func TestConfigIsNotSentTwice(t *testing.T) {
	t.Parallel()
	s := open(t)
	tag := s.ok(t, get("/v1/config")).Header.Get("ETag")
	require.Regexp(t, `^"[A-Za-z0-9_-]{16}"$`, tag)
	require.Equal(t, tag, open(t).ok(t, get("/v1/config")).Header.Get("ETag"), "every node says the same")
	for field, status := range map[string]int{
		tag: 304, `"x", ` + tag: 304, "W/" + tag: 304, "*": 304, `"x"`: 200, strings.Trim(tag, `"`): 200, "": 200,
	} {
		a := s.checked(t, get("/v1/config", "If-None-Match", field))
		assert.Equal(t, status, a.Status, field)
		assert.Equal(t, status == 304, a.Raw == "", field)
		assert.Equal(t, tag, a.Header.Get("ETag"))
	}
}

// A shop of many markets has much to tell: it is encoded, and each coding has a tag of its own.
func TestALargeConfigIsEncoded(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) {
		var many market.Config
		require.NoError(t, config.Decode(nil, "", &many))
		for i := range 40 {
			many.Channels = append(many.Channels, fmt.Sprintf("shop-%d=en/USD/US", i))
		}
		var err error
		b.Markets, err = market.New(many)
		require.NoError(t, err)
	})
	whole := s.checked(t, get("/v1/config"))
	require.Greater(t, len(whole.Raw), 1024)
	tags := map[string]bool{whole.Header.Get("ETag"): true}
	for _, coding := range []string{"br", "zstd", "gzip"} {
		for _, method := range []string{"GET", "HEAD"} {
			a := s.send(t, call{method, "/v1/config", "", []string{"Accept-Encoding", coding}})
			require.Equal(t, coding, a.Header.Get("Content-Encoding"))
			require.Equal(t, "Accept-Encoding", a.Header.Get("Vary"))
			tags[a.Header.Get("ETag")] = true
			if method == "GET" {
				require.Equal(t, whole.Raw, a.plain(t))
				require.Less(t, len(a.Raw), len(whole.Raw))
			}
			again := s.checked(t, get("/v1/config", "Accept-Encoding", coding, "If-None-Match", a.Header.Get("ETag")))
			require.Equal(t, http.StatusNotModified, again.Status)
			require.Empty(t, again.Header.Get("Content-Encoding"))
			require.Equal(t, 200, s.send(t, get("/v1/config", "Accept-Encoding", coding, "If-None-Match", whole.Header.Get("ETag"))).Status)
		}
	}
	require.Len(t, tags, 4)
}

// Who asks for it to the letter is answered before anything is routed, in the log as ever.
func TestConfigIsAnsweredBeforeAnythingIsRouted(t *testing.T) {
	t.Parallel()
	s := open(t)
	document, quickly := s.app.quick.Document, 0
	s.app.quick.Document = &web.Document{Path: document.Path, Edition: func(asked encoding.Encoding) *web.Edition {
		quickly++
		return document.Edition(asked)
	}}
	for i, c := range []call{
		get("/v1/config"), get("/v1/config", "Authorization", "Bearer wrong", "X-App-Version", "x"), {"HEAD", "/v1/config", "", nil}, get("/v1/config", "If-None-Match", "*"),
	} {
		require.Less(t, s.send(t, c).Status, 400)
		require.Equal(t, i+1, quickly, c)
		require.Contains(t, s.lastLine(), `"route":"/v1/config"`)
		require.Contains(t, s.lastLine(), `"requestId":"test"`)
	}
	before := quickly
	require.Equal(t, 200, s.send(t, get("/v1/config?x=1")).Status)
	require.Equal(t, 404, s.send(t, get("/v1/config/")).Status)
	require.Equal(t, 405, s.send(t, call{"POST", "/v1/config", "", nil}).Status)
	require.Equal(t, before, quickly, "the rest is routed")
}

func TestOldAppsAreToldToUpgrade(t *testing.T) {
	t.Parallel()
	s := open(t)
	ios := func(path, version string) call { return get(path, "X-Platform", "ios", "X-App-Version", version) }
	for _, version := range []string{"2.3.9", "2.3.9.9999", "2", "1.99", "0"} {
		a := s.checked(t, ios("/v1/screens/home", version))
		require.Equal(t, http.StatusUpgradeRequired, a.Status, version)
		require.Contains(t, a.Raw, "/problems/upgrade-required")
		require.Equal(t, "ios-app/2.4", a.Header.Get("Upgrade"))
		require.Equal(t, "Upgrade", a.Header.Get("Connection"))
		require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	}
	old := []string{"X-Platform", "ios", "X-App-Version", "1"}
	for _, c := range []call{
		{"POST", "/v1/carts", `{}`, old},
		{"PUT", "/v1/carts/" + guestCart + "/coupon", `{"code":"WELCOME10"}`, old},
		get("/v1/orders/000000007", old...),
	} {
		require.Equal(t, http.StatusUpgradeRequired, s.checked(t, c).Status, c.path)
	}
	require.Zero(t, s.TotalCalls(), "nothing is asked for them")
	for _, path := range []string{"/v1/config", "/docs", "/openapi.yaml", "/problems/upgrade-required"} {
		require.Equal(t, 200, s.send(t, ios(path, "1")).Status, "%s leads out of it", path)
	}
	for _, version := range []string{"2.4", "2.4.0.0", "2.10", "3", "9999.9999.9999.9999"} {
		require.Equal(t, 200, s.checked(t, ios("/v1/screens/home", version)).Status, version)
	}
	for _, headers := range [][]string{
		{"X-App-Version", "1"}, {"X-Platform", "ios"}, {"X-Platform", "android", "X-App-Version", "1"},
	} {
		require.Equal(t, 200, s.checked(t, get("/v1/screens/home", headers...)).Status, "nothing says that %v is too old", headers)
	}
	golden(t, "problem-upgrade-required", s.checked(t, ios("/v1/screens/home", "2.3")))
}

// That an app was too old is no answer to its write: the same tap counts once the app is new.
func TestK1_TooOldIsNotKeptUnderTheKey(t *testing.T) {
	t.Parallel()
	s := open(t)
	tap := func(version string) call {
		return call{"POST", "/v1/carts", `{}`, []string{"Idempotency-Key", longKey, "X-Platform", "ios", "X-App-Version", version}}
	}
	for range 2 {
		a := s.checked(t, tap("1"))
		require.Equal(t, http.StatusUpgradeRequired, a.Status)
		require.Empty(t, a.Header.Get("Idempotent-Replayed"))
	}
	require.Zero(t, s.TotalCalls())
	first := s.checked(t, tap("3"))
	require.Equal(t, http.StatusCreated, first.Status, first.Raw)
	require.Empty(t, first.Header.Get("Idempotent-Replayed"))
	require.Equal(t, "true", s.checked(t, tap("3")).Header.Get("Idempotent-Replayed"))
	require.Equal(t, http.StatusUpgradeRequired, s.checked(t, tap("1")).Status, "nor is it replayed to who is too old")
}

func TestOddAppsAreNamed(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, platform := range []string{"", "iOS", "windows", "ios,android"} {
		a := s.checked(t, get("/v1/screens/home", "X-Platform", platform, "X-App-Version", "9"))
		require.Equal(t, 400, a.Status, platform)
		require.Contains(t, a.Raw, `"field":"X-Platform"`)
	}
	for _, version := range []string{"", "2.", ".2", "2.4-beta", "v2", "1.2.3.4.5", "12345", "-1", "2,4", "２"} {
		a := s.checked(t, get("/v1/screens/home", "X-Platform", "ios", "X-App-Version", version))
		require.Equal(t, 400, a.Status, version)
		require.Contains(t, a.Raw, `"field":"X-App-Version"`)
	}
	require.Zero(t, s.TotalCalls())
}

// What an empty header means does not depend on how many others there are.
func TestAnEmptyPlatformIsOddAnywhere(t *testing.T) {
	t.Parallel()
	s := open(t)
	addr, _ := s.serve(t)
	for others := range 20 {
		for _, name := range []string{"X-Platform", "X-App-Version"} {
			back := raw(t, addr, "GET /v1/screens/home HTTP/1.1\r\nHost: portico.test\r\n"+strings.Repeat("X-A: \r\n", others)+name+":\r\nConnection: close\r\n\r\n")
			assert.Contains(t, back, "HTTP/1.1 400 ", "%s behind %d", name, others)
		}
	}
}

// Everything that the contract deprecates is announced where it is used, and nothing else.
func TestDeprecationHeadersComeFromTheContract(t *testing.T) {
	t.Parallel()
	s := open(t)
	doc, err := contract()
	require.NoError(t, err)
	width := doc.Components.Parameters["Width"].Value
	require.True(t, width.Deprecated)
	day := func(extension string) time.Time {
		at, err := time.Parse(time.DateOnly, width.Extensions[extension].(string))
		require.NoError(t, err)
		return at
	}
	sunset := day("x-sunset").Format(http.TimeFormat)
	cart := s.filled(t)
	for _, path := range []string{
		"/v1/screens/home", "/v1/screens/categories/kitchen", "/v1/screens/search", "/v1/screens/products/MUG-RED", "/v1/screens/cart/" + strings.TrimPrefix(cart, "/v1/carts/"),
	} {
		a := s.checked(t, get(path+"?width=80"))
		assert.Equal(t, day("x-deprecated-at").Unix(), unixOf(t, a.Header.Get("Deprecation")), path)
		assert.Equal(t, sunset, a.Header.Get("Sunset"), path)
		assert.Contains(t, a.Header.Get("Link"), `rel="deprecation"`, path)
		for _, name := range []string{"Deprecation", "Sunset", "Link"} {
			assert.Empty(t, s.checked(t, get(path)).Header.Get(name), "%s: nothing of it is deprecated", path)
			assert.Empty(t, s.checked(t, get(path+"?width=0")).Header.Get(name), "%s: a problem", path)
		}
	}
}

// Who asks again for what is kept is told again, however it is found.
func TestDeprecationIsToldWithKeptAnswers(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	for _, how := range []string{"miss", "hit", "hit"} {
		for name, headers := range map[string][]string{"": nil, "signed in": {"Authorization", "Bearer C1"}} {
			a := s.ok(t, get("/v1/screens/home?width=80", headers...))
			assert.NotEmpty(t, a.Header.Get("Deprecation"), "%s, %s", name, how)
			assert.NotEmpty(t, a.Header.Get("Sunset"), "%s, %s", name, how)
		}
		require.Equal(t, "hit", s.how(t))
	}
}

// A connection that has to be closed for what was sent on it is, also when an old app is told
// to upgrade.
func TestM3_AnOldAppsChunkedBodyEndsItsConnection(t *testing.T) {
	t.Parallel()
	s := open(t)
	addr, _ := s.serve(t)
	const post = "POST /v1/carts HTTP/1.1\r\nHost: portico.test\r\nX-Platform: ios\r\nX-App-Version: 1\r\n" +
		"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
	back := raw(t, addr, post+"GET /v1/config HTTP/1.1\r\nHost: portico.test\r\nConnection: close\r\n\r\n")
	assert.Contains(t, back, "HTTP/1.1 426 ")
	assert.Contains(t, back, "\r\nUpgrade: ios-app/2.4\r\n")
	assert.Contains(t, back, "\r\nConnection: close\r\n")
	assert.Equal(t, 1, strings.Count(back, "HTTP/1.1 "), back)
}

func unixOf(t *testing.T, deprecation string) int64 {
	t.Helper()
	var at int64
	require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(deprecation, "@")), &at), deprecation)
	return at
}
