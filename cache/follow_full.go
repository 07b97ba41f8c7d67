package cache

import (
	"context"
	"log/slog"
)

// endStream deletes the stream when it cannot take an invalidation because Redis is
// full, which deleting is possible in: others would otherwise hear that all is well.
// Who finds it gone drops everything, and hears nobody until it can be begun anew. That
// tells everything that is untold by now; what comes later, once there is a stream
// again and it is full again, has it deleted again.
func (n *news) endStream(ctx context.Context, refusal error) {
	if redisReason(refusal) != "OOM" || !n.hidden.Swap(false) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, newsPatience)
	defer cancel()
	if err := n.reader.Del(ctx, newsStream).Err(); err != nil {
		n.hidden.Store(true)
		return
	}
	n.remote.log.LogAttrs(ctx, slog.LevelWarn, "Redis is too full for invalidations: every process drops what it has, until it takes them again")
}
