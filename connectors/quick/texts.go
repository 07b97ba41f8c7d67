package quick

import "strings"

// texts makes strings of what is read: short ones that came lately are not made again (units,
// colors and names of places repeat in every row), and others share their memory with their
// neighbors, so that an answer of many texts is a few pieces of it.
type texts struct {
	kept  [keptTexts]string
	piece strings.Builder // where the next is written; never beyond its room
	size  int             // of a piece
}

const (
	keptTexts = 64 // a power of 2
	keptBytes = 32 // of a text that is kept

	// The least and the most that a text can keep from being collected, beside itself.
	leastPiece = 64
	mostPiece  = 256
	// mostShared is the length of a text that shares memory with others.
	mostShared = 128
)

// begin is for the texts of an answer so long. Texts of a short one, which are kept one by one,
// share little.
func (t *texts) begin(length int) {
	const share = 4 // of an answer that is text which is not met again
	t.size = min(max(length/share, leastPiece), mostPiece)
	t.piece = strings.Builder{}
}

// of is b as a string: other, if it is the same.
func (t *texts) of(b []byte, other string) string {
	switch {
	case len(b) == 0:
		return ""
	case string(b) == other:
		return other
	case len(b) > mostShared:
		return string(b)
	case len(b) > keptBytes:
		return t.write(b)
	}
	slot := &t.kept[(len(b)^int(b[0])<<1^int(b[len(b)/2])<<2^int(b[len(b)-1]))&(keptTexts-1)]
	if *slot != string(b) {
		*slot = t.write(b)
	}
	return *slot
}

func (t *texts) write(b []byte) string {
	if t.piece.Cap()-t.piece.Len() < len(b) {
		t.piece = strings.Builder{}
		t.piece.Grow(max(t.size, len(b)))
	}
	begin := t.piece.Len()
	t.piece.Write(b)
	return t.piece.String()[begin:]
}
