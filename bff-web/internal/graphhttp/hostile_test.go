package graphhttp

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// hostile makes documents that are built to cost much: each of shapes, in sizes around
// every limit and far beyond.
type hostile struct {
	*rand.Rand
	b strings.Builder
}

// document makes the n-th document of at most 32 KiB.
func hostileDocument(n int) string {
	h := &hostile{Rand: rand.New(rand.NewPCG(uint64(n), 7))} //nolint:gosec // not a secret
	shapes[n%len(shapes)](h)
	if h.IntN(8) == 0 {
		h.spoil()
	}
	text := h.b.String()
	return text[:min(len(text), 32<<10)]
}

func (h *hostile) put(format string, args ...any) { fmt.Fprintf(&h.b, format, args...) }

func (h *hostile) repeat(n int, format string) {
	for i := range n {
		h.b.WriteString(strings.ReplaceAll(format, "#", fmt.Sprint(i)))
	}
}

// about is a number near a limit, or far above it.
func (h *hostile) about(limit int) int {
	switch h.IntN(4) {
	case 0:
		return limit * (2 + h.IntN(20))
	case 1:
		return max(limit-h.IntN(5), 1)
	case 2:
		return limit + h.IntN(3)
	default:
		return 1 + h.IntN(limit)
	}
}

// pick is one of words.
func (h *hostile) pick(words ...string) string { return words[h.IntN(len(words))] }

// spoil puts something in the middle that does not belong there.
func (h *hostile) spoil() {
	text := h.b.String()
	at := h.IntN(len(text) + 1)
	h.b.Reset()
	h.b.WriteString(text[:at] + h.pick("\"", `"""`, "{", "}", "(", ")", "[", "...", "@", ":", "\x00", "\xff", "\uFEFF", "$", "# ", "1e", "é", "\\u{110000}") + text[at:])
}

// leaves of Product; selections is one that resolves, or does not.
func (h *hostile) leaves(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(h.pick("sku", "name", "brand", "description", "updatedAt", "nope", "__typename"))
		b.WriteByte(' ')
	}
	return b.String()
}

var shapes = []func(*hostile){
	(*hostile).repeats, (*hostile).cube, (*hostile).chain, (*hostile).cycle, (*hostile).web, (*hostile).twins, (*hostile).aliased,
	(*hostile).deep, (*hostile).lists, (*hostile).objects, (*hostile).longNames, (*hostile).longTexts, (*hostile).blocks, (*hostile).comments,
	(*hostile).directives, (*hostile).variables, (*hostile).operationsMany, (*hostile).numbers, (*hostile).inlines, (*hostile).introspection,
	(*hostile).wrong, (*hostile).noise, (*hostile).unknownTypes, (*hostile).escapes, (*hostile).full,
	(*hostile).wrongEntries, (*hostile).wrongFacets, (*hostile).wrongMembers, (*hostile).wrongSort, (*hostile).wrongArguments, (*hostile).fewerVariables,
}

// repeats asks for few fields many times.
func (h *hostile) repeats() {
	h.put("{product(sku:\"A\"){%s}}", strings.Repeat(h.pick("sku ", "a ", "name sku ", "sku name brand "), h.about(350)))
}

// cube repeats fields with sets of their own, level by level.
func (h *hostile) cube() {
	times := 1 + h.IntN(6)
	inner := "sku "
	for range 1 + h.IntN(6) {
		inner = strings.Repeat("related{"+inner+"}", times)
		if len(inner) > 32<<10 {
			break
		}
	}
	h.put("{product(sku:\"A\"){%s}}", inner)
}

// chain has fragments that spread the next one, doubly.
func (h *hostile) chain() {
	n := h.about(20)
	h.put("{product(sku:\"A\"){...F0 %s}}", h.leaves(h.IntN(20)))
	times, fill := 1+h.IntN(3), h.IntN(45)
	for i := range n {
		h.put("fragment F%d on Product{%s %s}", i, strings.Repeat(fmt.Sprintf("...F%d ", i+1), times), h.leaves(fill))
	}
	if h.IntN(3) > 0 {
		h.put("fragment F%d on Product{sku}", n)
	}
}

