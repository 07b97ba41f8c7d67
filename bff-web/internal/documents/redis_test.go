package documents

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// overRedis opens a store over a server in this process.
func overRedis(t *testing.T) (*Store, *miniredis.Miniredis) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return opened(t, Config{Redis: true, Poll: rarely}, Deps{Redis: client}), server
}

// publish puts a manifest as a build does.
func publish(t *testing.T, server *miniredis.Miniredis, name string, data []byte) {
	t.Helper()
	server.HSet(ManifestsKey, name, string(data))
	_, err := server.Incr(VersionKey, 1)
	require.NoError(t, err)
}

func TestRedisIsFollowedByItsVersion(t *testing.T) {
	t.Parallel()
	s, server := overRedis(t)
	assert.True(t, s.Ready(), "nothing is published, and that is known")
	publish(t, server, "shop/1", manifestOf(t, productText))
	s.Refresh(t.Context())
	first := s.Find(id(productText))
	require.NotNil(t, first)

	server.HSet(ManifestsKey, "shop/2", string(manifestOf(t, categoriesText)))
	s.Refresh(t.Context())
	assert.Nil(t, s.Find(id(categoriesText)), "not before the version changes")
	publish(t, server, "shop/3", []byte("broken"))
	s.Refresh(t.Context())
	assert.NotNil(t, s.Find(id(categoriesText)))
	assert.Same(t, first, s.Find(id(productText)))
	require.Len(t, *s.problems.Load(), 1)
	assert.Equal(t, Problem{"redis", "shop/3.json", "", errNotObject.Error()}, (*s.problems.Load())[0])

	server.HDel(ManifestsKey, "shop/1")
	server.HDel(ManifestsKey, "shop/3")
	publish(t, server, "shop/2", manifestOf(t, categoriesText))
	s.Refresh(t.Context())
	assert.Empty(t, *s.problems.Load())
	assert.Nil(t, s.Find(id(productText)))
	assert.NotNil(t, s.Find(id(categoriesText)))
}

func TestRedisDownKeepsTheLastGoodSet(t *testing.T) {
	t.Parallel()
	s, server := overRedis(t)
	publish(t, server, "shop/1", manifestOf(t, productText))
	s.Refresh(t.Context())
	server.Close()
	s.Refresh(t.Context())
	assert.NotNil(t, s.Find(id(productText)))
	assert.True(t, s.Ready())
	require.Len(t, *s.problems.Load(), 1)
	assert.Contains(t, (*s.problems.Load())[0].Cause, "does not answer")
	require.NoError(t, server.Restart())
	s.Refresh(t.Context())
	assert.Empty(t, *s.problems.Load())

	server.FlushAll() // all of it is lost
	s.Refresh(t.Context())
	assert.NotNil(t, s.Find(id(productText)), "a shop is not closed by an empty Redis")
	publish(t, server, "shop/1", manifestOf(t, categoriesText))
	s.Refresh(t.Context())
	assert.NotNil(t, s.Find(id(categoriesText)))
	assert.Nil(t, s.Find(id(productText)))
}

// A process that has never read what is published cannot tell what is unknown.
func TestAStoreIsNotReadyBeforeItHasRead(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	s := opened(t, Config{Redis: true, Poll: rarely}, Deps{Redis: client, Required: true})
	assert.False(t, s.Ready())
	assert.Nil(t, s.Find(id(productText)))
	assert.EqualValues(t, 1, s.page().Refused[unready].Requests)
	assert.Zero(t, s.page().Refused[unknown].Requests)
}

func TestRedisIsBounded(t *testing.T) {
	t.Parallel()
	s, server := overRedis(t)
	publish(t, server, "shop/1", manifestOf(t, productText))
	publish(t, server, "shop/large", []byte(strings.Repeat(" ", MaxManifestBytes+1)))
	publish(t, server, "no name", manifestOf(t, categoriesText))
	s.Refresh(t.Context())
	assert.NotNil(t, s.Find(id(productText)))
	problems := *s.problems.Load()
	require.Len(t, problems, 2)
	assert.Equal(t, "no name.json", problems[0].File)
	assert.Equal(t, "shop/large.json", problems[1].File)
	assert.Contains(t, problems[1].Cause, fmt.Sprint(MaxManifestBytes+1))

	for i := range MaxManifests {
		server.HSet(ManifestsKey, fmt.Sprintf("many/%d", i), "{}")
	}
	publish(t, server, "shop/1", manifestOf(t, categoriesText))
	s.Refresh(t.Context())
	assert.Contains(t, (*s.problems.Load())[0].Cause, fmt.Sprintf("holds %d manifests", MaxManifests+3))
	assert.NotNil(t, s.Find(id(productText)), "what was read before stays")
}
