package documents

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What lies in a directory and is no manifest costs no more memory than one.
func TestW1_ALargeFileIsNotReadWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "1.json")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, 64<<20))
	data, err := readFile(path)
	require.NoError(t, err)
	assert.Len(t, data, MaxManifestBytes+1)
}

// commands notes the commands of a client.
type commands struct {
	mu   sync.Mutex
	list []string
}

func (a *commands) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (a *commands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		a.mu.Lock()
		a.list = append(a.list, strings.ToLower(fmt.Sprintf("%q", cmd.Args())))
		a.mu.Unlock()
		return next(ctx, cmd)
	}
}

func (a *commands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// A value of Redis that is larger than a manifest may be is not fetched.
func TestW1_ALargeValueIsNotFetched(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	seen := &commands{}
	client.AddHook(seen)
	publish(t, server, "shop/large", []byte(strings.Repeat(" ", MaxManifestBytes+1)))
	publish(t, server, "shop/small", manifestOf(t, productText))
	s := opened(t, Config{Redis: true, Poll: rarely}, Deps{Redis: client})
	assert.NotNil(t, s.Find(id(productText)))
	require.Len(t, *s.problems.Load(), 1)
	assert.Equal(t, "shop/large.json", (*s.problems.Load())[0].File)
	fetched := slices.DeleteFunc(seen.list, func(c string) bool { return !strings.HasPrefix(c, `["hget"`) })
	require.Len(t, fetched, 1)
	assert.Contains(t, fetched[0], "shop/small")
}

// Redis that does not answer takes nothing away, while the directory goes on.
func TestW1_WhatCannotBeReadStaysWhileOtherSourcesChange(t *testing.T) {
	t.Parallel()
	server, dir := miniredis.RunT(t), t.TempDir()
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	publish(t, server, "shop/1", manifestOf(t, productText))
	put(t, dir, "kiosk/1.json", manifestOf(t, categoriesText))
	s := opened(t, Config{Dir: dir, Redis: true, Poll: rarely}, Deps{Redis: client})
	held := s.Find(id(productText))
	require.NotNil(t, held)
	server.Close()
	for i, text := range []string{namelessText, categoriesText + " ", categoriesText + "  "} {
		put(t, dir, fmt.Sprintf("kiosk/%d.json", i+2), manifestOf(t, text))
		s.Refresh(t.Context())
		assert.NotNil(t, s.Find(id(text)), "the directory is followed")
		assert.Same(t, held, s.Find(id(productText)), "look %d", i)
	}
}

// All texts together have their bound: what goes beyond it is refused as a whole, and what
// was there stays.
func TestW1_AllTextsTogetherAreBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const fits = MaxTextBytes/(MaxManifestBytes-1024) + 1 // manifests that are nearly as large as one may be
	text := func(i int) string {
		return fmt.Sprintf("query Q%d { categories { sku } } # %s", i, strings.Repeat("x", MaxManifestBytes-1024))
	}
	for i := range fits {
		put(t, dir, fmt.Sprintf("shop/%d.json", i), manifestOf(t, text(i)))
	}
	s := over(t, dir)
	require.Len(t, *s.problems.Load(), 1)
	assert.Equal(t, tooMuchText, (*s.problems.Load())[0].Cause)
	assert.NotNil(t, s.Find(id(text(0))))
	assert.Nil(t, s.Find(id(text(fits-1))), "the last by name has no room")

	put(t, dir, "twin/1.json", manifestOf(t, text(0)))
	s.Refresh(t.Context())
	assert.Len(t, *s.problems.Load(), 1, "a text that is held already takes no room")
}
