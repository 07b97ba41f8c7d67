//go:build e2e

package e2e

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// copied is an app's copy of the catalogue, which it brings up to date at either of two nodes.
type copied struct {
	*nodes
	next  string
	asked int
	items map[string]reply // by kind and id
	pages int
	told  []string // what was told last, in order
}

// sync asks until there is no more. It is false when the copy has to be made anew.
func (c *copied) sync(t *testing.T) bool {
	t.Helper()
	c.pages, c.told = 0, nil
	for {
		path := "/v1/sync"
		if c.next != "" {
			path += "?since=" + c.next
		}
		c.asked++
		c.pages++
		r := send(t, http.MethodGet, c.apps[c.asked%2]+path, nil)
		if r.Status == http.StatusGone {
			return false
		}
		require.Equal(t, http.StatusOK, r.Status, r.Raw)
		for i := range r.list("items") {
			item, _ := r.at("items", i).(map[string]any)
			one := reply{Body: item}
			key := one.text("kind") + " " + one.text("id")
			c.told = append(c.told, key)
			if one.at("deleted") == true {
				delete(c.items, key)
				continue
			}
			c.items[key] = one
		}
		c.next = r.text("next")
		if r.at("more") != true {
			return true
		}
	}
}

// An app keeps a copy of the catalogue, whichever node it asks: all of it once, and from then
// on what is renamed, published, unpublished and deleted. Prices and stock are not in it.
func TestAnAppKeepsItsCatalogue(t *testing.T) {
	t.Parallel()
	const secret = "a secret of the sandbox's events"
	taking := free(t, 1)[0]
	n := startNodes(t, []string{"EVENTS_ADDR=" + taking, "EVENTS_SECRET=" + secret})
	require.NoError(t, n.s.Server().SendEvents(secret, "http://"+taking+"/events"))
	w := n.s.Server().World
	app := &copied{nodes: n, items: map[string]reply{}}
	require.Eventually(t, func() bool { // once both nodes have heard that somebody tells of changes
		app.next = ""
		return app.sync(t) && app.next != "" && app.sync(t)
	}, time.Minute, 100*time.Millisecond)
	published := 0
	for _, p := range w.Products() {
		if p.Published {
			published++
			require.Equal(t, p.Name, app.items["product "+p.SKU].text("product", "name"), p.SKU)
		}
	}
	require.Len(t, app.items, published+len(w.Pages())+1)
	t.Logf("%d products, %d pages of content and the categories", published, len(w.Pages()))

	// eventually syncs until what was changed is there, and answers all that was told meanwhile.
	eventually := func(there func() bool) (told []string) {
		t.Helper()
		require.Eventually(t, func() bool {
			require.True(t, app.sync(t))
			told = append(told, app.told...)
			return there()
		}, time.Minute, 50*time.Millisecond)
		return told
	}
	const sku = "BK-R93R-62"
	name := func() string { return app.items["product "+sku].text("product", "name") }
	has := func(key string) bool { _, ok := app.items[key]; return ok }
	hidden, shown, gone := world.Unpublished, world.Published, world.Deleted
	require.True(t, w.Change(sku, world.Change{Name: "A bicycle of another name"}))
	told := eventually(func() bool { return name() == "A bicycle of another name" })
	assert.Subset(t, told, []string{"product " + sku, "product BK-R93R-44"}, "and its siblings, which show it")
	assert.NotContains(t, told, "product HL-U509")
	require.True(t, w.Change(sku, world.Change{State: &hidden}))
	eventually(func() bool { return !has("product " + sku) })
	require.True(t, w.Change(sku, world.Change{State: &shown}))
	eventually(func() bool { return has("product " + sku) })
	require.True(t, w.ChangePage("returns", world.PageChange{State: &gone}))
	eventually(func() bool { return !has("page returns") })
	require.True(t, w.ChangePage("home", world.PageChange{Language: "en", Title: "Ride on"}))
	eventually(func() bool { return app.items["page home"].text("page", "title") == "Ride on" })
	require.True(t, w.NameCategory(101, "Climbers"))
	eventually(func() bool {
		for i := range app.items["categories all"].list("categories") {
			if app.items["categories all"].text("categories", i, "name") == "Climbers" {
				return true
			}
		}
		return false
	})

	// Stock is not in the copy: whatever is told of it leaves the copy as it was.
	stock, before := 3, app.items["product HL-U509"].text("version")
	require.NotEmpty(t, before)
	require.True(t, w.Change("HL-U509", world.Change{Stock: &stock}))
	require.True(t, w.Change(sku, world.Change{Name: "The last"}))
	eventually(func() bool { return name() == "The last" })
	assert.Equal(t, before, app.items["product HL-U509"].text("version"))

	// A stream that was cut short leads nobody past what is gone, and goes on for who has missed nothing.
	client := n.redis.client()
	defer func() { _ = client.Close() }()
	behind := &copied{nodes: n, next: app.next, items: map[string]reply{}}
	for _, text := range []string{"One more", "The very last"} {
		require.True(t, w.Change(sku, world.Change{Name: text}))
		eventually(func() bool { return name() == text })
	}
	allTold(t, client, app)
	require.NoError(t, client.XTrimMaxLen(t.Context(), eventsStream, 1).Err())
	assert.False(t, behind.sync(t))
	assert.True(t, app.sync(t))
	require.True(t, w.Change(sku, world.Change{Name: "The last"}))
	eventually(func() bool { return name() == "The last" })

	// A Redis that lost everything knows no history: the copy is made anew.
	require.NoError(t, client.FlushAll(t.Context()).Err())
	require.Eventually(t, func() bool { return !app.sync(t) }, time.Minute, 100*time.Millisecond)
	require.Eventually(t, func() bool { // a copy begun at a node that does not know yet is told so, too, and begun anew
		app.next, app.items = "", map[string]reply{}
		return app.sync(t)
	}, time.Minute, 100*time.Millisecond)
	assert.Equal(t, "The last", name())
}

// allTold waits until all events were let go of, and until an app is behind the last of them at either node.
func allTold(t *testing.T, client *redis.Client, app *copied) {
	t.Helper()
	require.Eventually(t, func() bool {
		groups, err := client.XInfoGroups(t.Context(), eventsStream).Result()
		require.NoError(t, err)
		require.Len(t, groups, 1)
		last := client.XInfoStream(t.Context(), eventsStream).Val().LastGeneratedID
		return groups[0].Pending == 0 && groups[0].LastDeliveredID == last && app.sync(t) && app.isBehind(t, last) && app.sync(t)
	}, time.Minute, 50*time.Millisecond)
}

// isBehind tells whether what an app syncs from is the place behind an entry of the stream.
func (c *copied) isBehind(t *testing.T, id string) bool {
	t.Helper()
	const before = 1 + 1 + 8 + 8 // its form, the mode, the market and the history
	next, err := base64.RawURLEncoding.DecodeString(c.next)
	require.NoError(t, err)
	ms, size := binary.Uvarint(next[before:])
	seq, _ := binary.Uvarint(next[before+size:])
	return id == fmt.Sprint(ms, "-", seq)
}
