package cache

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

var update = flag.Bool("update", false, "write golden files anew")

func packerOf(t testing.TB) *packer {
	t.Helper()
	p, err := newPacker()
	require.NoError(t, err)
	return p
}

var began = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

func storedOf(payload string) stored {
	return stored{payload: []byte(payload), began: began, redis: began.Add(time.Hour), at: version{7, 8}, tags: []commerce.Tag{"category:a", "category:b"}}
}

func TestC17_OnlyWhatWasWrittenForThisKeyIsRead(t *testing.T) {
	t.Parallel()
	p := packerOf(t)
	for _, payload := range []string{"", "x", strings.Repeat("portico ", 1000)} {
		good := p.pack("key", storedOf(payload))
		got, err := p.unpack("key", good)
		require.NoError(t, err)
		assert.Equal(t, payload, string(got.payload))
		assert.True(t, began.Equal(got.began))
		assert.Equal(t, version{7, 8}, got.at)
		assert.Equal(t, []commerce.Tag{"category:a", "category:b"}, got.tags)

		_, err = p.unpack("kez", good)
		require.ErrorIs(t, err, errCorrupt, "another key's entry")
		_, err = p.unpack("key", append(good[:len(good):len(good)], 0))
		require.ErrorIs(t, err, errCorrupt, "something follows")
		for n := range good {
			_, err = p.unpack("key", good[:n])
			require.ErrorIs(t, err, errCorrupt, "cut at %d", n)
		}
		for n := range good {
			bad := append([]byte(nil), good...)
			bad[n] ^= 0x10
			_, err = p.unpack("key", bad)
			require.ErrorIs(t, err, errCorrupt, "changed at %d", n)
		}
	}
	assert.Less(t, len(p.pack("key", storedOf(strings.Repeat("portico ", compressFrom/8)))), 500, "large payloads are compressed")
}

// What the sum vouches for may still be of another make, or be more than it seems.
func TestC17_OnlyWhatIsKnownAndSmallEnoughIsUnpacked(t *testing.T) {
	t.Parallel()
	p := packerOf(t)
	// flagged is an entry that says flag of its payload, with the sum that belongs to it.
	flagged := func(flag byte, payload []byte) []byte {
		b := p.pack("key", storedOf(""))
		b = b[:len(b)-sumSize]
		b[len(entryMagic)+1] = flag
		b = append(b, payload...)
		return binary.BigEndian.AppendUint64(b, xxhash.Sum64(b))
	}
	zipped := func(size int) []byte { return p.zip.EncodeAll(make([]byte, size), nil) }
	noise := make([]byte, 3<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise) // never fails
	for name, c := range map[string]struct {
		entry []byte
		size  int // of the payload; -1: there is none
	}{
		"as it is":                 {flagged(0, []byte("payload")), 7},
		"compressed":               {flagged(flagCompressed, zipped(100)), 100},
		"an unknown flag":          {flagged(2, []byte("payload")), -1},
		"flags of a later make":    {flagged(flagCompressed|2, zipped(100)), -1},
		"compressed in words only": {flagged(flagCompressed, []byte("payload")), -1},
		"cut off":                  {flagged(flagCompressed, zipped(100)[:10]), -1},
		"large once decompressed":  {flagged(flagCompressed, zipped(7<<20)), 7 << 20},
		"too large once it is":     {flagged(flagCompressed, zipped(9<<20)), -1},
		"too large as it is":       {flagged(0, noise[:1<<20]), -1},
		"large as it is":           {flagged(0, noise[:1<<20-1000]), 1<<20 - 1000},
	} {
		got, err := p.unpack("key", c.entry)
		if c.size < 0 {
			require.ErrorIs(t, err, errCorrupt, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Len(t, got.payload, c.size, name)
	}
}

// Bytes of each version stay readable, or a miss, for good.
func TestC17_FrozenBytes(t *testing.T) {
	t.Parallel()
	p := packerOf(t)
	const file = "testdata/entry_v5.golden"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(hex.EncodeToString(p.pack("key", storedOf("payload")))+"\n"), 0o600))
	}
	got, err := p.unpack("key", frozen(t, file))
	require.NoError(t, err)
	got.began, got.redis = got.began.UTC(), got.redis.UTC()
	assert.Equal(t, storedOf("payload"), got)

	// The payloads of those before were JSON.
	for _, file := range []string{"testdata/entry_v4.golden", "testdata/entry_v3.golden", "testdata/entry_v2.golden", "testdata/entry_v1.golden"} {
		_, err = p.unpack("key", frozen(t, file))
		require.ErrorIs(t, err, errCorrupt, file)
	}
}

