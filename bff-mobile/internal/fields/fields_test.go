package fields

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

type money struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

type price struct {
	Unit money  `json:"unit"`
	List *money `json:"list,omitempty"`
}

type row struct {
	Sku   string     `json:"sku"`
	Name  string     `json:"name,omitempty"`
	Since *time.Time `json:"since,omitempty"`
	Price price      `json:"price,omitzero"`
}

type list struct {
	Total int   `json:"total"`
	Items []row `json:"items,omitempty"`
}

type shown struct {
	Id       string   `json:"id"`
	List     list     `json:"list"`
	Row      *row     `json:"row,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	Degraded []row    `json:"degraded,omitempty"`
}

var tree = Of(shown{})

func TestFieldsGrammar(t *testing.T) {
	t.Parallel()
	for text, form := range map[string]string{
		"tags":                                 "tags",
		"tags,row":                             "row,tags",
		"row,tags,row,tags":                    "row,tags",
		"id":                                   "id",
		"degraded":                             "id",
		"id,degraded,list(id)":                 "", // refused below
		"list":                                 "list",
		"list(total)":                          "id",
		"list(items)":                          "list",
		"list(items,total)":                    "list",
		"list(items(sku))":                     "list(items(sku))",
		"list(items(name,price),items(since))": "list",
		"list(items(price(unit,list),name)),list(items(name))": "list(items(name,price))",
		"list(items(price(unit)))":                             "list(items(price(unit)))",
		"list(items(price(unit(currency))))":                   "list(items(price(unit)))",
		"row(sku)":                                             "row(sku)",
		"row(sku),row(name)":                                   "row(name)",
		"row,row(name)":                                        "row",
		"row(name),row":                                        "row",
		"row(price(list(amount)))":                             "row(price)",
		"tags,row,list":                                        "", // all: as without
		"row(name,since,price(list)),list(items(name,since,price)),tags": "",
	} {
		s, err := Parse(tree, text)
		if text == "id,degraded,list(id)" {
			require.ErrorContains(t, err, "fields: list.id is not a property of this screen")
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, form, s.String(), text)
		if form != "" {
			again, err := Parse(tree, form)
			require.NoError(t, err)
			assert.Equal(t, s, again, text)
		} else {
			assert.Equal(t, Set{}, s, text)
		}
	}
}

func TestFieldsThatCannotBeReadAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		code    commerce.Code
		message string
	}{
		"":                                {commerce.CodeInvalid, "must be names"},
		",":                               {commerce.CodeInvalid, "must be names"},
		"tags,":                           {commerce.CodeInvalid, "must be names"},
		",tags":                           {commerce.CodeInvalid, "must be names"},
		"tags row":                        {commerce.CodeInvalid, "must be names"},
		"row()":                           {commerce.CodeInvalid, "must be names"},
		"row(":                            {commerce.CodeInvalid, "must be names"},
		"row(name":                        {commerce.CodeInvalid, "must be names"},
		"row(name))":                      {commerce.CodeInvalid, "must be names"},
		"row(name)tags":                   {commerce.CodeInvalid, "must be names"},
		"tags\x00":                        {commerce.CodeInvalid, "must be names"},
		"täg":                             {commerce.CodeUnsupported, "t is not a property"},
		"nope":                            {commerce.CodeUnsupported, "nope is not a property of this screen"},
		"Tags":                            {commerce.CodeUnsupported, "Tags is not a property of this screen"},
		"list(items(price(nope)))":        {commerce.CodeUnsupported, "list.items.price.nope is not a property of this screen"},
		strings.Repeat("x", 65):           {commerce.CodeUnsupported, "holds a name that is not known"},
		"tags(a)":                         {commerce.CodeInvalid, "tags has nothing below it"},
		"row(since(a))":                   {commerce.CodeInvalid, "row.since has nothing below it"},
		"degraded(sku)":                   {commerce.CodeInvalid, "degraded has nothing below it"},
		strings.Repeat("tags,", 205):      {commerce.CodeTooLong, "must be at most 1024 bytes long"},
		strings.Repeat("id,", 200) + "id": {commerce.CodeOutOfRange, "must not hold more than 200 names"},
	} {
		_, err := Parse(tree, text)
		var input *commerce.InputError
		require.ErrorAs(t, err, &input, "%q", text)
		assert.Equal(t, Parameter, input.Field, "%q", text)
		assert.Equal(t, want.code, input.Code, "%q", text)
		assert.Contains(t, input.Message, want.message, "%q", text)
	}
	deep := Of(a1{})
	_, err := Parse(deep, "a(a(a(a(a))))")
	require.NoError(t, err)
	_, err = Parse(deep, "a(a(a(a(a(a)))))")
	require.ErrorContains(t, err, "fields: must not go deeper than 5 names")
}

type (
	a1 struct {
		A a2 `json:"a,omitzero"`
	}
	a2 struct {
		A a3 `json:"a,omitzero"`
	}
	a3 struct {
		A a4 `json:"a,omitzero"`
	}
	a4 struct {
		A a5 `json:"a,omitzero"`
	}
	a5 struct {
		A a6 `json:"a,omitzero"`
	}
	a6 struct {
		A int `json:"a,omitempty"`
	}
)

// example is a screen with all that it can have.
func example() *shown {
	r := row{Sku: "S", Name: "N", Since: new(time.Time), Price: price{Unit: money{"1", "EUR"}, List: &money{"2", "EUR"}}}
	other := r
	return &shown{Id: "1", List: list{Total: 2, Items: []row{r, r}}, Row: &other, Tags: []string{"a"}, Degraded: []row{r}}
}

func TestTrimLeavesWhatIsWantedAndRequired(t *testing.T) {
	t.Parallel()
	const at = `{"sku":"S","name":"N","since":"0001-01-01T00:00:00Z","price":{"unit":{"amount":"1","currency":"EUR"},"list":{"amount":"2","currency":"EUR"}}}`
	const lost = `,"degraded":[` + at + `]}`
	for text, want := range map[string]string{
		"tags":                     `{"id":"1","list":{"total":2},"tags":["a"]` + lost,
		"id":                       `{"id":"1","list":{"total":2}` + lost,
		"row(price(unit))":         `{"id":"1","list":{"total":2},"row":{"sku":"S","price":{"unit":{"amount":"1","currency":"EUR"}}}` + lost,
		"row(name)":                `{"id":"1","list":{"total":2},"row":{"sku":"S","name":"N"}` + lost,
		"list(items(sku))":         `{"id":"1","list":{"total":2,"items":[{"sku":"S"},{"sku":"S"}]}` + lost,
		"list":                     `{"id":"1","list":{"total":2,"items":[` + at + `,` + at + `]}` + lost,
		"list(items(price(list)))": `{"id":"1","list":{"total":2,"items":[{"sku":"S","price":{"unit":{"amount":"1","currency":"EUR"},"list":{"amount":"2","currency":"EUR"}}},{"sku":"S","price":{"unit":{"amount":"1","currency":"EUR"},"list":{"amount":"2","currency":"EUR"}}}]}` + lost,
	} {
		s, err := Parse(tree, text)
		require.NoError(t, err)
		e := example()
		s.Trim(e)
		have, err := json.Marshal(e)
		require.NoError(t, err)
		require.Equal(t, want, string(have), text)
	}
	e := &shown{} // what is not there stays so
	s, err := Parse(tree, "row(name),list(items(name))")
	require.NoError(t, err)
	s.Trim(e)
	require.Equal(t, &shown{}, e)
	Set{}.Trim(e)
}

func TestWantsTellsWhatTrimLeaves(t *testing.T) {
	t.Parallel()
	s, err := Parse(tree, "list(items(price))")
	require.NoError(t, err)
	for path, want := range map[string]bool{
		"": true, "id": true, "degraded": true, "list": true, "list.total": true, "list.items": true, "list.items.sku": true, "list.items.name": false,
		"list.items.price": true, "list.items.price.list": true, "row": false, "row.sku": false, "tags": false, "nope": false, "id.nope": false,
	} {
		require.Equal(t, want, s.Wants(path), path)
	}
	require.True(t, Set{}.Wants("row.name"))
}

func FuzzFields(f *testing.F) {
	for _, text := range []string{"tags", "row(name),list(items(price(unit)))", "id", "list(items(price(unit,list),name)),list(items(name))", "row()", "a(b", "tags,,row"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(tree, text)
		if err != nil {
			var input *commerce.InputError
			require.ErrorAs(t, err, &input)
			require.Equal(t, Parameter, input.Field)
			return
		}
		if s.String() == "" {
			require.Equal(t, Set{}, s)
			return
		}
		again, err := Parse(tree, s.String())
		require.NoError(t, err, "%q of %q", s.String(), text)
		require.Equal(t, s, again)
		require.LessOrEqual(t, len(s.String()), len(text))
		twice, err := Parse(tree, s.String()+","+s.String())
		if len(s.String()) < maxLength/2 {
			require.NoError(t, err)
			require.Equal(t, s, twice)
		}
		trimmed, once := example(), example()
		s.Trim(trimmed)
		again.Trim(once)
		again.Trim(once)
		require.Equal(t, trimmed, once, "it trims what it has trimmed no further")
		tree.Walk(func(path string, stays bool) {
			if up, _, below := cutLast(path); stays && (!below || s.Wants(up)) {
				require.True(t, s.Wants(path), "%s stays", path)
			}
		})
	})
}

func cutLast(path string) (before, after string, found bool) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse(tree, "list(items(price(unit,list),name)),row(name,price),tags"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTrim(b *testing.B) {
	s, err := Parse(tree, "list(items(price(unit,list),name)),row(name,price)")
	require.NoError(b, err)
	e := example()
	for b.Loop() {
		s.Trim(e)
	}
}
