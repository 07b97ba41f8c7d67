//go:build race

package cache

// sparing is by how much less is done under the race detector, where each step takes ten times as long. Without it all of it is done.
const sparing = 10
