package timing

import "errors"

// Failed is why an answer could not be made, with what it took until that was known.
type Failed struct {
	Err   error
	Spent *Elapsed
}

// Error is the cause's.
func (f *Failed) Error() string { return f.Err.Error() }

// Unwrap is the cause.
func (f *Failed) Unwrap() error { return f.Err }

// OfError is what it took until err was known; nil when err does not tell.
func OfError(err error) *Elapsed {
	if failed, ok := errors.AsType[*Failed](err); ok {
		return failed.Spent
	}
	return nil
}
