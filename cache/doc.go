// Package cache stands between the channels and the connectors: it decides who
// may share an answer, for how long, and what is answered when a system is slow
// or down.
//
// [Cache.Wrap] puts a decorator around each read port. What a decorator may do
// is one row of the table in policies.go, narrowed by the traits of the kind
// behind the port. An answer is private until a kind declares otherwise, and a
// private answer of an unknown principal is neither kept nor shared at all.
//
// A batch is answered key by key: from memory (decoded values, shared read-only),
// else from a flight that is under way for that key, else by one flight for all
// keys that are left, which asks Redis once and the system once. A flight belongs
// to nobody: who waits for it watches their own context, and it ends by its own
// deadline.
//
// What changes is dropped by tags: [Cache.Invalidate]. Every answer carries those of
// its key and its value, and a stamp of the invalidations its load knew of; one that
// is older than the last invalidation of any of its tags is dead, in memory, in
// flight and in Redis. That order is never taken from a clock. Invalidations are
// entries of one Redis stream, which every process follows from where it was, so
// that a lost connection loses none; while it cannot be followed, nothing is taken
// from Redis.
//
// Redis being down, slow or corrupt is a miss, never an error; so is anything in
// it that is not exactly what this version wrote for this very key.
package cache
