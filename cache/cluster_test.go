package cache

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// hangUp is the answer of a node that executes a command and is gone; noAnswer that
// of one that never answers.
const (
	hangUp   = ""
	noAnswer = "silence"
)

// clusterNode is one node of a made-up cluster, that counts what it executes.
type clusterNode struct {
	t       *testing.T
	address string
	owner   *clusterNode                // who has all slots; nil: this one
	answer  func(words []string) string // to what is no greeting

	mu       sync.Mutex
	executed []string
	slots    int // how often it was asked who has which slots
}

func newClusterNode(t *testing.T, answer func(words []string) string) *clusterNode {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n := &clusterNode{t: t, address: listener.Addr().String(), answer: answer}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			wg.Go(func() { n.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return n
}

func (n *clusterNode) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	for {
		words, err := readWords(r)
		if err != nil {
			return
		}
		answer := n.reply(words)
		switch answer {
		case hangUp:
			return
		case noAnswer:
			continue
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}

// readWords takes one command off the wire.
func readWords(r *bufio.Reader) ([]string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(line[1:]))
	if err != nil {
		return nil, err
	}
	words := make([]string, n)
	for i := range words {
		if line, err = r.ReadString('\n'); err != nil {
			return nil, err
		}
		size, err := strconv.Atoi(strings.TrimSpace(line[1:]))
		if err != nil {
			return nil, err
		}
		text := make([]byte, size+2)
		if _, err := io.ReadFull(r, text); err != nil {
			return nil, err
		}
		words[i] = string(text[:size])
	}
	words[0] = strings.ToLower(words[0])
	return words, nil
}

func (n *clusterNode) reply(words []string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch words[0] {
	case "hello":
		return "-ERR unknown command\r\n"
	case "client":
		return "+OK\r\n"
	case "cluster":
		n.slots++
		owner := n
		if n.owner != nil {
			owner = n.owner
		}
		host, port, _ := net.SplitHostPort(owner.address)
		return fmt.Sprintf("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$%d\r\n%s\r\n:%s\r\n$2\r\nid\r\n", len(host), host, port)
	}
	n.executed = append(n.executed, words[0])
	return n.answer(words)
}

func (n *clusterNode) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.executed)
}

// clusterClient is a client as the cache lends it, but for how long it waits for an answer.
func clusterClient(t *testing.T, seed *clusterNode, wait time.Duration) redis.UniversalClient {
	t.Helper()
	opts, err := redisOptions(commerce.Secret("redis+cluster://" + seed.address))
	require.NoError(t, err)
	silence()
	borrowed := lent(*opts)
	borrowed.ReadTimeout = wait
	client := newClient(borrowed)
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return client
}

// What may do harm when it is done twice, as it is used here.
var sendings = map[string]struct {
	commands []string // as the node sees them
	send     func(context.Context, redis.UniversalClient) error
}{
	"XADD": {[]string{"xadd"}, func(ctx context.Context, c redis.UniversalClient) error {
		return c.XAdd(ctx, &redis.XAddArgs{Stream: newsStream, Values: []string{"a", "b"}}).Err()
	}},
	"a script": {[]string{"evalsha"}, func(ctx context.Context, c redis.UniversalClient) error {
		return redis.NewScript("return 1").Run(ctx, c, []string{"k"}, "v").Err()
	}},
	"XREADGROUP, which waits": {[]string{"xreadgroup"}, func(ctx context.Context, c redis.UniversalClient) error {
		return c.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "g", Consumer: "c", Streams: []string{"s", ">"}, Block: time.Millisecond}).Err()
	}},
	"a pipeline": {[]string{"set", "eval"}, func(ctx context.Context, c redis.UniversalClient) error {
		_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.Set(ctx, "k", "v", time.Minute)
			p.Eval(ctx, "return 1", []string{"k"})
			return nil
		})
		return err
	}},
}

// answerOf is an answer that suits a command.
func answerOf(words []string) string {
	switch words[0] {
	case "xadd":
		return "$3\r\n1-1\r\n"
	case "xreadgroup":
		return "*-1\r\n"
	default:
		return "+OK\r\n"
	}
}

// A command whose answer is lost is not sent again: it may have been executed.
func TestC16_AClusterExecutesNothingTwice(t *testing.T) {
	t.Parallel()
	for loss, answer := range map[string]string{"the connection ends": hangUp, "no answer comes": noAnswer} {
		for name, tc := range sendings {
			t.Run(name+" when "+loss, func(t *testing.T) {
				t.Parallel()
				node := newClusterNode(t, func([]string) string { return answer })
				ctx, cancel := context.WithTimeout(t.Context(), time.Second) // time enough to send it again
				defer cancel()
				require.Error(t, tc.send(ctx, clusterClient(t, node, redisIO)))
				executed := node.all()
				require.NotEmpty(t, executed)
				assert.Equal(t, tc.commands[:min(len(executed), len(tc.commands))], executed, "each once")
			})
		}
	}
}

// A node that says who has the slot now is believed, at once.
func TestC16_AClusterIsFollowedWhereItPoints(t *testing.T) {
	t.Parallel()
	for name, tc := range sendings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, how := range []string{"MOVED", "ASK"} {
				heir := newClusterNode(t, answerOf)
				node := newClusterNode(t, func([]string) string { return "-" + how + " 1 " + heir.address + "\r\n" })
				heir.owner = node // nobody else says so yet
				err := tc.send(t.Context(), clusterClient(t, node, lentIO))
				if name != "XREADGROUP, which waits" {
					require.NoError(t, err, how)
				} else {
					require.ErrorIs(t, err, redis.Nil, how)
				}
				assert.Equal(t, tc.commands, node.all(), how)
				want := tc.commands
				if how == "ASK" {
					want = nil
					for _, command := range tc.commands {
						want = append(want, "asking", command)
					}
				}
				assert.Equal(t, want, heir.all(), how)
			}
		})
	}
}

// After a redirection the answer may be lost as well.
func TestC16_WhatIsRedirectedIsNotSentTwiceEither(t *testing.T) {
	t.Parallel()
	for name, tc := range sendings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			heir := newClusterNode(t, func([]string) string { return hangUp })
			node := newClusterNode(t, func([]string) string { return "-MOVED 1 " + heir.address + "\r\n" })
			heir.owner = node
			require.Error(t, tc.send(t.Context(), clusterClient(t, node, lentIO)))
			assert.Equal(t, tc.commands[:1], heir.all())
		})
	}
}

// Who has which slots is asked again before long: a node that is gone says nothing.
func TestC16_AClusterIsLookedAtEverySecond(t *testing.T) {
	t.Parallel()
	c := newCache(t, Config{RedisURL: "redis+cluster://127.0.0.1:1"})
	for name, client := range map[string]redis.UniversalClient{"the cache's": c.remote.client, "the follower's": c.news.reader, "the borrowed": c.Redis()} {
		cluster, ok := client.(*redis.ClusterClient)
		require.True(t, ok, name)
		assert.Equal(t, time.Second, cluster.Options().ClusterStateReloadInterval, name)
		assert.True(t, cluster.Options().DisableRoutingPolicies, name)
	}
}

// Those who borrow the client may wait longer than a shopper's read does.
func TestC16_WhoBorrowsHasPatience(t *testing.T) {
	t.Parallel()
	own := redis.UniversalOptions{ReadTimeout: redisIO, WriteTimeout: redisIO, PoolTimeout: redisIO}
	theirs := lent(own)
	assert.Equal(t, []time.Duration{lentIO, lentIO, lentPool}, []time.Duration{theirs.ReadTimeout, theirs.WriteTimeout, theirs.PoolTimeout})
}
