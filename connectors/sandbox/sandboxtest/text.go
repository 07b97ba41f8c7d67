package sandboxtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

// Text is up to most characters from anywhere in Unicode, control characters,
// noncharacters and everything beyond the basic plane included.
func Text(rnd *rand.Rand, most int) string {
	const surrogates, first = 0x800, 0xD800 // which are no characters
	text := make([]rune, rnd.IntN(most+1))
	for i := range text {
		r := rune(rnd.IntN(utf8.MaxRune + 1 - surrogates))
		if r >= first {
			r += surrogates
		}
		text[i] = r
	}
	return string(text)
}

// Escaped writes text as a JSON string of nothing but \u escapes, as some systems do.
func Escaped(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		if r > 0xFFFF {
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04X`, 0xD800+r>>10, 0xDC00+r&0x3FF)
			continue
		}
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	b.WriteByte('"')
	return b.String()
}
