package commerce

import "context"

type patienceKey struct{}

// WithPatience returns a context whose reader waits for what is not kept as long as the
// context lets it: nothing else waits for what is read so. Without it, the cache says how
// long a reader waits.
func WithPatience(ctx context.Context) context.Context {
	return context.WithValue(ctx, patienceKey{}, true)
}

// Patient tells whether the context's reader waits as long as the context lets it.
func Patient(ctx context.Context) bool {
	patient, _ := ctx.Value(patienceKey{}).(bool)
	return patient
}
