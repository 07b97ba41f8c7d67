package cache

import (
	"encoding/binary"
	"time"
)

// lettersForm begins keys that are a request's letters; no question's key begins so.
const lettersForm = 0xff

// AppendLetters writes a request as it was sent, part by part, so that two are written
// alike only when they are equal. Nothing of it is understood, no market is resolved:
// equal letters ask for the same because all that an answer to an anonymous caller
// depends on is in them.
func AppendLetters(b []byte, parts ...[]byte) []byte {
	b = append(b, lettersForm)
	for _, part := range parts {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	return b
}

// AliasLetters has answer, when it is kept and public, found under a request's letters as
// well, for [Answers.KeptLetters]. The letters are copied. Equal letters have to ask for
// the same whatever is kept, and who is signed in must not be in them: they are for
// anonymous callers only.
func (a *Answers) AliasLetters(letters []byte, answer *Answer) {
	if a == nil || answer.entry == nil || !answer.public || len(letters) == 0 || letters[0] != lettersForm {
		return
	}
	a.name(string(letters), answer)
}

// KeptLetters is the answer that is kept under a request's letters, or nil, at now. It
// keeps nothing of letters. It is not counted: whoever answers with it counts it as a [Hit].
func (a *Answers) KeptLetters(letters []byte, now time.Time) *Answer {
	if a == nil || len(letters) == 0 || letters[0] != lettersForm {
		return nil
	}
	return a.lookupAt(view(letters), now)
}