func frozen(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	return raw
}

func TestC17_WrongEntriesAreMissesAndCounted(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	reader := metric.NewManualReader()
	c, err := New(Config{RedisURL: urlOf(server)}, Deps{Meter: metric.NewMeterProvider(metric.WithReader(reader))})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	patient(c)
	hear(t, c)
	patient(c)
	upstream := &source{}
	port := over(c, upstream)
	_, _, err = ask(t.Context(), port, "A")
	require.NoError(t, err)
	c.work.Wait()
	at := entriesOf(server)[0]
	good, err := server.Get(at)
	require.NoError(t, err)
	own := wrapper{c, publicTraits(commerce.OpProducts)}.plan(commerce.OpProducts, codecOf[*commerce.Product]())
	prefix, _ := own.prefix(inMarket(us))
	full := withArgs(prefix, "A")
	product := string(payloadOf(t, own.codec, &commerce.Product{SKU: "A"}))
	now := func(payload string) stored {
		return stored{payload: []byte(payload), began: time.Now(), at: c.tags.stamp().global}
	}
	late := now(product)
	late.began = late.began.Add(time.Hour)
	bad := []string{
		"", "x", good[:len(good)-1], good + "x", strings.Replace(good, "A", "B", 1),
		string(c.remote.packer.pack("another key", now(product))),
		string(c.remote.packer.pack(full, now(product[:len(product)-1]))),
		string(c.remote.packer.pack(full, now(product+"x"))),
		string(c.remote.packer.pack(full, now("\x00"))),
		string(c.remote.packer.pack(full, late)),
	}
	for i, text := range bad {
		require.NoError(t, server.Set(at, text))
		c.memory.values.InvalidateAll()
		p, _, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		require.Equal(t, commerce.SKU("A"), p.SKU)
		require.Equal(t, i+2, upstream.count(), "%q is a miss", text)
		c.work.Wait()
	}
	// The empty entry is no entry at all.
	assert.Equal(t, int64(len(bad)-1), counts(t, reader, "portico.cache.redis.errors", "error")["corrupt"])
	assert.Equal(t, map[string]int64{"upstream": int64(len(bad) + 1)}, counts(t, reader, "portico.cache.requests", "tier"))
}

func counts(t *testing.T, reader metric.Reader, name, label string) map[string]int64 {
	t.Helper()
	var got metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.WithoutCancel(t.Context()), &got))
	found := map[string]int64{}
	for _, m := range got.ScopeMetrics[0].Metrics {
		if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == name {
			for _, point := range sum.DataPoints {
				value, _ := point.Attributes.Value(attribute.Key(label))
				found[value.AsString()] += point.Value
			}
		}
	}
	return found
}

func FuzzUnpack(f *testing.F) {
	p := packerOf(f)
	f.Add("key", p.pack("key", storedOf("payload")))
	f.Add("", p.pack("", storedOf(strings.Repeat("a", 5000))))
	f.Add("key", []byte("PTC\x01\x00"))
	f.Fuzz(func(t *testing.T, key string, stored []byte) {
		got, err := p.unpack(key, stored)
		if err != nil {
			return
		}
		again, err := p.unpack(key, p.pack(key, got))
		require.NoError(t, err)
		require.Equal(t, string(got.payload), string(again.payload))
		got.payload, again.payload = nil, nil
		require.Equal(t, got, again)
	})
}

