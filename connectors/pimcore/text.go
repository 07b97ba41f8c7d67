package pimcore

import (
	"html"
	"regexp"
	"strings"
)

// The pieces of markup that a WYSIWYG field holds.
var (
	markup     = regexp.MustCompile(`(?i)</[a-z][a-z0-9]*\s*>|<br\s*/?>`)
	dropped    = regexp.MustCompile(`(?is)<(script|style)\b.*?</(script|style)\s*>|<!--.*?-->`)
	lineEnds   = regexp.MustCompile(`(?i)<br\s*/?>|</(li|tr)\s*>`)
	blockEnds  = regexp.MustCompile(`(?i)</(p|div|h[1-6]|ul|ol|table|blockquote)\s*>`)
	tags       = regexp.MustCompile(`(?s)</?[a-zA-Z][^<>]*>`)
	blanks     = regexp.MustCompile(`[ \t\r\n]+`)
	aroundLine = regexp.MustCompile(` ?\n ?`)
	emptyLines = regexp.MustCompile(`\n{3,}`)
)

// plainText is what a reader sees of a text field: the port promises no markup, and WYSIWYG fields hold
// HTML. Paragraphs become lines with a blank one between. A text without markup stays as it is.
func plainText(text string) string {
	if strings.IndexByte(text, '<') < 0 || !markup.MatchString(text) {
		return text
	}
	text = dropped.ReplaceAllString(text, "")
	text = blanks.ReplaceAllString(text, " ")
	text = lineEnds.ReplaceAllString(text, "\n")
	text = blockEnds.ReplaceAllString(text, "\n\n")
	text = tags.ReplaceAllString(text, "")
	text = aroundLine.ReplaceAllString(text, "\n")
	text = emptyLines.ReplaceAllString(text, "\n\n")
	return strings.TrimSpace(html.UnescapeString(text))
}
