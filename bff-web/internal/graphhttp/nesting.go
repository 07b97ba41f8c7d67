package graphhttp

import "strconv"

// maxParameterNesting is how deep lists and objects may lie within one another in the
// variables and the extensions, which count themselves. No input of the schema comes near
// it; whoever reads JSON recursively pays for depth.
const maxParameterNesting = 20

// shallow refuses text whose lists and objects lie deeper than most within one another,
// in one pass and whether or not the text is JSON. field is what the text is, if anything.
func shallow[T ~string | ~[]byte](text T, most int, field string) error {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++ // what it escapes ends nothing
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[', c == '{':
			if depth++; depth > most {
				return malformed("lists and objects in variables and extensions may be nested "+strconv.Itoa(maxParameterNesting)+" deep at most", field)
			}
		case c == ']', c == '}':
			depth--
		}
	}
	return nil
}
