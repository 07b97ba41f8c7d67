package encoding

import "bytes"

// Choose is the coding that an Accept-Encoding field asks for (RFC 9110, 12.5.3): of those
// that are known the one with the greatest weight, and among equals brotli before zstd before
// gzip. Identity is chosen where none is asked for, and where it weighs more than all others;
// that it is refused counts for nothing, since there is always something that cannot be
// encoded. A member that is malformed counts for nothing, either. field is all of the
// request's lines, with commas between; it is only read.
func Choose(field []byte) Encoding {
	var w weights
	for rest, more := field, len(field) > 0; more; {
		var member []byte
		member, rest, more = bytes.Cut(rest, []byte(","))
		w.take(member)
	}
	return w.best()
}

// weights are what each coding weighs, in thousandths. A coding that is named twice weighs
// the lesser: who refuses one anywhere does not get it.
type weights struct {
	named  [codings]bool
	weight [codings]int
	others int // that of *; 0 when it is not there
	all    bool
}

func (w *weights) take(member []byte) {
	name, param, weighted := bytes.Cut(member, []byte(";"))
	weight := most
	if weighted {
		var ok bool
		if weight, ok = weightOf(trim(param)); !ok {
			return
		}
	}
	name = trim(name)
	if string(name) == "*" {
		if !w.all || weight < w.others {
			w.all, w.others = true, weight
		}
		return
	}
	for e := range codings {
		if folded(name, names[e]) || e == Gzip && folded(name, "x-gzip") {
			if !w.named[e] || weight < w.weight[e] {
				w.named[e], w.weight[e] = true, weight
			}
			return
		}
	}
}

// folded tells whether token is name, which is in lower case, but for the case of letters.
func folded(token []byte, name string) bool {
	if len(token) != len(name) {
		return false
	}
	for i, b := range token {
		if 'A' <= b && b <= 'Z' {
			b |= 0x20
		}
		if b != name[i] {
			return false
		}
	}
	return true
}

func (w *weights) best() Encoding {
	best, weight := Identity, 0
	for e := Identity + 1; e < codings; e++ { // the later the better
		of := w.others
		if w.named[e] {
			of = w.weight[e]
		}
		if of > 0 && of >= weight {
			best, weight = e, of
		}
	}
	if w.named[Identity] && w.weight[Identity] > weight {
		return Identity
	}
	return best
}

// most is the greatest weight.
const most = 1000

// weightOf is the weight that a parameter is, in thousandths: q=, a 0 or 1, and three digits
// at most behind a point.
func weightOf(param []byte) (weight int, ok bool) {
	if len(param) < 3 || param[0]|0x20 != 'q' || param[1] != '=' {
		return 0, false
	}
	number := param[2:]
	if len(number) > len("1.000") || len(number) > 1 && number[1] != '.' {
		return 0, false
	}
	for i, unit := 0, most; i < len(number); i++ {
		if i == 1 { // the point
			continue
		}
		if number[i] < '0' || number[i] > '9' {
			return 0, false
		}
		weight += int(number[i]-'0') * unit
		unit /= 10
	}
	return weight, weight <= most
}

// trim is text without the spaces and tabs around it.
func trim(text []byte) []byte { return bytes.Trim(text, " \t") }
