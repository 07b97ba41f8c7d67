package cache

import (
	"sync"

	"github.com/cespare/xxhash/v2"

	"github.com/portico-bff/portico/schema/commerce"
)

// Versions below this one are not of values.
const (
	unwritten     = 0 // what cannot be written has none
	absentVersion = 1 // there is no such thing
	firstVersion  = 16
)

// Version is the hash of the value as Redis has it, or would have it: see [commerce.Kept].
// It is found out when it is asked for first, unless the written value was at hand before.
func (e *entry) Version() uint64 {
	if v := e.version.Load(); v != unwritten {
		return v
	}
	switch {
	case e.missing:
		return absentVersion
	case e.plan == nil: // a whole answer has an entity
		return unwritten
	}
	v := e.plan.codec.version(e.value)
	e.version.Store(v) // whoever else found it out found the same
	return v
}

// written is told how the entry's value is written, when that is known anyway.
func (e *entry) written(payload []byte) { e.version.Store(versionOf(payload)) }

func versionOf(payload []byte) uint64 {
	v := xxhash.Sum64(payload)
	if v < firstVersion {
		v += firstVersion
	}
	return v
}

// version is that of a value, or unwritten.
func (c codec) version(value any) uint64 {
	to, _ := sheets.Get().(*sheet)
	defer to.giveBack()
	if c.write(to, value); to.err != nil {
		return unwritten
	}
	return versionOf(to.b)
}

// sheets are lent to who wants to know a version.
var sheets = sync.Pool{New: func() any { return &sheet{} }}

func (to *sheet) giveBack() {
	if cap(to.b) > maxRoom {
		return
	}
	to.b, to.err = to.b[:0], nil
	sheets.Put(to)
}

func (e *entry) args() string { return argsOf(e.key) }

// lone is what was asked for one caller alone.
type lone struct {
	plan  *plan
	value any
	asked string // the arguments of an operation without keys
}

func (l *lone) args() string { return l.asked }

func (l *lone) Version() uint64 { return l.plan.codec.version(l.value) }

// fixed is the version of an answer that has no value.
type fixed uint64

func (f fixed) Version() uint64 { return uint64(f) }

// absent is what a system says of what it does not have.
var absent commerce.Kept = fixed(absentVersion)

// answeredAs is the version of err, which a healthy system answered.
func answeredAs(err error) commerce.Kept {
	if commerce.KindOf(err) == commerce.ErrNotFound {
		return absent
	}
	return nil // what else it said is not a value
}