// A checksum stands in the way of a fuzzer: this one starts behind it. What can be read is
// read again from what is written of it, the same.
func FuzzDecode(f *testing.F) {
	s := newReady(f)
	for _, value := range []any{s.product, s.price, s.stock, s.related} {
		f.Add(payloadOf(f, storedTypes()[reflect.TypeOf(value)], value))
	}
	f.Add(payloadOf(f, treeCodec(), commerce.NewCategoryTree([]*commerce.Category{{ID: "a", Children: []*commerce.Category{{ID: "b"}}}})))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	forms := []codec{treeCodec()}
	for _, form := range storedTypes() {
		forms = append(forms, form)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, form := range forms {
			v, err := form.read(string(data))
			if err != nil {
				require.ErrorIs(t, err, errCorrupt)
				continue
			}
			written := payloadOf(t, form, v)
			again, err := form.read(string(written))
			require.NoError(t, err)
			require.Equal(t, written, payloadOf(t, form, again))
		}
	})
}

// payloadOf is what is written of value.
func payloadOf(t testing.TB, form codec, value any) []byte {
	t.Helper()
	to := &sheet{}
	form.write(to, value)
	require.NoError(t, to.err)
	return to.b
}

// Every type that lies in Redis comes back exactly as it was.
func TestStoredValuesSurviveExactly(t *testing.T) {
	t.Parallel()
	shop := commercetest.NewShop()
	f, p := shop.Fixture(), shop.Ports()
	ctx := t.Context()
	products, err := p.Catalog.Products(ctx, f.Market, f.Products)
	require.NoError(t, err)
	survives(t, codecOf[*commerce.Product](), products[f.Varied])
	survives(t, codecOf[*commerce.Product](), &commerce.Product{})
	relatedTo, err := p.Related.Related(ctx, f.Market, []commerce.SKU{f.Paired})
	require.NoError(t, err)
	survives(t, codecOf[[]commerce.RelatedProduct](), relatedTo[f.Paired])
	survives(t, codecOf[[]commerce.RelatedProduct](), []commerce.RelatedProduct{})
	tree, err := p.Categories.Tree(ctx, f.Market)
	require.NoError(t, err)
	survives(t, treeCodec(), tree)
	pages, err := p.Content.Pages(ctx, f.Market, []commerce.PageID{f.Page})
	require.NoError(t, err)
	survives(t, codecOf[*commerce.Page](), pages[f.Page])
	summaries, err := p.Reviews.Reviews(ctx, f.Market, []commerce.SKU{f.Reviewed})
	require.NoError(t, err)
	survives(t, codecOf[*commerce.ReviewSummary](), summaries[f.Reviewed])
	found, err := p.Search.Search(ctx, f.Market, commerce.SearchQuery{Text: f.Text, First: 5})
	require.NoError(t, err)
	survives(t, codecOf[*commerce.SearchResult](), found)
	stock, err := p.Inventory.Availability(ctx, f.Market, f.Products)
	require.NoError(t, err)
	survives(t, codecOf[*commerce.Availability](), stock[f.Products[0]])

	amount := func(text string) commerce.Money {
		m, err := commerce.NewMoney(text, "USD")
		require.NoError(t, err)
		return m
	}
	survives(t, codecOf[*commerce.Price](), &commerce.Price{
		SKU: "A", Quantity: 3, Group: "retail", Unit: amount("19.90"), List: amount("9007199254740993.1234"),
		Tiers: []commerce.Tier{{MinQuantity: 11, Unit: amount("0.00")}, {MinQuantity: 15, Unit: amount("-0.01")}},
	})
}

func survives(t *testing.T, form codec, value any) {
	t.Helper()
	back, err := form.read(string(payloadOf(t, form, value)))
	require.NoError(t, err)
	assert.Equal(t, reflect.TypeOf(value), reflect.TypeOf(back))
	assert.Equal(t, value, back)
}

// BenchmarkPack packs and reads an entry of a usual size.
func BenchmarkPack(b *testing.B) {
	p, s := packerOf(b), storedOf(strings.Repeat("portico ", 90))
	key := strings.Repeat("k", 160)
	raw := p.pack(key, s)
	b.Run("pack", func(b *testing.B) {
		in := &room{packed: sheet{b: make([]byte, 0, len(raw))}}
		b.ReportAllocs()
		for b.Loop() {
			in.packed.b = in.packed.b[:0]
			at := in.begin(key, s)
			in.packed.b = append(in.packed.b, s.payload...)
			p.end(in, at)
		}
	})
	b.Run("unpack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.unpack(key, raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}
