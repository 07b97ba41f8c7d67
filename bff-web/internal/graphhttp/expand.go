package graphhttp

// expansion is what the definitions of a document come to, each measured once. It
// calls itself no deeper than there are fragments, of which there are few.
type expansion struct {
	*survey
	known map[string]*definition // fragments by name, the first of each
	sizes map[*definition]*size  // nil while it is measured
}

func expand(s *survey) *expansion {
	e := &expansion{survey: s, known: map[string]*definition{}, sizes: map[*definition]*size{}}
	for i := range s.defs {
		if def := &s.defs[i]; def.fragment && e.known[def.name] == nil {
			e.known[def.name] = def
		}
	}
	return e
}

// ceiling keeps sums from growing without end: fragments double at every level.
const ceiling = 1 << 20

// size is what def amounts to. What leads back to itself, or to nothing, adds nothing:
// validation refuses it.
func (e *expansion) size(def *definition) size {
	if found, ok := e.sizes[def]; ok {
		if found == nil {
			return size{}
		}
		return *found
	}
	e.sizes[def] = nil
	total := def.own
	for _, u := range def.spreads {
		e.steps++
		f := e.known[u.name]
		if f == nil {
			continue
		}
		below := e.size(f)
		total.fields = min(total.fields+below.fields, ceiling)
		total.depth = max(total.depth, u.level+below.depth)
		if u.level == 0 {
			total.roots = min(total.roots+below.roots, ceiling)
		}
	}
	e.sizes[def] = &total
	return total
}

// validation is how many tokens validation reads: it goes through every definition, and
// from each through the fragments that it leads to, once.
func (e *expansion) validation() int {
	total := 0
	for i := range e.defs {
		seen := map[*definition]bool{}
		queue := []*definition{&e.defs[i]}
		for len(queue) > 0 {
			def := queue[0]
			queue = queue[1:]
			total += def.tokens
			for _, u := range def.spreads {
				e.steps++
				if f := e.known[u.name]; f != nil && !seen[f] {
					seen[f] = true
					queue = append(queue, f)
				}
			}
		}
	}
	return total
}
