package cache

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// summed is body with the checksum that it has to have: a checksum keeps out damage, and
// nobody who writes to Redis on purpose.
func summed(body []byte) []byte {
	return binary.BigEndian.AppendUint64(bytes.Clone(body), xxhash.Sum64(body))
}

// bodyOf is an entry as it is written, without its checksum.
func bodyOf(p *packer, key string, s stored) []byte {
	whole := p.pack(key, s)
	return whole[:len(whole)-sumSize]
}

func TestC17_WhatIsForgedIsAMiss(t *testing.T) {
	t.Parallel()
	p := packerOf(t)
	change := func(at int, to byte) []byte {
		b := bodyOf(p, "key", storedOf("payload"))
		b[at] = to
		return summed(b)
	}
	tagged := func(tags ...commerce.Tag) []byte {
		s := storedOf("payload")
		s.tags = tags
		return p.pack("key", s)
	}
	// with is an entry with a payload as it is given, whatever pack would make of it.
	with := func(flag byte, payload []byte) []byte {
		b := bodyOf(p, "key", stored{began: began, at: version{7, 8}})
		b[len(entryMagic)+1] = flag
		return summed(append(b, payload...))
	}
	zeros := func(size int) []byte { return make([]byte, size) }
	for name, raw := range map[string][]byte{
		"another kind of thing":     change(0, 'Q'),
		"the first version":         change(len(entryMagic), 1),
		"the version before":        change(len(entryMagic), entryVersion-1),
		"the version after":         change(len(entryMagic), entryVersion+1),
		"a flag that nobody knows":  change(len(entryMagic)+1, flagCompressed+1),
		"not compressed after all":  change(len(entryMagic)+1, flagCompressed),
		"its end cut off":           summed(bodyOf(p, "key", storedOf("payload"))[:30]),
		"larger than any":           with(0, zeros(maxStored)),
		"a bomb":                    with(flagCompressed, p.zip.EncodeAll(zeros(maxPayload+1), nil)),
		"a tag with a space":        tagged("category:a b"),
		"an empty tag":              tagged(""),
		"a tag that is too long":    tagged(commerce.Tag(strings.Repeat("x", commerce.MaxTag+1))),
		"more tags than are stored": tagged(slices.Repeat([]commerce.Tag{"x"}, maxStoredTags+1)...),
		"a length without an end":   summed(append([]byte(entryMagic+"\x05\x00"), bytes.Repeat([]byte{0xff}, 12)...)),
	} {
		_, err := p.unpack("key", raw)
		require.ErrorIs(t, err, errCorrupt, name)
	}
	// The same without what is wrong, so that the above can fail.
	for name, raw := range map[string][]byte{
		"as it is":       summed(bodyOf(p, "key", storedOf("payload"))),
		"as large as is": with(0, zeros(maxStored-100)),
		"no bomb":        with(flagCompressed, p.zip.EncodeAll(zeros(maxPayload-1), nil)),
		"many tags":      tagged(slices.Repeat([]commerce.Tag{"x"}, maxStoredTags)...),
	} {
		_, err := p.unpack("key", raw)
		require.NoError(t, err, name)
	}
}

func TestC17_ATreeWithAHoleIsAMiss(t *testing.T) {
	t.Parallel()
	form := treeCodec()
	below := func(children ...*commerce.Category) *commerce.Category {
		return &commerce.Category{ID: "a", Children: children}
	}
	for levels, root := range []*commerce.Category{nil, below(nil), below(below(nil)), below(below(), nil)} {
		_, err := form.read(string(payloadOf(t, codecOf[[]*commerce.Category](), []*commerce.Category{root})))
		assert.Error(t, err, levels)
	}
	v, err := form.read(string(payloadOf(t, codecOf[[]*commerce.Category](), []*commerce.Category{below(below())})))
	require.NoError(t, err)
	assert.Len(t, v.(*commerce.CategoryTree).Roots, 1)
}

// Behind the checksum, where [FuzzUnpack] does not come.
func FuzzForgedEntries(f *testing.F) {
	p := packerOf(f)
	f.Add("key", bodyOf(p, "key", storedOf("payload")))
	f.Add("", bodyOf(p, "", storedOf(strings.Repeat("a", 5000))))
	f.Add("key", []byte("PTC\x05\x01"))
	f.Fuzz(func(t *testing.T, key string, body []byte) {
		got, err := p.unpack(key, summed(body))
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(got.payload), maxPayload)
		require.LessOrEqual(t, len(got.tags), maxStoredTags)
		again, err := p.unpack(key, p.pack(key, got))
		if len(got.payload) > maxStored/2 {
			return // compressed by somebody else, it may be too large by us
		}
		require.NoError(t, err)
		require.Equal(t, string(got.payload), string(again.payload))
		got.payload, again.payload = nil, nil
		require.Equal(t, got, again)
	})
}

// Keys that differ anywhere are written differently, and are read as they were written.
func FuzzKeys(f *testing.F) {
	f.Add("a", "b", "", "x", uint8(0), uint8(1))
	f.Add("\x01a", "a\x01", "ab", "", uint8(3), uint8(200))
	f.Fuzz(func(t *testing.T, one, two, three, four string, scope, shift uint8) {
		texts := []string{one, two, three, four}
		at := func(n int) string { return texts[(n+int(shift))%len(texts)] }
		a := key{
			system: at(0), operation: commerce.Operation(at(1)), form: at(int(shift)), scope: commerce.Scope(scope % 4),
			tenant: at(2), caller: at(3), market: commerce.Market{Channel: at(4), Locale: at(5), Currency: at(6), Country: at(7)},
			group: commerce.PriceGroup(at(8)), args: fields(at(9), at(10)),
		}
		read, ok := readKey(a.String())
		require.True(t, ok)
		require.Equal(t, a, read)
		others := []key{a, a, a, a, a}
		others[0].tenant, others[0].caller = a.tenant+a.caller, ""
		others[1].market.Channel, others[1].market.Locale = "", a.market.Channel+a.market.Locale
		others[2].args = fields(at(9)+at(10), "")
		others[3].system, others[3].operation = string(a.operation), commerce.Operation(a.system)
		others[4].group, others[4].market.Country = commerce.PriceGroup(a.market.Country), string(a.group)
		for _, b := range others {
			require.Equal(t, a == b, a.String() == b.String(), "%+v and %+v", a, b)
		}
		_, _ = readKey(one + two) // whatever it is
	})
}

// Its began may be any number.
func TestC17_NoTimeOfAnEntryBreaksAnything(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newCache(t, Config{RedisURL: urlOf(server)})
	for _, began := range []time.Time{time.Unix(0, 0), time.Unix(0, -1), time.Unix(0, 1<<63-1), time.Unix(0, -1<<63)} {
		s := storedOf("payload")
		s.began = began
		got, ok := c.remote.open(t.Context(), "key", string(c.remote.packer.pack("key", s)), time.Now())
		if ok {
			e := newEntry("v", got.began, policies[commerce.OpProducts])
			assert.Equal(t, useless, c.judge(&plan{policy: policies[commerce.OpProducts]}, e, time.Now()), began)
		}
	}
}
