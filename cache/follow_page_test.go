package cache

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// After a mass import a process whose connection is slow hears again: it reads less at
// once. It does so, too, when it has just begun.
func TestC12_AMassImportDeafensNobody(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		entries, tags int
		rate          int64 // bytes a second
		within        time.Duration
	}{
		"12 MB at 2 MB/s": {1000, 500, 2 << 20, 20 * time.Second},
		"the largest entries there ever were, at 400 kB/s": {30, 2700, 400 << 10, 40 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := miniredis.NewMiniRedis()
				_, err := server.XAdd(newsStream, "*", []string{fieldNode, "x", fieldTags, ""})
				require.NoError(t, err)
				w := &wire{server: server}
				w.rate.Store(tc.rate)
				c, err := onWire(w)
				require.NoError(t, err)
				time.Sleep(time.Second)
				require.True(t, c.news.current.Load())

				last := imported(t, server, tc.entries, tc.tags)
				hears(t, c, last, tc.within)
				require.NoError(t, c.Close())
				late, err := onWire(w)
				require.NoError(t, err)
				hears(t, late, last, tc.within)

				w.rate.Store(0)
				time.Sleep(20 * time.Second)
				require.NoError(t, late.Close())
				assert.Equal(t, newsPage, late.news.size, "pages grow again")
				server.Close()
			})
		})
	}
}

// hears waits until c knows of everything up to last.
func hears(t *testing.T, c *Cache, last version, within time.Duration) {
	t.Helper()
	begun := time.Now()
	for time.Since(begun) < within && (c.tags.stamp().global != last || !c.news.current.Load()) {
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("after %v", time.Since(begun))
	assert.Equal(t, last, c.tags.stamp().global)
	assert.True(t, c.news.current.Load())
}

// imported puts entries into the stream as another process would, and answers the last one's version.
func imported(t *testing.T, server *miniredis.Miniredis, entries, tags int) version {
	t.Helper()
	var last version
	for i := range entries {
		list := make([]string, tags)
		for n := range list {
			list[n] = fmt.Sprintf("product:SKU-%07d-%03d", i, n)
		}
		id, err := server.XAdd(newsStream, "*", []string{fieldNode, "x", fieldTags, strings.Join(list, " ")})
		require.NoError(t, err)
		var ok bool
		last, ok = parseVersion(id)
		require.True(t, ok)
	}
	return last
}

// An entry of the stream is small, whatever it names, and holds at least one tag.
func TestEntriesOfTheStreamAreSmall(t *testing.T) {
	t.Parallel()
	long := commerce.Tag(strings.Repeat("x", commerce.MaxTag))
	huge := commerce.Tag(strings.Repeat("x", 2*entryBytes)) // no tag is as long
	var tags []commerce.Tag
	for i := range 3000 {
		tags = append(tags, commerce.Tag(fmt.Sprint("t", i)))
	}
	tags = append(tags, huge, "a", huge)
	for range 3000 {
		tags = append(tags, long)
	}
	var all []commerce.Tag
	for piece := range entriesFor(tags) {
		text := 0
		for _, tag := range piece {
			text += len(tag) + 1
		}
		require.NotEmpty(t, piece)
		require.LessOrEqual(t, len(piece), tagsPerEntry)
		if piece[0] != huge {
			require.LessOrEqual(t, text-1, entryBytes)
		}
		all = append(all, piece...)
	}
	assert.Equal(t, tags, all)
	for range entriesFor(tags) {
		break
	}
	for range entriesFor(nil) {
		assert.Fail(t, "nothing is no entry")
	}
}

// What was held back is told in pieces, and first of all what answers are made of: who
// loads in between makes no answer of old reference data that would stay.
func TestC12_ReferenceDataIsToldFirst(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	near := newLink(t, server.Addr())
	c := newCache(t, Config{RedisURL: near.url()})
	near.point("")
	loses(t, c)
	_, tags := manySKUs(5 * tagsPerEntry)
	reference := []commerce.Tag{commerce.TagReference, "odoo.rules", "odoo.record:A", "magento.customers", "erp.own"}
	others := []commerce.Tag{commerce.TagCategory("c"), commerce.TagSearch, commerce.TagSystem("odoo"), commerce.TagOperation(commerce.OpPrices), commerce.TagPrice("A")}
	require.Error(t, c.Invalidate(t.Context(), append(append(tags, others...), reference...)...))
	near.point(server.Addr())
	settles(t, "all is told", func() bool { return !pending(c.tags) })
	list, err := c.Redis().XRange(t.Context(), newsStream, "-", "+").Result()
	require.NoError(t, err)
	var told []string
	for _, m := range list {
		text, _ := m.Values[fieldTags].(string)
		told = append(told, strings.Fields(text)...)
	}
	require.GreaterOrEqual(t, len(told), len(tags)+len(others)+len(reference))
	for _, tag := range reference {
		assert.Contains(t, told[:len(reference)], string(tag))
	}
	for _, tag := range others {
		assert.NotContains(t, told[:len(reference)], string(tag))
	}
}
