package cache

import (
	"encoding/json"
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
		jsonCodec[*commerce.Product](), jsonCodec[*commerce.Price](), jsonCodec[*commerce.Availability](), jsonCodec[[]commerce.SKU](),
		jsonCodec[*commerce.ReviewSummary](), jsonCodec[*commerce.SearchResult](), jsonCodec[*commerce.Page](),
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
		zones := []*time.Location{time.UTC, time.Local, time.FixedZone("", d.IntN(100_000)-50_000), time.FixedZone("x", 3600)}
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

// alikeWritten compares with what encoding/json writes.
func alikeWritten(t *testing.T, form codec, value any) {
	t.Helper()
	want, wantErr := json.Marshal(value)
	got, err := form.encode(&sheet{}, value)
	require.Equal(t, wantErr == nil, err == nil, "%v and %v of %+v", wantErr, err, value)
	if err == nil {
		require.Equal(t, string(want), string(got))
	}
}

func TestWhatIsStoredIsWrittenAsEncodingJSONWritesIt(t *testing.T) {
	t.Parallel()
	for stored, form := range storedTypes() {
		t.Run(stored.String(), func(t *testing.T) {
			t.Parallel()
			require.NotNil(t, form.write, "written by functions of its own")
			d := drawn{Rand: rand.New(rand.NewPCG(1, 2))}
			d.text = d.odd
			for range 3000 {
				v := reflect.New(stored).Elem()
				d.fill(t, v)
				alikeWritten(t, form, v.Interface())
			}
			alikeWritten(t, form, reflect.Zero(stored).Interface())
		})
	}
}

// What JSON has no words for is an error, as it is to encoding/json.
func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	for _, year := range []int{-1, 10_000} {
		form := jsonCodec[*commerce.Page]()
		_, err := form.encode(&sheet{}, &commerce.Page{ID: "A", UpdatedAt: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)})
		assert.Error(t, err, year)
	}
	zero := 0.0
	form := jsonCodec[*commerce.ReviewSummary]()
	for _, average := range []float64{1 / zero, zero / zero} {
		_, err := form.encode(&sheet{}, &commerce.ReviewSummary{Average: average})
		assert.Error(t, err, average)
	}
	to := &sheet{}
	_, err := form.encode(to, &commerce.ReviewSummary{Average: 1 / zero})
	require.Error(t, err)
	text, err := form.encode(to, &commerce.ReviewSummary{Average: 1})
	require.NoError(t, err, "a sheet is used again")
	assert.Contains(t, string(text), `"Average":1,`)
}

// Whatever is not known to be written alike is left to encoding/json.
func TestOddTypesAreLeftToEncodingJSON(t *testing.T) {
	t.Parallel()
	type nested struct{ Nodes []*commerce.Category }
	type inner struct{ A string }
	for name, value := range map[string]any{
		"a tag": &struct {
			A string `json:"a,omitempty"`
		}{"x"},
		"embedded":      &struct{ inner }{inner{"x"}},
		"holds itself":  &nested{[]*commerce.Category{{ID: "a"}}},
		"a map":         &struct{ M map[string]int }{map[string]int{"a": 1}},
		"an interface":  &struct{ V any }{"x"},
		"its own ways":  &struct{ L loud }{"x"},
		"bytes":         &struct{ B []byte }{[]byte("x")},
		"by value":      struct{ A string }{"x"},
		"another float": &struct{ F float32 }{0.1},
	} {
		assert.Nil(t, penOf(reflect.TypeOf(value)), name)
		alikeWritten(t, codec{stored: reflect.TypeOf(value), write: penOf(reflect.TypeOf(value))}, value)
	}
	hidden := &struct {
		A string
		b int
		_ [3]byte
	}{"x", 1, [3]byte{}}
	require.NotNil(t, penOf(reflect.TypeOf(hidden)))
	alikeWritten(t, codec{stored: reflect.TypeOf(hidden), write: penOf(reflect.TypeOf(hidden))}, hidden)
	assert.Equal(t, 1, hidden.b)
	nothing := &struct{ b int }{1}
	alikeWritten(t, codec{stored: reflect.TypeOf(nothing), write: penOf(reflect.TypeOf(nothing))}, nothing)
	assert.Equal(t, 1, nothing.b)
}

func FuzzTextsAreWrittenAsEncodingJSONWritesThem(f *testing.F) {
	for _, s := range []string{"", "plain", "<>&\"\\", "\u2028\u2029\xff\xc3", "\x00\x1f\x7f\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := json.Marshal(s)
		require.NoError(t, err)
		require.Equal(t, string(want), string(appendText(nil, s)))
	})
}

// BenchmarkEncode writes values of usual sizes: as encoding/json does, and as is done here.
func BenchmarkEncode(b *testing.B) {
	s := newReady(b)
	for _, each := range []struct {
		name  string
		form  codec
		value any
	}{
		{"product", jsonCodec[*commerce.Product](), s.product},
		{"price", jsonCodec[*commerce.Price](), s.price},
		{"stock", jsonCodec[*commerce.Availability](), s.stock},
		{"related", jsonCodec[[]commerce.SKU](), s.related},
	} {
		slow := each.form
		slow.write = nil
		for way, form := range map[string]codec{"json": slow, "pens": each.form} {
			b.Run(each.name+"/"+way, func(b *testing.B) {
				to := &sheet{}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := form.encode(to, each.value); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