// cycle has fragments that come back to themselves.
func (h *hostile) cycle() {
	n := h.about(20)
	h.put("{product(sku:\"A\"){...F0}}")
	for i := range n {
		h.put("fragment F%d on Product{%s ...F%d ...F%d %s{...F%d}}", i, h.leaves(h.IntN(10)), (i+1)%n, h.IntN(n), h.pick("related", "variants"), h.IntN(n))
	}
}

// web has each fragment spread all that come behind it.
func (h *hostile) web() {
	n := h.about(20)
	h.put("{product(sku:\"A\"){...F0}}")
	for i := range n {
		h.put("fragment F%d on Product{%s", i, h.leaves(h.IntN(8)))
		for j := i + 1; j < n; j++ {
			h.put("...F%d ", j)
		}
		h.put("sku related{sku}}")
	}
}

// twins has fragments of one shape side by side, whose fields must all be compared.
func (h *hostile) twins() {
	n := h.about(20)
	inner := h.pick("sku name brand description", strings.Repeat("sku ", 5), strings.Repeat("related{sku name} ", 3), strings.Repeat("related{sku related{sku}} ", 2))
	h.put("{product(sku:\"A\"){")
	h.repeat(n, "...F# ")
	h.put("%s}}", h.pick("", "related{...F0 ...F1}", "sku "))
	below := h.pick("", "related{...F1}", "related{...G ...G}")
	h.repeat(n, "fragment F# on Product{"+inner+below+"}")
	h.put("fragment G on Product{%s}", h.leaves(5))
}

func (h *hostile) aliased() {
	h.put("{")
	h.repeat(h.about(10), "a#:"+h.pick("product(sku:\"A\"){sku}", "__typename ", "nope ", "a#:b ", "products(skus:[\"A\"]){b:sku c:sku}"))
	h.put("}")
}

func (h *hostile) deep() {
	n := h.about(6)
	h.put("{product(sku:\"A\")%s%s", strings.Repeat("{related", n), strings.Repeat("}", n))
}

func (h *hostile) lists() {
	n := h.about(10)
	value := strings.Repeat("[", n) + h.pick("", "1", `"A"`, "null", `"`+strings.Repeat("x", 9000)+`"`) + strings.Repeat("]", n)
	if h.IntN(2) == 0 {
		value = "[" + strings.Repeat(h.pick("1,", `"A",`, "[],", "{},", "null,"), h.about(250)) + "]"
	}
	h.put("{")
	h.repeat(1+h.IntN(10), "f#:products(skus:"+value+"){sku}")
	h.put("}")
}

func (h *hostile) objects() {
	n := h.about(10)
	value := strings.Repeat("{"+h.pick("a", "facets", "category")+":", n) + h.pick("1", `"x"`, "[]") + strings.Repeat("}", n)
	if h.IntN(2) == 0 {
		value = "{" + strings.Repeat(h.pick("category:1 ", "nope:1 ", "facets:[{code:\"a\" values:[1]}] "), h.about(200)) + "}"
	}
	h.put("{search(filter:%s){totalCount}}", value)
}

func (h *hostile) longNames() {
	long := strings.Repeat("n", h.about(128))
	h.put("%s{%s}", h.pick("query "+long, "query($"+long+":Int)", "query(@"+long, "query($a:"+long+")"), h.pick(
		long, "product("+long+":1){sku}", "__typename @"+long, "..."+long, "...on "+long+"{a}", long+":"+long, "search(sort:"+long+"){totalCount}",
		strings.Repeat(long+" ", 5), "search(filter:{"+long+":1}){totalCount}"))
	h.repeat(h.IntN(20), "fragment F# on "+long+"{sku}")
}

