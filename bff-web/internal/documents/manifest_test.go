package documents

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBrokenManifestsAreReportedAndTheLastGoodOneStays(t *testing.T) {
	t.Parallel()
	other := `query Other { categories { name } }`
	many := map[string]string{}
	for i := range MaxEntries + 1 {
		text := fmt.Sprintf("query Q%d { categories { name } }", i)
		many[id(text)] = text
	}
	for name, c := range map[string]struct {
		data  string
		id    string
		cause string
	}{
		"empty file":      {"", "", "is no JSON object"},
		"no JSON":         {"query { x }", "", "is no JSON object"},
		"a list":          {`["x"]`, "", "is no JSON object"},
		"cut short":       {`{"` + id(productText) + `": "query Prod`, "", "is not JSON"},
		"no document":     {`{"a": 5}`, "", `what stands for "a" is no text`},
		"an object":       {`{"a": {"b": "c"}}`, "", `what stands for "a" is no text`},
		"nothing":         {`{}`, "", "holds no documents"},
		"two objects":     {string(manifestOf(t, productText)) + `{}`, "", "more than one JSON object"},
		"something after": {string(manifestOf(t, productText)) + `]`, "", "more than one JSON object"},
		"not UTF-8":       {"{\"a\": \"\xff\"}", "", "is not UTF-8"},
		"too large":       {`{"a": "` + strings.Repeat(" ", MaxManifestBytes) + `"}`, "", fmt.Sprintf("a manifest has at most %d", MaxManifestBytes)},
		"too many":        {jsonOf(t, many), "", "holds more than 2000 documents"},
		"hash of another": {jsonOf(t, map[string]string{id(productText): other}), id(productText), "SHA-256 is " + strings.TrimPrefix(id(other), prefix)},
		"bare digits":     {jsonOf(t, map[string]string{strings.TrimPrefix(id(productText), prefix): other}), strings.TrimPrefix(id(productText), prefix), "SHA-256 is " + strings.TrimPrefix(id(other), prefix)},
		"capitals":        {jsonOf(t, map[string]string{strings.ToUpper(strings.TrimPrefix(id(other), prefix)): other}), strings.ToUpper(strings.TrimPrefix(id(other), prefix)), "SHA-256 is " + strings.TrimPrefix(id(other), prefix)},
		"no hash":         {jsonOf(t, map[string]string{"sha256:abc": other}), "sha256:abc", "SHA-256 is"},
		"an odd id":       {jsonOf(t, map[string]string{"a b": other}), "a b", "an id is at most"},
		"a long id":       {jsonOf(t, map[string]string{strings.Repeat("i", 200): other}), strings.Repeat("i", 128) + "…", "an id is at most"},
		"an id twice":     {`{"a": "{categories{name}}", "a": "{categories{sku}}"}`, "a", "stands there twice"},
		"another's id":    {jsonOf(t, map[string]string{"shared": other}), "shared", "stands for another document in another manifest"},
		"no GraphQL":      {jsonOf(t, map[string]string{"x": "query {"}), "x", "does not parse"},
		"too many tokens": {jsonOf(t, map[string]string{"x": "{" + strings.Repeat("categories{name} ", 400) + "}"}), "x", "does not parse"},
		"fragments alone": {jsonOf(t, map[string]string{"x": "fragment F on Product { name }"}), "x", "holds no operation"},
		"unknown field":   {jsonOf(t, map[string]string{"x": "{ categories { color } }"}), "x", "does not validate"},
		"above limits":    {jsonOf(t, map[string]string{"x": "query Tall { categories { name } }"}), "x", "exceeds the limits: depth 7 exceeds 6"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, dir, "shop/1.0.0.json", manifestOf(t, productText))
			put(t, dir, "kiosk/2.json", []byte(jsonOf(t, map[string]string{"shared": categoriesText})))
			s := over(t, dir)
			require.Empty(t, *s.problems.Load())
			before := s.Find(id(productText))
			require.NotNil(t, before)

			put(t, dir, "shop/1.0.0.json", []byte(c.data))
			s.Refresh(t.Context())
			problems := *s.problems.Load()
			require.Len(t, problems, 1)
			assert.Equal(t, "directory", problems[0].Source)
			assert.Equal(t, "shop/1.0.0.json", problems[0].File)
			assert.Equal(t, c.id, problems[0].ID)
			assert.Contains(t, problems[0].Cause, c.cause)
			assert.Same(t, before, s.Find(id(productText)), "the last good one stays")
			assert.NotNil(t, s.Find("shared"))

			put(t, dir, "shop/1.0.0.json", manifestOf(t, namelessText))
			s.Refresh(t.Context())
			assert.Empty(t, *s.problems.Load())
			assert.NotNil(t, s.Find(id(namelessText)))
			assert.Nil(t, s.Find(id(productText)), "what is published no more is unknown")
		})
	}
}

func TestAllIdsOfADocumentFindIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bare := strings.TrimPrefix(id(categoriesText), prefix)
	put(t, dir, "shop/1.json", []byte(jsonOf(t, map[string]string{id(productText): productText, bare: categoriesText, "5f2c": namelessText})))
	s := over(t, dir)
	for text, also := range map[string]string{productText: "", categoriesText: "", namelessText: "5f2c"} {
		d := s.Find(id(text))
		require.NotNil(t, d, text)
		assert.Equal(t, id(text), d.ID())
		assert.Equal(t, text, d.Text)
		assert.Same(t, d, s.Find(strings.TrimPrefix(id(text), prefix)), "with and without the name of the hash")
		if also != "" {
			assert.Same(t, d, s.Find(also))
		}
	}
	assert.Equal(t, "Product", s.Find(id(productText)).Name)
	assert.Equal(t, strings.TrimPrefix(id(namelessText), prefix)[:12], s.Find(id(namelessText)).Name, "what has no name goes by its hash")
	assert.Nil(t, s.Find("5f2d"))
	assert.Nil(t, s.Find(""))
}

func TestManyProblemsAreCounted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := map[string]string{}
	for i := range 30 {
		all[fmt.Sprintf("bad%d", i)] = "query {"
	}
	put(t, dir, "shop/1.json", []byte(jsonOf(t, all)))
	s := over(t, dir)
	problems := *s.problems.Load()
	require.Len(t, problems, maxProblems+1)
	assert.Equal(t, "10 more", problems[maxProblems].Cause)
}

// Who may publish for one client cannot have the hash of another's document answer
// with its own, be it loaded before or after.
func TestAHashStandsForItsOwnTextAlone(t *testing.T) {
	t.Parallel()
	bare := strings.TrimPrefix(id(productText), prefix)
	for _, order := range [][2]string{{"evil/1.json", "shop/1.json"}, {"shop/1.json", "evil/1.json"}} {
		dir := t.TempDir()
		s := over(t, dir)
		for _, file := range order {
			data := manifestOf(t, productText)
			if strings.HasPrefix(file, "evil") {
				data = []byte(jsonOf(t, map[string]string{bare: categoriesText}))
			}
			put(t, dir, file, data)
			s.Refresh(t.Context())
			if d := s.Find(bare); d != nil {
				assert.Equal(t, productText, d.Text, "%v", order)
			}
		}
		require.NotNil(t, s.Find(bare))
		problems := *s.problems.Load()
		require.Len(t, problems, 1)
		assert.Equal(t, "evil/1.json", problems[0].File)
	}
}

// FuzzParse holds that no text takes the parser down, and that whatever passes is
// what was written.
func FuzzParse(f *testing.F) {
	f.Add(manifestOf(f, productText, categoriesText))
	f.Add([]byte(`{"a":"{x}","a":"{y}"}`))
	f.Add([]byte(`{"sha256:00":"{x}"}`))
	f.Add([]byte(`{"` + strings.Repeat("0", 64) + `":"{x}"}`))
	f.Add([]byte(`{"a":1} `))
	f.Add([]byte(`{"a":"\ud800"}`))
	f.Add([]byte(`[[[[{{{{`))
	f.Add([]byte(`{"a":"{x}"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, issues := parse(data)
		if len(entries) == 0 && len(issues) == 0 {
			t.Fatal("neither documents nor a reason")
		}
		if len(issues) > 0 {
			return
		}
		seen := map[string]bool{}
		for _, e := range entries {
			if seen[e.id] || !ids.MatchString(e.id) {
				t.Fatalf("id %q", e.id)
			}
			seen[e.id] = true
			if claimsHash(e.id) && strings.TrimPrefix(e.id, prefix) != strings.TrimPrefix(id(e.text), prefix) {
				t.Fatalf("%q is not the hash of %q", e.id, e.text)
			}
		}
	})
}
