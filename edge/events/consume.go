package events

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/portico-bff/portico/schema/commerce"
)

// Run is [Source]'s.
func (s *stream) Run(ctx context.Context, apply Apply) {
	wait, down := time.Duration(0), false
	var claimed time.Time
	for ctx.Err() == nil {
		err := s.round(ctx, apply, &claimed)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			wait, down = 0, false
			continue
		}
		if !down {
			down = true
			s.log.LogAttrs(ctx, slog.LevelWarn, "change events wait", slog.Any("error", err))
		}
		wait = min(max(2*wait, 100*time.Millisecond), longestWait)
		pause(ctx, wait)
	}
	s.leave(context.WithoutCancel(ctx))
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// round takes over what others left, from time to time, and then what is new.
func (s *stream) round(ctx context.Context, apply Apply, claimed *time.Time) error {
	if err := s.handle(ctx, apply, s.again); err != nil {
		return err
	}
	s.again = nil
	if now := time.Now(); now.Sub(*claimed) >= s.claimEvery {
		_ = s.lineage.check(ctx, s.client) // events are applied whatever the journal's readers think
		if err := s.adopt(ctx, apply); err != nil {
			return s.grouped(ctx, err)
		}
		*claimed = now
	}
	if !s.recalled {
		if err := s.recall(ctx, apply); err != nil {
			return s.grouped(ctx, err)
		}
		s.recalled = true
	}
	found, err := s.read(ctx)
	if errors.Is(err, redis.Nil) || (err == nil && len(found) == 0) {
		return nil
	}
	if err != nil {
		s.recalled = false // events may have been on their way
		return s.grouped(ctx, err)
	}
	entries := make([]entry, len(found[0].Messages))
	for i, m := range found[0].Messages {
		entries[i] = entryOf(m)
	}
	for _, e := range entries {
		if s.lineage.saw(e.id, e.previous) {
			*claimed = time.Time{} // the next round tells at once
		}
	}
	return s.handle(ctx, apply, entries)
}

// recall handles what this consumer was handed and has not let go of: an answer of Redis may have been lost
// on the way. Otherwise it came only once it is taken for dead, and until then the journal's head would wait.
func (s *stream) recall(ctx context.Context, apply Apply) error {
	for from := "0"; ; {
		found, err := s.handed(ctx, from)
		if errors.Is(err, redis.Nil) || (err == nil && (len(found) == 0 || len(found[0].Messages) == 0)) {
			return nil
		}
		if err != nil {
			return err
		}
		entries := make([]entry, len(found[0].Messages))
		for i, m := range found[0].Messages {
			entries[i] = entryOf(m)
		}
		if err := s.handle(ctx, apply, entries); err != nil {
			return err
		}
		s.again, from = nil, entries[len(entries)-1].id
	}
}

// handed reads what this consumer holds behind an id.
func (s *stream) handed(ctx context.Context, from string) ([]redis.XStream, error) {
	ctx, cancel := context.WithTimeout(ctx, readBlock+answerIn)
	defer cancel()
	return s.client.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: group, Consumer: s.consumer, Streams: []string{streamKey, from}, Count: readCount, Block: -1, // which is not at all
	}).Result()
}

// read waits for what is new; go-redis itself would wait for ten seconds longer than
// Redis is told to.
func (s *stream) read(ctx context.Context) ([]redis.XStream, error) {
	ctx, cancel := context.WithTimeout(ctx, readBlock+answerIn)
	defer cancel()
	return s.client.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: group, Consumer: s.consumer, Streams: []string{streamKey, ">"}, Count: readCount, Block: readBlock,
	}).Result()
}

// groupScript makes the group, unless another node was faster. Where there was none the journal's history ends:
// the stream is a new one, or events went by untold.
var groupScript = redis.NewScript(`
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], ARGV[2], 'MKSTREAM')
if not made.err then redis.call('DEL', KEYS[2]) end
return made`)

