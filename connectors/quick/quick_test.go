package quick_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/connectors/quick/quicktest"
)

// sample has a member of every kind.
type sample struct {
	Text   string            `json:"text"`
	Count  int64             `json:"count"`
	Number json.Number       `json:"number"`
	Yes    bool              `json:"yes"`
	Raw    json.RawMessage   `json:"raw"`
	List   []string          `json:"list"`
	Map    map[string]string `json:"map"`
}

func (s *sample) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "text":
			s.Text = r.Text()
		case "count":
			field, s.Count = 1, r.Int()
		case "number":
			field, s.Number = 2, json.Number(r.Number())
		case "yes":
			field, s.Yes = 3, r.Bool()
		case "raw":
			field, s.Raw = 4, r.Raw()
		case "list":
			field, s.List = 5, []string{}
			for r.Array(); r.More(); {
				s.List = append(s.List, r.Text())
			}
		case "map":
			field, s.Map = 6, map[string]string{}
			r.Object()
			for name := r.Next(); name != nil; name = r.Next() {
				key := string(name)
				s.Map[key] = r.Text()
			}
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}

func made() quick.Value { return &sample{} }

const good = `{"text":"a\"b\\ ünï \ud83d\ude00","count":-12,"number":-0.50e+10,"yes":true,` +
	`"raw":{"a":[1,2,{"b":null}],"c":"x\n"}, "list" : [ "p", "q" ,null], "map":{"k":"v"}}`

func TestReadsWhatIsUsual(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		good, "{}", ` {"text":null,"count":null,"yes":null,"number":null} `, `{"list":[]}`, `{"count":123456789012345678}`, `{"raw":"x"}`,
		`{"list":["\ud83d\ude00","\ud83d\u0041","\uDE00\ud83d","\b\f\n\r\t\/\"\\","\ud83dx","\ud83d\n","\u00e9\u00E9\uFFFF\u0000"]}`,
	} {
		assert.True(t, quicktest.Agree(t, []byte(data), made), data)
	}
}

func TestRefusesWhatItDoesNotTakeForGranted(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		"", "null", "[]", "{", "{}}", "{} x", `{"text":"a","text":"b"}`, `{"TEXT":"a"}`, `{"other":1}`, `{"count":1.0}`, `{"count":1e2}`, `{"count":"1"}`,
		`{"count":1234567890123456789}`, `{"text":1}`, "{\"text\":\"a\nb\"}", `{"yes":1}`, `{"yes":truee}`, `{"list":[1]}`, `{"list":["a",]}`, `{"list":[,"a"]}`,
		`{"text":"a",}`, `{,"text":"a"}`, `{"number":01}`, `{"number":.5}`, `{"number":1.}`, `{"number":1e}`, `{"number":+1}`, `{"number":-}`, `{"text" "a"}`,
		`{"text":"a" "count":1}`, `{"text":"a`, `{"text":"\x"}`, `{"raw":{"a":}}`, `{"raw":[1 2]}`, `{"raw":"\u12"}`, `{"text":"\u12g4"}`, `{"text":"\`, `{"text":"\"`, `{"text":"\U0041"}`, "{\"text\":\"\\n\n\"}", `{"te\u0078t":"a"}`, `{"":1}`, "{\"text\":\"a\"}\x00",
	} {
		assert.False(t, quick.Unmarshal([]byte(data), made()), data)
	}
}

func TestDepthIsBounded(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte {
		return []byte(`{"raw":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`)
	}
	assert.True(t, quick.Unmarshal(nested(quick.MaxDepth-1), made()))
	assert.False(t, quick.Unmarshal(nested(quick.MaxDepth), made()))
	assert.False(t, quick.Unmarshal(nested(1_000_000), made()))
}

func TestSpoiledAnswersAreReadAsEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	read := 0
	quicktest.Spoil([]byte(good), func(data []byte) {
		if quicktest.Agree(t, data, made) {
			read++
		}
	})
	require.Greater(t, read, 50)
}

// Texts that repeat are one string, and never one another's.
func TestTextsAreTheirOwn(t *testing.T) {
	t.Parallel()
	var want []string
	for i := range 500 {
		want = append(want, strings.Repeat(string(rune('a'+i%7)), i%40)+string(rune('0'+i%10)))
	}
	data, err := json.Marshal(sample{List: want, Raw: json.RawMessage("1"), Number: "1", Map: map[string]string{}})
	require.NoError(t, err)
	var got sample
	require.True(t, quick.Unmarshal(data, &got))
	assert.Equal(t, want, got.List)
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"number":1e-7,"list":["\ud800"]}`))
	f.Add([]byte(`{"list":["\ud83d\ude00","\ud83d\u0041","\uDE00\ud83d","\b\f\n\r\t\/\"\\","\ud83dx","\ud83d\n"]}`))
	f.Fuzz(func(t *testing.T, data []byte) { quicktest.Agree(t, data, made) })
}

// A pooled reader knows nothing of what it read before but texts, and those are right.
func TestReadersAreUsedAgain(t *testing.T) {
	t.Parallel()
	for i := range 1_000 {
		text := strings.Repeat(string(rune('a'+i%26)), i%200)
		data := []byte(`{"list":["` + text + `","` + text + `x","\u0041` + text + `"]}`)
		var spoiled, got sample
		assert.False(t, quick.Unmarshal(data[:len(data)-2-i%7], &spoiled))
		require.True(t, quick.Unmarshal(data, &got))
		for at := range data {
			data[at] = '!' // what was read is no part of the data
		}
		require.Equal(t, []string{text, text + "x", "A" + text}, got.List)
	}
}

func FuzzAppendText(f *testing.F) {
	for _, s := range []string{"", "BK-M68B-38", `a"b\`, "<&>", "\u00e9\u2028\x7f\x00", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := json.Marshal(s)
		require.NoError(t, err)
		assert.Equal(t, "["+string(want), string(quick.AppendText([]byte("["), s)))
	})
}
