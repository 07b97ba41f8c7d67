package cache

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// firstKey is the place of a script's first key among the words of its command.
const firstKey = 3

// script begins the command that has text run with so many keys, and so many arguments at most.
// Its words lie in the room.
func (r *room) script(text string, keys, args int) []any {
	return append(r.some(firstKey+keys+args), "eval", text, keys)
}

// some has room for n words.
func (r *room) some(n int) []any {
	if cap(r.words)-len(r.words) < n {
		r.words = make([]any, 0, max(n, 2*cap(r.words))) // those that were given out stay where they are
	}
	from := len(r.words)
	r.words = r.words[:from+n]
	return r.words[from : from : from+n]
}

// appendKey adds a key. The first, by which a cluster's node is found, has to be a string;
// of others a pointer does, which need not be copied to where strings lie.
func appendKey(words []any, key *string) []any {
	if len(words) == firstKey {
		return append(words, *key)
	}
	return append(words, key)
}

func evaluate(ctx context.Context, pipe redis.Pipeliner, words []any) *redis.Cmd {
	cmd := redis.NewCmd(ctx, words...)
	cmd.SetFirstKeyPos(firstKey)
	_ = pipe.Process(ctx, cmd) // it is sent with the rest
	return cmd
}
