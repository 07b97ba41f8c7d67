package pimcore

import (
	"testing"

	"github.com/stretchr/testify/assert"
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
