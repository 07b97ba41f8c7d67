package cache

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// storedTypes are those of which many lie in Redis.
func storedTypes() map[reflect.Type]codec {
	list := map[reflect.Type]codec{}
	for _, form := range []codec{
		codecOf[*commerce.Product](), codecOf[*commerce.Price](), codecOf[*commerce.Availability](), codecOf[[]commerce.RelatedProduct](),
		codecOf[*commerce.ReviewSummary](), codecOf[*commerce.SearchResult](), codecOf[*commerce.Page](),
	} {
		list[form.stored] = form
	}
	return list
}

// drawn fills v with anything that its type can hold, and calls text for every string.
type drawn struct {
	*rand.Rand
	text func() string
}

func (d drawn) fill(t *testing.T, v reflect.Value) {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		zones := []*time.Location{time.UTC, time.FixedZone("", d.IntN(50_000)-50_000), time.FixedZone("", 3600)}
		v.Set(reflect.ValueOf(time.Unix(d.Int64N(1<<34), d.Int64N(1e9)).In(zones[d.IntN(len(zones))])))
		return
	case reflect.TypeFor[commerce.Money]():
		texts := []string{"0", "0.00", "-0.01", "19.90", "9007199254740993.1234", "1E+3", "0.0000000001"}
		m, err := commerce.NewMoney(texts[d.IntN(len(texts))], []string{"USD", "EUR", "JPY"}[d.IntN(3)])
		require.NoError(t, err)
		if d.IntN(5) > 0 {
			v.Set(reflect.ValueOf(m))
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(d.text())
	case reflect.Int:
		v.SetInt(int64(d.Uint64()) >> d.IntN(64))
	case reflect.Bool:
		v.SetBool(d.IntN(2) == 0)
	case reflect.Float64:
		v.SetFloat(d.NormFloat64() * []float64{1, 1e-9, 1e25, 0}[d.IntN(4)])
	case reflect.Pointer:
		if d.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			d.fill(t, v.Elem())
		}
	case reflect.Slice:
		if n := d.IntN(5); n > 0 { // nil is not empty
			v.Set(reflect.MakeSlice(v.Type(), n-1, n+3))
		}
		for i := range v.Len() {
			d.fill(t, v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			d.fill(t, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			d.fill(t, v.Field(i))
		}
	default:
		require.Fail(t, "a kind that nothing stored had", v.Kind())
	}
}

// odd is any text, with what JSON, HTML and JavaScript do not take as it is.
func (d drawn) odd() string {
	var b strings.Builder
	for range d.IntN(12) {
		pieces := []string{
			"steel", "<b>", "a&b", `"`, `\`, "\n\r\t\b\f", "\x00\x1f\x7f", "é", "日本", "😀", "\u2028\u2029", "\xff", "\xed\xa0\x80", "\xe2\x80", "\ufffd",
			string(rune(d.IntN(0x110000))), string([]byte{byte(d.IntN(256))}),
		}
		b.WriteString(pieces[d.IntN(len(pieces))])
	}
	return b.String()
}

func TestWhatIsWrittenIsReadAsItWas(t *testing.T) {
	t.Parallel()
	for stored, form := range storedTypes() {
		t.Run(stored.String(), func(t *testing.T) {
			t.Parallel()
			d := drawn{Rand: rand.New(rand.NewPCG(1, 2))}
			d.text = d.odd
			for range 2000 / sparing {
				v := reflect.New(stored).Elem()
				for v.IsNil() {
					d.fill(t, v)
				}
				written := payloadOf(t, form, v.Interface())
				back, err := form.read(string(written))
				require.NoError(t, err)
				require.Equal(t, v.Interface(), back)
				for n := range written {
					_, err := form.read(string(written[:n]))
					require.ErrorIs(t, err, errCorrupt, "cut at %d", n)
				}
				_, err = form.read(string(written) + "\x00")
				require.ErrorIs(t, err, errCorrupt, "something follows")
			}
		})
	}
}

// What says that more follows than does is refused before there is room for it.
func TestC17_WhoeverSaysMoreThanThereIsGetsNoRoom(t *testing.T) {
	t.Parallel()
	long := string(binary.AppendUvarint(nil, 1<<40))
	form := codecOf[[]commerce.SKU]()
	_, err := form.read(long + "abc") // without the bound there is no such room, and it panics
	require.ErrorIs(t, err, errCorrupt, "a list")
	_, err = form.read("\x02" + long + "abc")
	require.ErrorIs(t, err, errCorrupt, "a text")
	_, err = codecOf[*commerce.ReviewSummary]().read(strings.Repeat("\xff", 11))
	require.ErrorIs(t, err, errCorrupt, "a number")
}

// What nobody here writes is not read as something else.
func TestC17_WhatIsBeyondItsKindIsRefused(t *testing.T) {
	t.Parallel()
	at := func(seconds int64, nanos uint64, zone int64) string {
		return string(binary.AppendVarint(binary.AppendUvarint(binary.AppendVarint([]byte{1}, seconds), nanos), zone))
	}
	times, flags := codecOf[*time.Time](), codecOf[*bool]()
	const day = 24 * 60 * 60
	for _, good := range []string{at(0, 0, 0), at(-1, 999_999_999, day-1), at(1, 0, 1-day)} {
		_, err := times.read(good)
		require.NoError(t, err)
	}
	for _, bad := range []string{at(0, 1e9, 0), at(0, 1<<63, 0), at(0, 0, day), at(0, 0, -day), at(0, 0, 1<<40)} {
		_, err := times.read(bad)
		require.ErrorIs(t, err, errCorrupt)
	}
	for text, good := range map[string]bool{"\x01\x00": true, "\x01\x01": true, "\x01\x02": false, "\x02\x01": false, "\x00": false} {
		_, err := flags.read(text)
		require.Equal(t, good, err == nil, "%q", text)
	}
}

// A tree that leads too far is refused, however small each of its levels is.
func TestC17_DepthHasABound(t *testing.T) {
	t.Parallel()
	form := treeCodec()
	deep := func(levels int) *commerce.CategoryTree {
		var children []*commerce.Category
		for range levels {
			children = []*commerce.Category{{ID: "a", Children: children}}
		}
		return commerce.NewCategoryTree(children)
	}
	_, err := form.read(string(payloadOf(t, form, deep(mostDepth))))
	require.NoError(t, err)
	_, err = form.read(string(payloadOf(t, form, deep(mostDepth+1))))
	require.ErrorIs(t, err, errCorrupt)
}

// A value of another type, or none, is an error, and so is any value of a type that has no shape.
func TestWhatIsNotStoredIsAnError(t *testing.T) {
	t.Parallel()
	form := codecOf[*commerce.Product]()
	for _, value := range []any{(*commerce.Product)(nil), &commerce.Price{}, commerce.Product{}, "x"} {
		to := &sheet{}
		form.write(to, value)
		require.Error(t, to.err, "%T", value)
	}
	to := &sheet{}
	treeCodec().write(to, (*commerce.CategoryTree)(nil))
	require.Error(t, to.err)
	for name, of := range map[string]reflect.Type{
		"a map": reflect.TypeFor[*struct{ M map[string]int }](), "an interface": reflect.TypeFor[*struct{ V any }](),
		"what is hidden": reflect.TypeFor[*struct{ a string }](), "another number": reflect.TypeFor[[]int32](),
	} {
		assert.Nil(t, shapeOf(of), name)
	}
	odd := codecOf[*struct{ M map[string]int }]()
	odd.write(to, &struct{ M map[string]int }{})
	require.ErrorIs(t, to.err, errShape)
	_, err := odd.read("\x00")
	require.ErrorIs(t, err, errShape)
}

// BenchmarkCodec writes and reads values of usual sizes.
func BenchmarkCodec(b *testing.B) {
	s := newReady(b)
	for name, value := range map[string]any{"product": s.product, "price": s.price, "stock": s.stock, "related": s.related} {
		form := storedTypes()[reflect.TypeOf(value)]
		b.Run(name+"/write", func(b *testing.B) {
			to := &sheet{}
			b.ReportAllocs()
			for b.Loop() {
				to.b = to.b[:0]
				form.write(to, value)
			}
			b.ReportMetric(float64(len(to.b)), "bytes")
		})
		text := string(payloadOf(b, form, value))
		b.Run(name+"/read", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := form.read(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
