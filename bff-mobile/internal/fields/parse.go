package fields

import (
	"strconv"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// Parameter is the query parameter that holds the text.
const Parameter = "fields"

// What a text may come to.
const (
	maxLength = 1024 // bytes
	maxDepth  = 5    // names within each other
	maxNames  = 200
)

// Parse reads which properties of a screen a client wants:
//
//	list = item *("," item)
//	item = name ["(" list ")"]
//
// A name alone is all of the property; with a list it is what the list names, and what the
// contract requires. Names that are there several times add up. Errors are
// [commerce.InputError]s on the parameter that name what is not known.
func Parse(screen *Tree, text string) (Set, error) {
	if len(text) > maxLength {
		return Set{}, refuse(commerce.CodeTooLong, "must be at most "+strconv.Itoa(maxLength)+" bytes long")
	}
	p := parser{rest: text}
	asked := newWant(screen)
	if err := p.list(screen, asked, "", 1); err != nil {
		return Set{}, err
	}
	if p.rest != "" {
		return Set{}, malformed()
	}
	if asked = normal(screen, asked); full(screen, asked) {
		return Set{}, nil
	}
	return Set{tree: screen, asked: asked, text: string(write(nil, screen, asked))}, nil
}

func refuse(code commerce.Code, message string) error {
	return &commerce.InputError{Field: Parameter, Code: code, Message: message}
}

func malformed() error {
	return refuse(commerce.CodeInvalid, "must be names with commas between, each with those below it in parentheses behind it: name,price(unit)")
}

type parser struct {
	rest  string
	names int
}

func (p *parser) list(of *Tree, into *want, at string, depth int) error {
	if depth > maxDepth {
		return refuse(commerce.CodeOutOfRange, "must not go deeper than "+strconv.Itoa(maxDepth)+" names")
	}
	for {
		if err := p.item(of, into, at, depth); err != nil {
			return err
		}
		if !p.next(',') {
			return nil
		}
	}
}

func (p *parser) item(of *Tree, into *want, at string, depth int) error {
	name := p.name()
	if name == "" {
		return malformed()
	}
	if p.names++; p.names > maxNames {
		return refuse(commerce.CodeOutOfRange, "must not hold more than "+strconv.Itoa(maxNames)+" names")
	}
	i := of.find(name)
	if i < 0 {
		return unknown(at, name)
	}
	if !p.next('(') {
		into.below[i] = whole
		return nil
	}
	below := of.properties[i].below
	if below == nil {
		return refuse(commerce.CodeInvalid, at+name+" has nothing below it")
	}
	sub := into.below[i]
	if sub == nil || sub == whole {
		sub = newWant(below)
	}
	if err := p.list(below, sub, at+name+".", depth+1); err != nil {
		return err
	}
	if into.below[i] != whole {
		into.below[i] = sub
	}
	if !p.next(')') {
		return malformed()
	}
	return nil
}

// unknown names what is not there. What is too long for a name is not repeated.
func unknown(at, name string) error {
	const longest = 64
	if len(name) > longest {
		return refuse(commerce.CodeUnsupported, "holds a name that is not known")
	}
	return refuse(commerce.CodeUnsupported, at+name+" is not a property of this screen")
}

func (p *parser) next(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) name() string {
	end := strings.IndexFunc(p.rest, func(c rune) bool { return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') })
	if end < 0 {
		end = len(p.rest)
	}
	name := p.rest[:end]
	p.rest = p.rest[end:]
	return name
}
