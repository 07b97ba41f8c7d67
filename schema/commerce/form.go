package commerce

import "strings"

// What ids are made of, read byte by byte: they are checked on each row of each answer.

// The sets of bytes.
const (
	alphanumeric uint8 = 1 << iota
	underscore
	hyphen
	dot
	visibleByte   // of ASCII, space not among them
	localPartByte // of an e-mail address
)

const (
	inID    = alphanumeric | underscore | hyphen
	inName  = inID | dot // SKUs, coupons
	inLabel = alphanumeric | hyphen
)

// sets are the sets that each byte is in.
var sets = func() (table [256]uint8) {
	for c := range table {
		switch b := byte(c); {
		case b >= '0' && b <= '9', b >= 'A' && b <= 'Z', b >= 'a' && b <= 'z':
			table[c] |= alphanumeric
		case b == '_':
			table[c] |= underscore
		case b == '-':
			table[c] |= hyphen
		case b == '.':
			table[c] |= dot
		}
		if c > ' ' && c <= '~' {
			table[c] |= visibleByte
		}
		if !strings.ContainsRune(" \t\n\f\r@<>\"(),:;\\", rune(c)) {
			table[c] |= localPartByte
		}
	}
	return table
}()

// made tells whether s has 1 to most bytes, all of them in a set.
func made(s string, set uint8, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		if sets[s[i]]&set == 0 {
			return false
		}
	}
	return true
}

// IsSKU tells whether [ParseSKU] takes s, without making a copy of it.
func IsSKU(s string) bool {
	const most = 64
	return made(s, inName, most) && s[0] != '.' && s[0] != '-'
}

// IsCategoryID tells whether [ParseCategoryID] takes s, without making a copy of it.
func IsCategoryID(s string) bool { return isID(s) }

func isID(s string) bool {
	const most = 64
	return made(s, inID, most)
}

func isCartID(s string) bool {
	const most = 128
	return (strings.HasPrefix(s, "g_") || strings.HasPrefix(s, "c_")) && made(s[2:], inID, most)
}

func isOrderNumber(s string) bool {
	const most = 32
	return made(s, inID, most)
}

func isCoupon(s string) bool {
	const most = 64
	return made(s, inName, most) && sets[s[0]]&alphanumeric != 0
}

func isKey(s string) bool {
	const most = 255
	return made(s, visibleByte, most)
}

// isEmail takes a local part of 1 to 64 characters, and labels of 1 to 63, two or more.
func isEmail(s string) bool {
	local, host, ok := strings.Cut(s, "@")
	return ok && isLocalPart(local) && isHost(host)
}

// isLocalPart counts characters, not bytes: what is not UTF-8 counts as one each.
func isLocalPart(s string) bool {
	const most = 64
	n := 0
	for i, c := range s {
		if n++; n > most || c < 0x80 && sets[s[i]]&localPartByte == 0 {
			return false
		}
	}
	return n > 0
}

func isHost(s string) bool {
	const most = 63
	labels := 0
	for label := range strings.SplitSeq(s, ".") {
		if labels++; !made(label, inLabel, most) {
			return false
		}
	}
	return labels > 1
}
