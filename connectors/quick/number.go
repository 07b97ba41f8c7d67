package quick

// Number reads a number as it is written, valid until more is read; nil for null.
func (r *Reader) Number() []byte {
	if r.peek() == 'n' {
		r.word("null")
		return nil
	}
	begin := r.at
	if r.byte('-') && !r.more09() || begin == r.at && !r.more09() {
		r.Fail()
		return nil
	}
	if r.byte('.') && !r.digits() {
		return nil
	}
	if r.byte('e') || r.byte('E') {
		if !r.byte('-') {
			r.byte('+')
		}
		if !r.digits() {
			return nil
		}
	}
	return r.data[begin:r.at]
}

// NumberText is [Reader.Number] as a text, which shares memory as [Reader.Text] does.
func (r *Reader) NumberText() string { return r.texts.of(r.Number(), "") }

// more09 reads the whole part of a number.
func (r *Reader) more09() bool { return r.byte('0') || r.digits() }

// digits reads one or more.
func (r *Reader) digits() bool {
	begin := r.at
	for !r.bad && r.at < len(r.data) && r.data[r.at] >= '0' && r.data[r.at] <= '9' {
		r.at++
	}
	return r.at > begin || r.Fail()
}

func (r *Reader) byte(c byte) bool {
	if r.bad || r.at == len(r.data) || r.data[r.at] != c {
		return false
	}
	r.at++
	return true
}

// safeDigits always fit an int64.
const safeDigits = 18

// Int reads a whole number; null is 0.
func (r *Reader) Int() int64 {
	text := r.Number()
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	if len(text) > safeDigits {
		r.Fail()
		return 0
	}
	var n int64
	for _, c := range text {
		if c < '0' || c > '9' {
			r.Fail()
			return 0
		}
		n = 10*n + int64(c-'0')
	}
	if negative {
		return -n
	}
	return n
}
