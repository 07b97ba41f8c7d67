package cache

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// byReflection is what the value takes, as it is found out for any type.
func byReflection(value any) uint32 {
	v := reflect.ValueOf(value)
	return uint32(int64(v.Type().Size()) + sizer{seen: map[uintptr]bool{}}.held(v))
}

func TestGaugesMeasureWhatReflectionDoes(t *testing.T) {
	t.Parallel()
	for stored := range storedTypes() {
		t.Run(stored.String(), func(t *testing.T) {
			t.Parallel()
			require.NotNil(t, gaugeFor(stored))
			d := drawn{Rand: rand.New(rand.NewPCG(3, 4))}
			d.text = func() string { return strings.Repeat("x", d.IntN(40)) }
			for range 2000 {
				v := reflect.New(stored).Elem()
				d.fill(t, v)
				require.Equal(t, byReflection(v.Interface()), sizeOf(v.Interface()), "%+v", v.Interface())
			}
		})
	}
}

// What is shared within a value counts once, and what a gauge cannot measure is measured
// nevertheless.
func TestGaugesCountWhatIsSharedOnce(t *testing.T) {
	t.Parallel()
	zone, word := time.FixedZone("x", 3600), new(int)
	type shared struct {
		A, B, C *int
		At      [2]time.Time
		Local   time.Time
		Numbers []int64
		None    []*int
		Plain   [4]int
	}
	of := &shared{A: word, B: word, At: [2]time.Time{began.In(zone), began.In(zone)}, Local: began.In(time.Local), Numbers: make([]int64, 2, 5)}
	require.NotNil(t, gaugeFor(reflect.TypeOf(of)))
	once := sizeOf(of)
	assert.Equal(t, byReflection(of), once)
	of.B = new(int)
	assert.Equal(t, once+8, sizeOf(of))

	for name, value := range map[string]any{
		"a map": &struct{ M map[string]string }{map[string]string{"a": "b"}}, "an interface": &struct{ V any }{"x"},
		"holds itself": &commerce.Category{Children: []*commerce.Category{{Name: "x"}}}, "by value": "text", "no pointer": struct{ A string }{"x"},
		"a tree": commerce.NewCategoryTree([]*commerce.Category{{ID: "a", Children: []*commerce.Category{{ID: "b"}}}}),
	} {
		assert.Nil(t, gaugeFor(reflect.TypeOf(value)), name)
		assert.Equal(t, byReflection(value), sizeOf(value), name)
	}
	assert.Equal(t, byReflection((*commerce.Product)(nil)), sizeOf((*commerce.Product)(nil)))
	assert.Equal(t, byReflection([]commerce.SKU(nil)), sizeOf([]commerce.SKU(nil)))
}

// BenchmarkSize measures values of usual sizes.
func BenchmarkSize(b *testing.B) {
	s := newReady(b)
	for name, value := range map[string]any{"product": s.product, "price": s.price, "stock": s.stock, "related": s.related} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if sizeOf(value) == 0 {
					b.Fatal("nothing")
				}
			}
		})
	}
}