// longTexts has strings where something else belongs, so that errors tell of them.
func (h *hostile) longTexts() {
	long := strings.Repeat(h.pick("x", `\n`, "é", "\u0080", `\u{1F600}`, "\uFEFF"), h.about(1500))
	h.put("{product(sku:\"A\"){...F0}}")
	n := 1 + h.IntN(20)
	for i := range n {
		h.put("fragment F%d on Product{...F%d price(quantity:%s\"%s\"%s){quantity}}", i, i+1, h.pick("", "[[[[[[[["), long, h.pick("", "]]]]]]]]"))
	}
	h.put("fragment F%d on Product{sku}", n)
}

func (h *hostile) blocks() {
	h.put(`{product(sku:"""%s""" sku:"a"){sku}}`, strings.Repeat(h.pick("\n  x", `\"""`, "\r\n\t", `"`, "é\n", " \n"), h.about(4000)))
}

func (h *hostile) comments() {
	h.put("{%s __typename}", strings.Repeat(h.pick("#\n", "# comment\n", "#\r", "\uFEFF", ",", "\r\n", " "), h.about(900)))
}

func (h *hostile) directives() {
	h.put("query @a %s{__typename %s ", h.pick("@b(x:1)", ""), strings.Repeat(h.pick("@skip(if:false)", "@nope ", "@include(if:$a)"), h.about(10)))
	h.put("...@skip(if:true){__typename}}")
}

func (h *hostile) variables() {
	h.put("query Q(")
	n := h.about(150)
	h.repeat(n, "$v#:"+h.pick("Int", "[[[String!]!]!]", "Nope", "SearchFilterInput={category:1}", "Int=\"x\"", "String=\"abc\""))
	h.put("){")
	h.repeat(h.IntN(n+1), "product(sku:$v#){sku}")
	h.put("__typename}")
}

func (h *hostile) operationsMany() {
	h.repeat(h.about(10), "query Q#($a:Int){product(sku:\"A\"){...F "+h.leaves(h.IntN(10))+"}}")
	h.put("fragment F on Product{...on Product{%s}}", h.leaves(h.about(100)))
}

func (h *hostile) numbers() {
	h.put("{product(sku:\"A\"){price(quantity:%s%s){quantity}}}", h.pick("", "-"), h.pick("0", "00", "1"+strings.Repeat("0", h.about(2000)), "1e"+strings.Repeat("9", h.about(300)), "1.", "1.5e+9", "0x1", "9223372036854775808"))
}

// inlines hides fields of one name in fragments without names.
func (h *hostile) inlines() {
	n := h.about(60)
	h.put("{product(sku:\"A\"){%s}}", strings.Repeat(h.pick("...on Product{sku}", "...{sku name}", "...{...{sku}}", "...on Nope{a}", "...{related{sku}}"), n))
	if h.IntN(2) == 0 {
		h.b.Reset()
		h.put("{product(sku:\"A\")%s%s}", strings.Repeat("{...", n)+"{sku}", strings.Repeat("}", n))
	}
}

func (h *hostile) introspection() {
	h.put("{__schema{types{fields{type{")
	n := h.about(12)
	h.put("%sname%s}}}}", strings.Repeat("ofType{", n), strings.Repeat("}", n))
	h.put("%s}", h.pick("", "__type(name:\"Product\"){fields{name}}", "product(sku:\"A\"){sku}"))
}

// wrong is full of mistakes that are all told.
func (h *hostile) wrong() {
	h.put("{product(sku:\"A\"){...F0}}")
	n := 1 + h.IntN(20)
	for i := range n {
		h.put("fragment F%d on Product{%s ...F%d}", i, strings.Repeat(h.pick("nope ", "price(x:1) ", "sku{a} ", "related ", "price(quantity:\"x\"){nope} ", "sku(a:1 a:1) "), 1+h.IntN(5)), h.IntN(n+1))
	}
}

