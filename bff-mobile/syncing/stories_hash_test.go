//go:build cachehash

package syncing

// parts is how many tests tell stories at once: a story takes ten times as long under the race detector.
const parts = 1
