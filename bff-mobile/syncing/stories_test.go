//go:build !cachehash

package syncing

// parts is how many tests tell stories at once.
const parts = 10
