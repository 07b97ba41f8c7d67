//go:build !race

package cache

const sparing = 1