// grouped makes the group where it is missing: at first, and after Redis lost its
// data. It begins with the oldest event there is.
func (s *stream) grouped(ctx context.Context, err error) error {
	if !strings.HasPrefix(err.Error(), "NOGROUP") {
		return err
	}
	err = groupScript.Run(ctx, s.client, []string{streamKey, epochKey}, group, streamStart).Err()
	if err != nil && strings.HasPrefix(err.Error(), "BUSYGROUP") {
		return nil // another node was faster
	}
	return err
}

// adopt takes over events whose consumer has not given word for a while, this one's
// own included.
func (s *stream) adopt(ctx context.Context, apply Apply) error {
	messages, _, err := s.client.XAutoClaim(ctx, &redis.XAutoClaimArgs{
		Stream: streamKey, Group: group, Consumer: s.consumer, MinIdle: idleAfter, Start: "0-0", Count: readCount,
	}).Result()
	if err != nil || len(messages) == 0 {
		return err
	}
	pending, err := s.client.XPendingExt(ctx, &redis.XPendingExtArgs{
		Stream: streamKey, Group: group, Consumer: s.consumer,
		Start: messages[0].ID, End: messages[len(messages)-1].ID, Count: 10 * readCount,
	}).Result()
	if err != nil {
		return err
	}
	handed := map[string]int64{}
	for _, p := range pending {
		handed[p.ID] = p.RetryCount
	}
	entries := make([]entry, len(messages))
	for i, m := range messages {
		entries[i] = entryOf(m)
		entries[i].lost = handed[m.ID] > deliveries
	}
	return s.handle(ctx, apply, entries)
}

// handle applies what can be read, all at once, and lets go of it. What cannot stays,
// for a node that can, until it was handed over too often: then everything of its
// system is dropped instead, once.
func (s *stream) handle(ctx context.Context, apply Apply, entries []entry) error {
	var changes []Change
	var done []any
	for _, e := range entries {
		if !e.readable && !e.lost {
			continue
		}
		if e.lost {
			e.change.Tags = []commerce.Tag{s.instead(e.change.Source)}
		}
		changes = append(changes, e.change)
		done = append(done, e.id)
	}
	if len(changes) == 0 {
		return nil
	}
	if err := apply(ctx, changes); err != nil {
		s.again = entries // soon, instead of when they have been idle for long
		return err
	}
	// It was applied, also when this process stops meanwhile.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putTimeout)
	defer cancel()
	now, err := ackScript.Run(ctx, s.client, []string{streamKey}, append([]any{group}, done...)...).Int64()
	if err != nil {
		return err // they come again, which does no harm
	}
	for _, e := range entries {
		s.note(ctx, e, now)
	}
	return nil
}

// note counts an entry that was let go of, and tells of one that was given up.
func (s *stream) note(ctx context.Context, e entry, now int64) {
	switch {
	case e.lost:
		s.metrics.count(ctx, e.change.Source, resultDropped)
		s.log.LogAttrs(ctx, slog.LevelWarn, "change event given up; all of its system is dropped",
			slog.String("event", e.id), slog.String("source", e.change.Source))
	case e.readable:
		s.metrics.count(ctx, e.change.Source, resultApplied)
		if at, err := strconv.ParseInt(strings.Split(e.id, "-")[0], 10, 64); err == nil {
			s.metrics.late(ctx, time.Duration(now-at)*time.Millisecond)
		}
	}
}

// leave takes the consumer out of the group unless it still holds events: those are
// for another to take over.
func (s *stream) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, leaveIn)
	defer cancel()
	held, err := s.client.XPendingExt(ctx, &redis.XPendingExtArgs{
		Stream: streamKey, Group: group, Consumer: s.consumer, Start: "-", End: "+", Count: 1,
	}).Result()
	if err == nil && len(held) == 0 {
		_ = s.client.XGroupDelConsumer(ctx, streamKey, group, s.consumer).Err() // a name in a list, at worst
	}
}
