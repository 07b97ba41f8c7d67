package strict_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/strict"
	"github.com/portico-bff/portico/schema/commerce"
)

type inner struct {
	City   string   `json:"city"`
	Street []string `json:"street"`
	Phone  string   `json:"phone,omitempty"`
}

type outer struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
	Small    int8   `json:"small,omitempty"`
	Gift     bool   `json:"gift,omitempty"`
	To       inner  `json:"to,omitempty,omitzero"`
	Note     *inner `json:"note,omitempty"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	var got outer
	err := strict.Decode([]byte(` {"sku":"A\u0042 \ufffd","quantity":-3,"gift":true,"to":{"city":"Köln","street":["a","b"]},"note":{"city":"x","street":[]}} `), nil, &got)
	require.NoError(t, err)
	require.Equal(t, outer{
		SKU: "AB \uFFFD", Quantity: -3, Gift: true,
		To: inner{City: "Köln", Street: []string{"a", "b"}}, Note: &inner{City: "x"},
	}, got)
}

func TestM7_StrictJSONNamesTheField(t *testing.T) {
	t.Parallel()
	const ok = `"sku":"A","quantity":1`
	for name, c := range map[string]struct {
		in, field string
		code      commerce.Code
	}{
		"empty":                {``, "body", commerce.CodeInvalid},
		"no object":            {`[]`, "body", commerce.CodeInvalid},
		"null":                 {`null`, "body", commerce.CodeInvalid},
		"string":               {`"x"`, "body", commerce.CodeInvalid},
		"cut off":              {`{"sku":"A"`, "body", commerce.CodeInvalid},
		"cut off in a value":   {`{"sku":"A`, "sku", commerce.CodeInvalid},
		"trailing data":        {`{` + ok + `} {}`, "body", commerce.CodeInvalid},
		"trailing garbage":     {`{` + ok + `}]`, "body", commerce.CodeInvalid},
		"comma at the end":     {`{` + ok + `,}`, "body", commerce.CodeInvalid},
		"duplicate":            {`{` + ok + `,"sku":"B"}`, "sku", commerce.CodeInvalid},
		"escaped duplicate":    {`{` + ok + `,"sk\u0075":"B"}`, "sku", commerce.CodeInvalid},
		"other case":           {`{"SKU":"A","quantity":1}`, "sku", commerce.CodeInvalid},
		"case variant":         {`{` + ok + `,"Quantity":2}`, "quantity", commerce.CodeInvalid},
		"unknown":              {`{` + ok + `,"role":"admin"}`, "role", commerce.CodeUnsupported},
		"unknown, odd name":    {`{` + ok + `,"<b>":1}`, "body", commerce.CodeInvalid},
		"unknown nested":       {`{` + ok + `,"to":{"x":1}}`, "to.x", commerce.CodeUnsupported},
		"missing":              {`{"sku":"A"}`, "quantity", commerce.CodeRequired},
		"missing nested":       {`{` + ok + `,"to":{"city":"x"}}`, "to.street", commerce.CodeRequired},
		"null string":          {`{"sku":null,"quantity":1}`, "sku", commerce.CodeInvalid},
		"number as string":     {`{"sku":"A","quantity":"1"}`, "quantity", commerce.CodeInvalid},
		"string as number":     {`{"sku":1,"quantity":1}`, "sku", commerce.CodeInvalid},
		"fraction":             {`{"sku":"A","quantity":1.5}`, "quantity", commerce.CodeOutOfRange},
		"exponent":             {`{"sku":"A","quantity":1e3}`, "quantity", commerce.CodeOutOfRange},
		"beyond 64 bits":       {`{"sku":"A","quantity":9223372036854775808}`, "quantity", commerce.CodeOutOfRange},
		"beyond the type":      {`{` + ok + `,"small":200}`, "small", commerce.CodeOutOfRange},
		"bool as number":       {`{` + ok + `,"gift":1}`, "gift", commerce.CodeInvalid},
		"list as object":       {`{` + ok + `,"to":[]}`, "to", commerce.CodeInvalid},
		"object as list":       {`{` + ok + `,"to":{"street":{}}}`, "to.street", commerce.CodeInvalid},
		"wrong item":           {`{` + ok + `,"to":{"street":["a",2]}}`, "to.street[1]", commerce.CodeInvalid},
		"bad UTF-8":            {"{\"sku\":\"A\xff\",\"quantity\":1}", "sku", commerce.CodeInvalid},
		"bad UTF-8 in a key":   {"{\"sk\xff\":\"A\",\"quantity\":1}", "body", commerce.CodeInvalid},
		"lone surrogate":       {`{"sku":"\ud800","quantity":1}`, "sku", commerce.CodeInvalid},
		"deep list":            {`{` + ok + `,"to":{"street":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}`, "to.street[0]", commerce.CodeInvalid},
		"control character":    {"{\"sku\":\"A\nB\",\"quantity\":1}", "sku", commerce.CodeInvalid},
		"byte order mark":      {"\xef\xbb\xbf{" + ok + "}", "body", commerce.CodeInvalid},
		"numbers with a zero":  {`{"sku":"A","quantity":01}`, "body", commerce.CodeInvalid},
		"not a number at all":  {`{"sku":"A","quantity":NaN}`, "quantity", commerce.CodeInvalid},
		"single quotes":        {`{'sku':'A'}`, "body", commerce.CodeInvalid},
		"comment":              {`{/*x*/` + ok + `}`, "body", commerce.CodeInvalid},
		"null in a list":       {`{` + ok + `,"to":{"city":"x","street":[null]}}`, "to.street[0]", commerce.CodeInvalid},
		"null optional object": {`{` + ok + `,"note":null}`, "note", commerce.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var into outer
			err := strict.Decode([]byte(c.in), nil, &into)
			input := &commerce.InputError{}
			require.ErrorAs(t, err, &input)
			require.Equal(t, c.field, input.Field)
			require.Equal(t, c.code, input.Code)
		})
	}
}

type nest struct {
	Next []nest `json:"next,omitempty"`
}

func TestM7_DepthIsBounded(t *testing.T) {
	t.Parallel()
	deep := func(n int) []byte {
		return []byte(strings.Repeat(`{"next":[`, n) + `{}` + strings.Repeat(`]}`, n))
	}
	require.NoError(t, strict.Decode(deep(15), nil, &nest{}))
	require.ErrorIs(t, strict.Decode(deep(17), nil, &nest{}), commerce.ErrInvalid)
	require.ErrorIs(t, strict.Decode(deep(5000), nil, &nest{}), commerce.ErrInvalid)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"sku":"A","quantity":1}`))
	f.Add([]byte(`{"sku":"\ud83d\ude00","to":{"city":"x","street":["y"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var into outer
		if err := strict.Decode(data, nil, &into); err != nil {
			require.ErrorIs(t, err, commerce.ErrInvalid)
		}
	})
}
