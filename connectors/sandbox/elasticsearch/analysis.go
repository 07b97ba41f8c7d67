package elasticsearch

import (
	"strings"
	"unicode"
)

// analyze cuts a text into tokens: runs of letters, marks and digits, lower case, plurals
// of Latin words reduced; ideographs stand alone.
func analyze(s string) []string {
	var tokens []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			tokens = append(tokens, stem(word.String()))
			word.Reset()
		}
	}
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Han, r):
			flush()
			tokens = append(tokens, string(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			word.WriteRune(unicode.ToLower(r))
		case r == '\'' || r == '’': // "women's" is one word
		default:
			flush()
		}
	}
	flush()
	return tokens
}

// stem is a minimal English stemmer: "bikes" and "bike" are one.
func stem(word string) string {
	if len(word) < 4 || !strings.HasSuffix(word, "s") || strings.HasSuffix(word, "ss") || strings.HasSuffix(word, "us") {
		return word
	}
	if strings.HasSuffix(word, "ies") && len(word) > 4 {
		return word[:len(word)-3] + "y"
	}
	return word[:len(word)-1]
}

// edits is what fuzziness AUTO allows for a word.
func edits(word string) int {
	switch n := len([]rune(word)); {
	case n < 3:
		return 0
	case n < 6:
		return 1
	default:
		return 2
	}
}

// near tells whether a and b are at most limit edits apart and share their first prefix runes.
func near(a, b string, limit, prefix int) bool {
	if a == b {
		return true
	}
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) > limit || len(y)-len(x) > limit || len(x) < prefix || len(y) < prefix || string(x[:prefix]) != string(y[:prefix]) {
		return false
	}
	return distance(x, y) <= limit
}

// distance counts inserted, deleted, replaced and swapped runes between x and y.
func distance(x, y []rune) int {
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
