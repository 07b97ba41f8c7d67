package pimcore

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMarkupBecomesPlainText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                         "",
		"  as it is\n\n a < b & c": "  as it is\n\n a < b & c",
		"5 &amp; 6":                "5 &amp; 6",
		"<p>One.</p>\n<p>Two &amp; <b>three</b>.</p>":      "One.\n\nTwo & three.",
		"<p>Line<br/>line</p>":                             "Line\nline",
		"<ul>\n <li>a</li>\n <li>b</li>\n</ul> end":        "a\nb\n\nend",
		"<p>a</p><script>alert('<p>')</script><p>b</p>":    "a\n\nb",
		"<p>a<!-- <p>hidden</p> --></p><style>p{}</style>": "a",
		"<p>&lt;script&gt;</p>":                            "<script>",
		"<p>4 < 5</p>":                                     "4 < 5",
		"<a href=\"x\ny\">link</a>":                        "link",
	} {
		assert.Equal(t, want, plainText(text), text)
	}
}

func FuzzPlainText(f *testing.F) {
	f.Add("<p>a</p>")
	f.Fuzz(func(t *testing.T, text string) {
		got := plainText(text)
		if !markup.MatchString(text) {
			assert.Equal(t, text, got)
		}
		assert.LessOrEqual(t, len(got), 2*len(text)+2)
	})
}

// What needs no escaping is where it would be if it were parsed.
func FuzzPlainPath(f *testing.F) {
	for _, path := range []string{"/a/b-1_2.jpg", "/", "//host/a", "/a//b", "/a/../b", "/.a", "/a.", "/a/", "/a b", "/a?b", "/%41", "a", "", "/a:b"} {
		f.Add(path)
	}
	var all []pictures
	for _, base := range []string{"https://cdn.example.test", "https://cdn.example.test/a%20b/", "https://cdn.example.test/a/../b?q=1#f", "http://h:1/x//y/."} {
		p, err := parsePictures(Config{PublicAssetURL: base, Thumbnails: []string{"small=80"}})
		require.NoError(f, err)
		all = append(all, p)
	}
	require.NotEmpty(f, all[0].below)
	f.Fuzz(func(t *testing.T, path string) {
		for _, p := range all {
			got, ok := p.address(path)
			want, alsoOK := p.joined(path)
			require.Equal(t, alsoOK, ok, "%s %s", p.base, path)
			assert.Equal(t, want, got, "%s %s", p.base, path)
		}
	})
}
