package odoo

import (
	"encoding/json"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is read without a decoder is what a decoder reads.
func TestPlainValuesAreWhatJSONSays(t *testing.T) {
	t.Parallel()
	type pair struct {
		ID   recordID
		Name string
	}
	for _, raw := range []string{
		`[1,"x"]`, `[1, "x"]`, `[0,"x"]`, `[01,"x"]`, `[999999999999999999,"ü 漢"]`, `[9999999999999999999,"x"]`, `[-1,"x"]`, `[1.5,"x"]`, `[1e3,"x"]`,
		`[1,"a\"b"]`, `[1,"a\\"]`, `[1,"ä"]`, "[1,\"a\xffb\"]", `[1,""]`, `[1,"x","y"]`, `[1,"x" ]`, `[ 1,"x"]`, `[1]`, `[]`, `[1,2]`, `["1","x"]`, `{"a":1}`, `"x"`, `7`,
	} {
		var want []json.RawMessage
		var both pair
		ok := json.Unmarshal([]byte(raw), &want) == nil && len(want) == 2 && json.Unmarshal(want[0], &both.ID) == nil && json.Unmarshal(want[1], &both.Name) == nil
		var got relation
		err := json.Unmarshal([]byte(raw), &got)
		assert.Equal(t, ok, err == nil, raw)
		if ok {
			assert.Equal(t, both, pair(got), raw)
		}
	}
	for _, raw := range []string{`"a"`, `""`, `"a\"b"`, `"\u00e9"`, `"é"`, "\"a\xff\"", `7`, `[]`, `true`} {
		var want string
		var got text
		ok := json.Unmarshal([]byte(raw), &want) == nil
		err := json.Unmarshal([]byte(raw), &got)
		assert.Equal(t, ok, err == nil, raw)
		assert.Equal(t, want, string(got), raw)
	}
	for _, raw := range []string{"1", "0", "00", "1.", ".5", "1.50", "-1", "123456789012345", "1234567890123456", "1.12345678901234567890", "1.123456789012345678901", "1e5", "1e-5", "1.0e-10", "", "x"} {
		if isDecimal([]byte(raw)) {
			assert.True(t, numberPattern.MatchString(raw), raw)
		}
	}
}

// Stock adds up to the same whether pieces come whole or not, in whatever order.
func TestStockAddsUpExactly(t *testing.T) {
	t.Parallel()
	texts := [][2]string{
		{"118.0", "3"},
		{"0.5", "0.0"},
		{"999999999999999", "1"},
		{"999999999999999.0", "0"},
		{"-7.0", "0.25"},
		{"0", "999999999999999"},
		{"2e-3", "0"},
	}
	want := new(big.Rat)
	for turn := range texts {
		var p place
		want.SetInt64(0)
		for i := range texts {
			n := (i + turn) % len(texts)
			require.True(t, p.add(&wireQuant{Quantity: held(texts[n][0]), Reserved: held(texts[n][1])}))
			quantity, _ := new(big.Rat).SetString(texts[n][0])
			reserved, _ := new(big.Rat).SetString(texts[n][1])
			want.Add(want, quantity.Sub(quantity, reserved))
		}
		assert.Zero(t, p.free().Cmp(want), turn)
		assert.Equal(t, pieces(want), p.pieces())
	}
	assert.False(t, new(place).add(&wireQuant{Reserved: held("1")}))
	assert.False(t, new(place).add(&wireQuant{Quantity: held("0.5")}))
	for n, whole := range map[string]int64{"118.0": 118, "7": 7, "0.00": 0} {
		got, ok := wholeNumber([]byte(n))
		assert.True(t, ok, n)
		assert.Equal(t, whole, got)
	}
	for _, n := range []string{"", "-1", "1.5", "1e5", "1.0e-1", "1234567890123456789"} {
		_, ok := wholeNumber([]byte(n))
		assert.False(t, ok, n)
	}
	assert.Equal(t, 0, (&place{whole: -5}).pieces())
	assert.Equal(t, maxPieces, (&place{whole: maxPieces + 1}).pieces())
}

// What is read as minor units is the amount that it would be otherwise.
func FuzzMinorUnits(f *testing.F) {
	for _, n := range []string{"3578.27", "0", "0.0", "49.9", "1.005", "1e-3", "-1", "00.5", "5.", ".5", "123456789012345.5", "0.00000", "1.2300", "x"} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, code := range []string{"USD", "JPY", "BHD", "XXX", ""} {
			got, ok := number(text).minor(code)
			if !ok {
				continue
			}
			want, err := number(text).exact(code)
			require.NoError(t, err, "%q %s", text, code)
			// By what is written and where: a long text leaves its coefficient on the heap.
			assert.Equal(t, want.String(), got.String(), "%q %s", text, code)
			assert.Equal(t, want.Round().String(), got.String(), "%q %s", text, code)
		}
	})
}

func TestWholeCentsAreReadAsSuch(t *testing.T) {
	t.Parallel()
	for text, want := range map[number]string{"3578.27": "3578.27 USD", "49.9": "49.90 USD", "0.0": "0.00 USD", "7": "7.00 USD", "1.230000": "1.23 USD"} {
		got, ok := text.minor("USD")
		require.True(t, ok, text)
		assert.Equal(t, want, got.String())
	}
}