func (h *hostile) noise() {
	n := h.about(1000)
	for range n {
		h.b.WriteString(h.pick("{", "}", "a", " ", "(", ")", "...", ":", "\"", "1", "[", "]", "@x", "on", "fragment", "query", "$", "#", "\n", "!", "=", "|", "&"))
	}
}

func (h *hostile) unknownTypes() {
	h.put("query(")
	h.repeat(h.IntN(60)+1, "$v#:Produkt#")
	h.put("){")
	h.repeat(h.about(100), "...on Produckt#{a}")
	h.put("}")
}

func (h *hostile) escapes() {
	h.put("{product(sku:\"%s\"){sku}}", strings.Repeat(h.pick(`\u0041`, `\uD83D\uDE00`, `\uD83D`, `\u{1F600}`, `\u{FFFFFFFFF}`, `\q`, `\\`, `\"`, "\t"), h.about(2000)))
}

// full keeps every limit, or nearly, and nears many of them at once: what comes through is
// what validation has the most work with.
func (h *hostile) full() {
	n := 1 + h.IntN(20)
	if h.IntN(2) == 0 {
		n = 20
	}
	h.put("{product(sku:\"A\")")
	each := 980 / (n + 1)
	h.crowd(each, -1, n)
	h.put("}")
	for i := range n {
		h.put(" fragment F%d on Product", i)
		h.crowd(each-4, i, n)
	}
}

// crowd writes a selection of so many tokens, which asks for few fields over and over and
// spreads fragments that come behind its own.
func (h *hostile) crowd(tokens, own, n int) {
	h.put("{brand ")
	left := map[string]int{"sku": 4, "name": 4, "description": 4, "related": 1, "price(quantity:1){quantity}": 2}
	levels, spreads := h.IntN(3), h.IntN(3)
	h.fill(tokens-3, levels, func() {
		if field := h.pick("sku", "name", "description", "price(quantity:1){quantity}"); left[field] > 0 {
			left[field]--
			h.put("%s ", field)
		}
		if h.IntN(8) < spreads && own < n-1 {
			h.put("...F%d ", own+1+h.IntN(n-own-1))
		}
	})
	h.put("}")
}

// fill writes some twenty tokens in each of as many levels as there are, by what part writes.
func (h *hostile) fill(tokens, levels int, part func()) {
	for ; tokens > 0; tokens-- {
		part()
	}
	if levels > 0 {
		h.put("related{sku ")
		h.fill(h.IntN(20), levels-1, part)
		h.put("}")
	}
}

// wrongEntries has a list of literals, each of a wrong type.
func (h *hostile) wrongEntries() {
	h.put("{products(skus:[%s]){sku}}", h.literals(h.about(480)))
}

func (h *hostile) wrongFacets() {
	h.put("{search(filter:{facets:[{code:\"a\" values:[%s]}]}){totalCount}}", h.literals(h.about(480)))
}

// literals are n values of types that a list of texts does not take.
func (h *hostile) literals(n int) string {
	what := h.pick("# ", "true ", "{} ", "[] ", "X# ", "{a:#} ", "1.5 ", "$v# ")
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(what, "#", fmt.Sprint(i)))
	}
	return b.String()
}

// wrongMembers has many objects of an unknown member each.
func (h *hostile) wrongMembers() {
	h.put("{search(filter:{facets:[")
	h.repeat(h.about(180), "{z#:1}")
	h.put("]}){totalCount}}")
}

// wrongSort has an object of many unknown members where none is taken.
func (h *hostile) wrongSort() {
	h.put("{search(%s:{", h.pick("sort", "filter", "first", "text"))
	h.repeat(h.about(300), "a#:1 ")
	h.put("}){totalCount}}")
}

// wrongArguments gives one field many arguments that it does not have.
func (h *hostile) wrongArguments() {
	h.put("{search(")
	h.repeat(h.about(300), h.pick("a#:1 ", "first:\"#\" ", "first:$v# ", "text:# "))
	h.put("){totalCount}}")
}

