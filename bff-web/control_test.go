package bffweb

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// behindTheCache is a shop whose answers are kept in so many bytes, or not at all; its
// reviews are reported with extra.
func behindTheCache(t *testing.T, answerBytes int64, extra ...commerce.Source) *shop {
	t.Helper()
	return open(t, func(b *edge.Backend) {
		b.Config.Cache = cache.Config{AnswerBytes: answerBytes, SurrogateKeyBytes: 3 << 10, HardTimeout: time.Minute}
		c, err := cache.New(b.Config.Cache, cache.Deps{Log: b.Log})
		require.NoError(t, err)
		b.Ports = c.Wrap(b.Ports)
		b.Ports.Reviews = reporting{b.Ports.Reviews, extra}
		b.Answers, err = cache.NewAnswers(c, b.Config.Cache, "web", b.Telemetry.Meter())
		require.NoError(t, err)
		t.Cleanup(func() {
			b.Answers.Close()
			require.NoError(t, c.Close())
		})
	})
}

// reporting is reviews that come from more places than one.
type reporting struct {
	next  commerce.Reviews
	extra []commerce.Source
}

func (r reporting) Reviews(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
	commerce.Report(ctx, r.extra...)
	return r.next.Reviews(ctx, m, skus)
}

// Where no answers are kept, an answer to GET says what its parts prove all the same.
func TestC24_AnswersThatAreNotKeptSayHowLongTheyLast(t *testing.T) {
	t.Parallel()
	s := behindTheCache(t, 0)
	for range 2 {
		a := s.by(t, pageQuery, red())
		var life, age int
		_, err := fmt.Sscanf(a.Header.Get("Cache-Control"), "public, max-age=%d", &life)
		require.NoError(t, err, a.Header)
		_, err = fmt.Sscan(a.Header.Get("Age"), &age)
		require.NoError(t, err, a.Header)
		require.Positive(t, life)
		require.LessOrEqual(t, life, 10, "stock is good for ten seconds")
		require.LessOrEqual(t, age, life)
		require.Contains(t, strings.Fields(a.Header.Get("Surrogate-Key")), "all")
		require.Equal(t, s.ok(t, pageQuery, red()).Raw, a.Raw)
	}
	for _, a := range []answer{
		s.by(t, pageQuery, red(), header{"Authorization", "Bearer C1"}),
		s.by(t, `{cart(id:"g_00000000000000000000000000001001"){id}}`, nil),
	} {
		require.Equal(t, "private, no-store", a.Header.Get("Cache-Control"))
		require.Empty(t, a.Header.Get("Age")+a.Header.Get("Surrogate-Key"))
	}
	s.Fail(commerce.OpReviews, commerce.ErrUnavailable)
	require.Equal(t, "no-store", s.by(t, pageQuery, map[string]any{"sku": "BOWL-1"}).Header.Get("Cache-Control"))
}

// What nothing proves to be for everyone is not for caches, whether answers are kept or not.
func TestC24_UnprovenAnswersAreNobodysToKeep(t *testing.T) {
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
			s := behindTheCache(t, bytes, c.extra)
			a := s.by(t, pageQuery, red())
			require.Equal(t, c.control, a.Header.Get("Cache-Control"), "%s, %d bytes", name, bytes)
			require.Equal(t, name == "proven", a.Header.Get("Surrogate-Key") != "", name)
			require.Equal(t, "max-age=0", s.ok(t, pageQuery, red()).Header.Get("Cache-Control"), "answers to POST are for nobody else anyway")
		}
	}
	require.Equal(t, "private, no-store", open(t).by(t, pageQuery, red()).Header.Get("Cache-Control"), "past the cache nothing is proven")
}
