package graphhttp

import "strings"

// survey measures a document by its tokens, in one pass and without a tree: it is what
// stands before the parser, so it must cost little whatever is sent. It is laxer than the
// grammar, where that changes no figure; what it takes, the parser may still refuse.
//
// Two things are merged as the executor merges them: an inline fragment's fields belong
// to the set around it, and the sets of fields with one response key are one set.
type survey struct {
	lexer
	figures

	defs   []definition
	def    *definition // being read; nil between definitions
	header bool        // def's set has not begun
	sets   []set       // that are open, the outermost first
	last   item
	name   string // of the field being read
	open   bool   // name may still turn out to be an alias
	slot   int    // in counts, of the field's response key
	parens int    // that are open: what is in them is values, types and variables
	nested int    // lists and objects that are open within them
	keys   map[key]int
	counts []int // uses of a response key in its merged set; its place here also names the set below it
}

// figures are what limits compare with.
type figures struct {
	tokens, operations, fragments, aliases, directives int
	perSet, sameKey, nesting, nameBytes                int
	introspects                                        bool // a field of the schema's own is asked for
}

// definition is an operation or fragment as far as it is written in one place.
type definition struct {
	fragment bool
	name     string // of a fragment
	schema   bool   // all that its outermost set asks for is about the schema
	own      size
	spreads  []use
	tokens   int
}

// use is a fragment's name where it is spread.
type use struct {
	name  string
	level int
}

// size is what a selection set amounts to, fragments expanded.
type size struct{ fields, depth, roots int }

// set is a selection set that is being read.
type set struct {
	level  int // selections around it
	merged int // the set it is one with
	items  int
	typed  bool // __typename stands in it
}

// key is a response key in a merged set.
type key struct {
	set  int
	name string
}

// item is what was last read in a set.
type item byte

const (
	nothing item = iota
	field
	alias     // and its colon
	dots      // of a spread
	on        // of an inline fragment
	inline    // fragment
	named     // fragment, spread
	directive // its @
)

// measure reads a document. It answers false when that is not GraphQL, and then
// where it ceases to be. Documents of more than most tokens are counted only.
func measure(source string, most int) (*survey, bool) {
	s := &survey{lexer: lexer{source: source}, keys: map[key]int{}}
	for {
		s.steps++
		k, word := s.next()
		switch k {
		case endOfText:
			return s, s.def == nil
		case unknown:
			return s, false
		}
		if s.tokens++; k == comment || s.tokens > most {
			continue
		}
		s.nameBytes = max(s.nameBytes, len(word))
		if !s.token(k, word) {
			return s, false
		}
	}
}

// token takes in a token; it answers false where none of its kind can stand.
func (s *survey) token(k kind, word string) bool {
	if k == '@' {
		s.directives++
	}
	if s.def == nil {
		return s.begin(k, word)
	}
	s.def.tokens++
	switch {
	case s.parens > 0 || k == '(':
		return s.values(k)
	case s.header:
		return s.head(k, word)
	default:
		return s.selection(k, word)
	}
}

// begin takes the first token of a definition, or its description.
func (s *survey) begin(k kind, word string) bool {
	switch {
	case k == text:
		return true
	case k != '{' && word != "query" && word != "mutation" && word != "subscription" && word != "fragment":
		return false
	}
	s.defs = append(s.defs, definition{fragment: word == "fragment", schema: true, tokens: 1})
	s.def, s.header = &s.defs[len(s.defs)-1], true
	if s.def.fragment {
		s.fragments++
	} else {
		s.operations++
	}
	return k != '{' || s.head(k, word)
}

// head takes what stands between a definition's keyword and its set.
func (s *survey) head(k kind, word string) bool {
	switch k {
	case '{':
		s.header = false
		s.counts = append(s.counts, 0)
		s.push(set{merged: len(s.counts) - 1})
	case name:
		if s.def.fragment && s.def.name == "" {
			s.def.name = word
		}
	case '@':
	default:
		return false
	}
	return true
}

// values takes what stands in parentheses.
func (s *survey) values(k kind) bool {
	s.settle()
	switch k {
	case '(':
		s.parens++
	case ')':
		s.parens--
	case '[', '{':
		s.nested++
		s.nesting = max(s.nesting, s.nested)
	case ']', '}':
		s.nested--
	}
	return s.nested >= 0
}

// selection takes a token of a selection set.
func (s *survey) selection(k kind, word string) bool {
	if k == ':' && s.open {
		s.last, s.open = alias, false
		return true
	}
	s.settle()
	switch k {
	case name:
		s.word(word)
	case spread:
		s.item()
		s.def.schema = s.def.schema && len(s.sets) > 1
		s.last = dots
	case '@':
		if s.last == dots {
			s.last = inline
		}
		s.last |= awaits
	case '{':
		return s.descend()
	case '}':
		s.ascend()
	default:
		return false
	}
	return true
}

// awaits marks an item whose directive is about to be named.
const awaits item = 1 << 7

// word takes a name in a selection set.
func (s *survey) word(word string) {
	switch {
	case s.last&awaits != 0:
		s.last &^= awaits
	case s.last == alias:
		if word != s.name {
			s.aliases++
		}
		s.name, s.last = word, field
		s.asked()
	case s.last == dots && word == "on":
		s.last = on
	case s.last == dots:
		s.last = named
		s.def.spreads = append(s.def.spreads, use{word, s.top().level})
	case s.last == on:
		s.last = inline
	default:
		s.item()
		s.name, s.last, s.open = word, field, true
		s.def.own.fields++
		if s.top().level == 0 {
			s.def.own.roots++
		}
		s.count(word)
	}
}

// settle knows the name of a field that has no alias.
func (s *survey) settle() {
	if s.open {
		s.open = false
		s.asked()
	}
}

// asked notes what a field is called, once that is known.
func (s *survey) asked() {
	own := strings.HasPrefix(s.name, "__")
	s.introspects = s.introspects || own && s.name != typeName
	s.def.schema = s.def.schema && (own || len(s.sets) > 1)
}

func (s *survey) item() {
	top := s.top()
	top.items++
	s.perSet = max(s.perSet, top.items)
}

// typeName is a field that clients' caches add to each set.
const typeName = "__typename"

// count counts a response key's uses in its merged set, but for the first __typename of
// each set as it is written: else clients that add it could not send what was written.
func (s *survey) count(word string) {
	at := key{s.top().merged, word}
	i, known := s.keys[at]
	if !known {
		i = len(s.counts)
		s.keys[at] = i
		s.counts = append(s.counts, 0)
	}
	s.slot = i
	if top := s.top(); word == typeName && !top.typed {
		top.typed = true
		return
	}
	s.counts[i]++
	s.sameKey = max(s.sameKey, s.counts[i])
}

func (s *survey) top() *set { return &s.sets[len(s.sets)-1] }

func (s *survey) push(next set) {
	s.sets = append(s.sets, next)
	s.last = nothing
}

// descend opens the set of the field or inline fragment that was read last.
func (s *survey) descend() bool {
	top := *s.top()
	top.items, top.typed = 0, false
	switch s.last {
	case field:
		top.level++
		top.merged = s.slot
		s.def.own.depth = max(s.def.own.depth, top.level)
	case dots, inline:
		s.push(top)
		return true
	default:
		return false
	}
	s.push(top)
	return true
}

func (s *survey) ascend() {
	s.sets = s.sets[:len(s.sets)-1]
	s.last = nothing
	if len(s.sets) == 0 {
		s.def = nil
	}
}
