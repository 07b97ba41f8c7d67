package bffmobile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// behindTheCache is a shop whose screens are kept in so many bytes, or not at all; its
// reviews are reported with extra.
func behindTheCache(t *testing.T, answerBytes int64, extra ...commerce.Source) *shop {
	t.Helper()
	return open(t, func(b *edge.Backend) {
		b.Config.Cache = cache.Config{AnswerBytes: answerBytes, SurrogateKeyBytes: 3 << 10, HardTimeout: time.Minute}
		c, err := cache.New(b.Config.Cache, cache.Deps{Log: b.Log})
		require.NoError(t, err)
		b.Ports = c.Wrap(b.Ports)
		b.Ports.Reviews = reportingReviews{b.Ports.Reviews, extra}
		b.Answers, err = cache.NewAnswers(c, b.Config.Cache, "mobile", b.Telemetry.Meter())
		require.NoError(t, err)
		t.Cleanup(func() {
			b.Answers.Close()
			require.NoError(t, c.Close())
		})
	})
}

// Where no screens are kept, a screen says what its parts prove all the same: it lasts
// as long as the part that is current for the shortest.
func TestC24_ScreensThatAreNotKeptSayHowLongTheyLast(t *testing.T) {
	t.Parallel()
	s := behindTheCache(t, 0)
	for path, most := range map[string]int{"/v1/screens/products/MUG-RED": 10, "/v1/screens/search?q=mug": 10, "/v1/screens/home": 60} {
		for range 2 {
			a := s.ok(t, get(path))
			var life, age int
			_, err := fmt.Sscanf(a.Header.Get("Cache-Control"), "public, max-age=%d", &life)
			require.NoError(t, err, a.Header)
			_, err = fmt.Sscan(a.Header.Get("Age"), &age)
			require.NoError(t, err, a.Header)
			require.Positive(t, life)
			require.LessOrEqual(t, life, most, path)
			require.LessOrEqual(t, age, life)
			require.Contains(t, strings.Fields(a.Header.Get("Surrogate-Key")), "all")
		}
		mine := s.ok(t, get(path, "Authorization", "Bearer C1"))
		require.Equal(t, "private, no-cache", mine.Header.Get("Cache-Control"))
		require.Empty(t, mine.Header.Get("Age")+mine.Header.Get("Surrogate-Key"))
	}
	s.Fail(commerce.OpReviews, commerce.ErrUnavailable)
	require.Equal(t, "no-store", s.ok(t, get("/v1/screens/products/BOWL-1")).Header.Get("Cache-Control"))
}

// What nothing proves to be for everyone is not for caches, whether screens are kept or not.
func TestC24_UnprovenScreensAreNobodysToKeep(t *testing.T) {
	t.Parallel()
	proven := commerce.Source{System: "pim", Operation: commerce.OpReviews, State: commerce.StateFresh, Scope: commerce.ScopePublic, Fresh: 5 * time.Second, Tags: []commerce.Tag{commerce.TagAll}}
	own, untagged := proven, proven
	own.Scope, untagged.Tags = commerce.ScopeCustomer, nil
	for name, c := range map[string]struct {
		extra   commerce.Source
		control string
	}{
		"proven":              {proven, "public, max-age=5"},
		"a customer's":        {own, "private, no-store"},
		"beyond invalidation": {untagged, "private, no-store"},
	} {
		for _, bytes := range []int64{0, 1 << 20} {
			a := behindTheCache(t, bytes, c.extra).ok(t, get("/v1/screens/products/MUG-RED"))
			require.Equal(t, c.control, a.Header.Get("Cache-Control"), "%s, %d bytes", name, bytes)
			require.Equal(t, name == "proven", a.Header.Get("Surrogate-Key") != "", name)
		}
	}
	a := open(t).ok(t, get("/v1/screens/products/MUG-RED"))
	require.Equal(t, "private, no-store", a.Header.Get("Cache-Control"), "past the cache nothing is proven")
}
