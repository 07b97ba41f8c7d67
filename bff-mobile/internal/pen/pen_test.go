package pen_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/pen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// equal has v written by the pen and by encoding/json.
func equal(t *testing.T, v any) {
	t.Helper()
	want, failed := json.Marshal(v)
	got, err := pen.Marshal(v)
	if failed != nil {
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// fill gives v anything that its type can hold; nothing and empty come often.
func fill(r *rand.Rand, v reflect.Value) {
	const deep = "Category Ünïcode <b>&\"\\ \u2028 \xff\x00\t€"
	if r.IntN(4) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		from := r.IntN(len(deep))
		v.SetString(deep[from : from+r.IntN(len(deep)-from)])
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> r.IntN(64))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(r.NormFloat64())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(r.Int64N(1<<33), r.Int64N(1e9)).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	default:
	}
}

func TestEveryAnswerIsWrittenAsEncodingJSONWritesIt(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, v := range []any{
		&api.HomeScreen{}, &api.CategoryScreen{}, &api.SearchScreen{}, &api.ProductScreen{}, &api.CartScreen{}, &api.CheckoutScreen{}, &api.AccountScreen{},
		&api.OrderList{}, &api.OrderDetails{}, &api.ShippingOptionList{}, &api.Cart{}, &api.Problem{}, &api.Empty{},
	} {
		equal(t, v)
		for range 300 {
			reflect.ValueOf(v).Elem().SetZero()
			fill(r, reflect.ValueOf(v).Elem())
			equal(t, v)
		}
	}
}

type (
	own struct {
		A int `json:"a"`
	}
	early struct{ At int }
	late  struct{ At int }
	tree  struct {
		Name     string  `json:"name"`
		Children []*tree `json:"children,omitempty"`
	}
	hidden int
	within struct {
		Name string `json:"name"`
	}
)

func (*own) MarshalJSON() ([]byte, error) { return []byte(`"own <way>"`), nil }
func (l *late) IsZero() bool              { return l.At > 7 }
func (e early) IsZero() bool              { return e.At < 7 }

func TestWhatIsOutOfTheOrdinary(t *testing.T) {
	t.Parallel()
	self := &tree{Name: "root"}
	self.Children = []*tree{{Name: "leaf"}, nil}
	circle := &tree{}
	circle.Children = []*tree{circle}
	for name, v := range map[string]any{
		"nothing": nil, "no pointer": within{"a"}, "nil": (*within)(nil), "text": "<a>", "list": &[]within{{"a"}, {}},
		"its own way":      &struct{ A own }{},
		"list of own ways": &struct{ A []own }{[]own{{1}}},
		"tagged own way": &struct {
			A own `json:"a"`
		}{},
		"zero in its way": &struct {
			A early `json:"a,omitzero"`
		}{early{3}},
		"not so": &struct {
			A early `json:"a,omitzero"`
		}{early{8}},
		"zero in its pointer's way": &struct {
			A late `json:"a,omitzero"`
		}{late{8}},
		"not so by its pointer": &struct {
			A late `json:"a,omitzero"`
		}{late{}},
		"twice one name": reflect.New(reflect.StructOf([]reflect.StructField{
			{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"a"`},
			{Name: "B", Type: reflect.TypeFor[int](), Tag: `json:"a"`},
			{Name: "C", Type: reflect.TypeFor[int](), Tag: `json:"c"`},
		})).Interface(), // encoding/json writes the last alone
		"number as text": &struct {
			A int `json:"a,string"`
		}{3},
		"left out": &struct {
			A int `json:"-"`
		}{3},
		"unexported": &struct{ a, B int }{1, 2},
		"embedded":   &struct{ within }{within{"a"}},
		"hidden": &struct {
			hidden `json:"a"`
		}{3},
		"odd name": &struct {
			A int `json:"a<b"`
		}{3},
		"nameless": &struct {
			A int `json:",omitempty"`
		}{3},
		"bytes": &struct {
			A []byte `json:"a"`
		}{[]byte("abc")},
		"map": &struct {
			A map[string]int `json:"a,omitempty"`
		}{map[string]int{"b": 1, "a": 2}},
		"empty map": &struct {
			A map[string]int `json:"a,omitempty"`
		}{map[string]int{}},
		"number": &struct {
			A json.Number `json:"a"`
		}{"12.50"},
		"bad number": &struct {
			A json.Number `json:"a"`
		}{"12.50x"},
		"bad in a list": &struct {
			A []json.Number `json:"a"`
		}{[]json.Number{"1", "x"}},
		"channel": &struct {
			A chan int `json:"a"`
		}{make(chan int)},
		"any": &struct {
			A any `json:"a"`
		}{within{"<"}},
		"pointers": &struct {
			A **int `json:"a,omitempty"`
		}{new(*int)},
		"empty not zero": &struct {
			A []int `json:"a,omitzero"`
		}{[]int{}},
		"nil is zero": &struct {
			A []int `json:"a,omitzero"`
		}{},
		"empty struct": &struct {
			A within `json:"a,omitempty"`
		}{},
		"empty array": &struct {
			A [0]int `json:"a,omitempty"`
		}{},
		"zero array": &struct {
			A [2]int `json:"a,omitempty"`
		}{},
		"false, 0 and none": &struct {
			A bool `json:"a,omitempty"`
			B int  `json:"b,omitempty"`
			C *int `json:"c,omitempty"`
		}{},
		"holds itself": self, "a circle": circle,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			equal(t, v)
		})
	}
}

func TestWhatWasWrittenIsNobodyElses(t *testing.T) {
	t.Parallel()
	first, err := pen.Marshal(&within{"first"})
	require.NoError(t, err)
	_, err = pen.Marshal(&within{"other"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":"first"}`, string(first))
	large := within{strings.Repeat("a", 1<<20)}
	equal(t, &large)
}

func FuzzText(f *testing.F) {
	for _, text := range []string{"", "plain", "<>&\"\\/\x00\x1f\x7f", "ä€\u2028\u2029\U0001F600", "\xff\xc3\x28", "\ufffd"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { equal(t, &within{text}) })
}