// fewerVariables uses one variable in many places of wrong types.
func (h *hostile) fewerVariables() {
	h.put("query($a:%s){search(filter:{facets:[", h.pick("Int", "[String]", "Nope", "SearchFilterInput", "Boolean=true"))
	h.repeat(h.about(90), h.pick("{code:$a values:[$a $a]}", "{code:$a values:$a}", "$a "))
	h.put("]}){totalCount}}")
}

var bodyShapes = []func(*hostile){
	(*hostile).deepBody, (*hostile).wideBody, (*hostile).listBody, (*hostile).escapedBody, (*hostile).twiceBody, (*hostile).itemsBody, (*hostile).numberBody,
}

// hostileBody makes the n-th body of at most 32 KiB that is hostile beside its document.
func hostileBody(n int) []byte {
	h := &hostile{Rand: rand.New(rand.NewPCG(uint64(n), 11))} //nolint:gosec // not a secret
	bodyShapes[h.IntN(len(bodyShapes))](h)
	text := h.b.String()
	return []byte(text[:min(len(text), 32<<10)])
}

func (h *hostile) deepBody() {
	kind := [][2]string{{"[", "]"}, {`{"a":`, "}"}, {`[{"a":`, "}]"}}[h.IntN(3)]
	n := h.pick("19", "20", "3000", "5000")
	depth := map[string]int{"19": 19, "20": 20, "3000": 3_000, "5000": 5_000}[n]
	h.put(`{"query":"{product(sku:\"A\"){sku}}","%s":{"b":1,"a":%s1%s}}`, h.pick("variables", "extensions"), strings.Repeat(kind[0], depth), strings.Repeat(kind[1], depth))
}

// wideBody has very many members, which nothing declares.
func (h *hostile) wideBody() {
	h.put(`{"query":"{product(sku:\"A\"){sku}}","%s":{`, h.pick("variables", "extensions"))
	h.repeat(h.IntN(3_500), h.pick(`"a#":1,`, `"a#":{},`, `"a#":[],`, `"a#":"\u0000",`))
	h.put(`"z":1}}`)
}

// listBody has a long list where a list is declared.
func (h *hostile) listBody() {
	h.put(`{"query":"query($a:[String!]!){products(skus:$a){sku}}","variables":{"a":[`)
	h.repeat(h.IntN(6_000), h.pick(`"#",`, `#,`, `null,`, `[],`, `{},`))
	h.put(`"Z"]}}`)
}

func (h *hostile) escapedBody() {
	h.put(`{"query":"{search(text:$t){totalCount}}","variables":{"t":"%s"}}`, strings.Repeat(h.pick(`\u00e4`, `\\`, `\ud800`, `\n`, "ä", "\xff"), h.IntN(5_000)))
}

// twiceBody has a member again and again.
func (h *hostile) twiceBody() {
	h.put(`{"query":"{product(sku:\"A\"){sku}}","variables":{`)
	h.repeat(h.IntN(4_000), h.pick(`"a":1,`, `"a":{"a":1,"a":2},`))
	h.put(`"a":1}}`)
}

// itemsBody has input objects of many members that their type does not have.
func (h *hostile) itemsBody() {
	h.put(`{"query":"query($f:SearchFilterInput){search(filter:$f){totalCount}}","variables":{"f":{"facets":[`)
	h.repeat(h.IntN(1_200), h.pick(`{"z#":1},`, `{"code":"#","values":["a"]},`, `{"code":#},`, `1,`))
	h.put(`{"code":"a","values":["b"]}]}}}`)
}

func (h *hostile) numberBody() {
	h.put(`{"query":"query($n:Int){search(first:$n){totalCount}}","variables":{"n":%s}}`, h.pick("1", "-")+strings.Repeat(h.pick("1", "0", "9"), h.IntN(30_000))+h.pick("", ".5", "e9", "e999999999"))
}
