package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/portico-bff/portico/schema/commerce"
)

// wire leads from a process to Redis, in memory, so that time in a bubble passes by itself.
type wire struct {
	server *miniredis.Miniredis
	mu     sync.Mutex
	cut    bool
	open   []net.Conn
	rate   atomic.Int64 // bytes a second towards the process; 0 sets no bound
}

// metered is conn, through which bytes come at the wire's rate. The server is rid of them at
// once, as it is on a network: it does not stop reading because nobody reads its answers yet.
func (w *wire) metered(conn net.Conn) net.Conn {
	near, far := net.Pipe()
	room := 1 << 8
	if w.rate.Load() > 0 {
		room = 1 << 16
	}
	waiting := make(chan []byte, room)
	go func() {
		defer close(waiting)
		for {
			chunk := make([]byte, 4<<10)
			n, err := conn.Read(chunk)
			if err != nil {
				return
			}
			waiting <- chunk[:n]
		}
	}()
	go func() {
		defer func() { _ = far.Close() }()
		for chunk := range waiting {
			if rate := w.rate.Load(); rate > 0 {
				time.Sleep(time.Duration(len(chunk)) * time.Second / time.Duration(rate))
			}
			_, _ = far.Write(chunk)
		}
	}()
	go func() {
		_, _ = io.Copy(conn, far)
		_ = conn.Close()
	}()
	return near
}

var errCut = errors.New("the wire is cut")

func (w *wire) dial(context.Context, string, string) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return nil, errCut
	}
	conn, err := w.server.Dial()
	if err != nil {
		return nil, err
	}
	w.open = append(w.open, conn)
	return w.metered(conn), nil
}

// set cuts the wire or mends it.
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if cut {
		for _, conn := range w.open {
			_ = conn.Close()
		}
		w.open = nil
	}
}

// onWire is a cache as [New] makes it, whose Redis is at the end of w. It logs nothing unless it is given a log.
func onWire(w *wire, log ...*slog.Logger) (*Cache, error) {
	log = append(log, slog.New(slog.DiscardHandler))
	return New(Config{RedisURL: "redis://127.0.0.1"}, Deps{Log: log[0], Dial: w.dial})
}

// deed is one thing that happens in the shop that processes share.
type deed struct {
	At      int // ms
	Process int
	What    deedKind
	Keys    []int
	Tag     int // which of the first key's tags a change is told by
	Before  int // ms from asking the system until it looks
	After   int // ms from then until it has answered
	For     int // ms that a cut lasts
	Fails   bool
}

type deedKind int

const (
	deedRead deedKind = iota
	deedChange
	deedCut
)

var deeds = rapid.SliceOfN(rapid.Custom(func(r *rapid.T) deed {
	return deed{
		At: rapid.IntRange(0, 6000).Draw(r, "at"), Process: rapid.IntRange(0, 1).Draw(r, "process"),
		What:   rapid.SampledFrom([]deedKind{deedRead, deedRead, deedRead, deedRead, deedChange, deedChange, deedCut}).Draw(r, "what"),
		Keys:   rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 1, 3, rapid.ID[int]).Draw(r, "keys"),
		Tag:    rapid.IntRange(0, 5).Draw(r, "tag"),
		Before: rapid.IntRange(0, 40).Draw(r, "before"), After: rapid.IntRange(0, 40).Draw(r, "after"),
		For: rapid.IntRange(1, 1500).Draw(r, "for"), Fails: rapid.IntRange(0, 9).Draw(r, "fails") == 0,
	}
}), 5, 60)

// shopOfAll is the one system behind all processes. Each change of a product is its next
// version; every fourth is that it is not there.
type shopOfAll struct {
	mu     sync.Mutex
	now    [4]int
	script []deed // how its calls go, one after another
	calls  int
}

func absentAt(version int) bool { return version%4 == 3 }

func (s *shopOfAll) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	s.mu.Lock()
	how := s.script[s.calls%len(s.script)]
	s.calls++
	s.mu.Unlock()
	if !passes(ctx, how.Before) {
		return nil, ctx.Err()
	}
	if how.Fails {
		return nil, errDown
	}
	found := map[commerce.SKU]*commerce.Product{}
	s.mu.Lock()
	for _, sku := range skus {
		n := int(sku[0] - 'A')
		if version := s.now[n]; !absentAt(version) {
			found[sku] = &commerce.Product{SKU: sku, Name: fmt.Sprint(version), Categories: []commerce.CategoryRef{{ID: categoryOfKey(n)}}}
		}
	}
	s.mu.Unlock()
	if !passes(ctx, how.After) {
		return nil, ctx.Err()
	}
	return found, nil
}

func passes(ctx context.Context, ms int) bool {
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
		return true
	case <-ctx.Done():
		return false
	}
}

func categoryOfKey(n int) commerce.CategoryID { return commerce.CategoryID(fmt.Sprint("c", n%2)) }

// tagsOfKey are ways to tell that a product has changed.
func tagsOfKey(n int) []commerce.Tag {
	return []commerce.Tag{
		commerce.TagProduct(skuOfKey(n)), commerce.TagProduct(skuOfKey(n)), commerce.TagProduct(skuOfKey(n)),
		commerce.TagCategory(categoryOfKey(n)), commerce.TagOperation(commerce.OpProducts), commerce.TagAll,
	}
}

func skuOfKey(n int) commerce.SKU { return commerce.SKU('A' + rune(n)) }

// known is what everybody has to answer at least, and from when on.
type knownFrom struct {
	key, version int
	process      int       // who was told
	alone        bool      // only a category tells it
	here         time.Time // from when on there
	there        time.Time // from when on elsewhere
}

// story plays deeds and collects what was wrong with them.
type story struct {
	shop  *shopOfAll
	ports []commerce.Catalog
	nodes []*Cache
	wires []*wire

	mu     sync.Mutex
	known  []*knownFrom
	mended []time.Time // when each wire's last cut ends
	wrong  []string
	reads  int
	given  map[commerce.State]int
}

// Elsewhere it is known a second later; two seconds after the end of a cut, if there was one.
const (
	heardWithin  = time.Second
	mendedWithin = 2 * time.Second
)

func (s *story) change(d deed) {
	tag, key := tagsOfKey(d.Keys[0])[d.Tag], d.Keys[0]
	s.shop.mu.Lock()
	then := map[int]int{}
	for n := range s.shop.now {
		// What is not there has no category: it is only known by its own tags.
		if n == key || slices.Contains(tagsOfKey(n)[4:], tag) {
			s.shop.now[n]++
			then[n] = s.shop.now[n]
		}
	}
	s.shop.mu.Unlock()
	// Its category does not name what was absent.
	tags, alone := []commerce.Tag{tag}, d.Tag == 3 && !absentAt(then[key]-1) && d.Before%2 == 0
	if d.Tag == 3 && !alone {
		tags = append(tags, commerce.TagProduct(skuOfKey(key)))
	}
	told := s.tell(then, d.Process, alone)
	_ = s.nodes[d.Process].Invalidate(context.Background(), tags...) // others are told when they can be
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range told {
		k.here = time.Now()
		k.there = k.here.Add(heardWithin)
		for _, end := range s.mended {
			if later := end.Add(mendedWithin); later.After(k.there) {
				k.there = later
			}
		}
	}
}

// tell notes versions that nobody has to know yet.
func (s *story) tell(versions map[int]int, process int, alone bool) []*knownFrom {
	s.mu.Lock()
	defer s.mu.Unlock()
	never := time.Now().Add(time.Hour)
	var told []*knownFrom
	for n, version := range versions {
		told = append(told, &knownFrom{key: n, version: version, process: process, alone: alone, here: never, there: never})
	}
	s.known = append(s.known, told...)
	return told
}

func (s *story) cut(d deed) {
	end := time.Now().Add(time.Duration(d.For) * time.Millisecond)
	s.mu.Lock()
	if end.After(s.mended[d.Process]) {
		s.mended[d.Process] = end
	}
	for _, k := range s.known { // what is on its way may be held up
		if k.there.After(time.Now()) {
			if later := end.Add(mendedWithin); later.After(k.there) {
				k.there = later
			}
		}
	}
	s.mu.Unlock()
	s.wires[d.Process].set(true)
	time.Sleep(time.Until(end))
	s.mu.Lock()
	over := !s.mended[d.Process].After(time.Now())
	s.mu.Unlock()
	if over {
		s.wires[d.Process].set(false)
	}
}

// least is what process has to know of key now. What only a category tells is known where
// all before it is: who does not know yet that a product is there again holds one that is
// not, and that has no category.
func (s *story) least(process, key int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	unheard := math.MaxInt
	for _, k := range s.known {
		if k.key == key && !k.alone && k.from(process).After(time.Now()) {
			unheard = min(unheard, k.version)
		}
	}
	least := 0
	for _, k := range s.known {
		if k.key == key && !k.from(process).After(time.Now()) && (!k.alone || k.version < unheard) {
			least = max(least, k.version)
		}
	}
	return least
}

// from is since when process has to know it.
func (k *knownFrom) from(process int) time.Time {
	if k.process == process {
		return k.here
	}
	return k.there
}

func (s *story) read(d deed) {
	least, skus := map[int]int{}, make([]commerce.SKU, len(d.Keys))
	for i, n := range d.Keys {
		least[n], skus[i] = s.least(d.Process, n), skuOfKey(n)
	}
	ctx, sink := commerce.WithSink(context.Background())
	found, err := s.ports[d.Process].Products(ctx, us, skus)
	s.shop.mu.Lock()
	now := s.shop.now
	s.shop.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	for _, source := range sink.Sources() {
		s.given[source.State]++
	}
	for _, n := range d.Keys {
		if err := commerce.KeyError(err, skuOfKey(n)); err != nil {
			if !errors.Is(err, commerce.ErrUnavailable) && !errors.Is(err, commerce.ErrTimeout) {
				s.wrong = append(s.wrong, err.Error())
			}
			continue
		}
		if version := seen(found[skuOfKey(n)], least[n], now[n]); version < least[n] {
			s.wrong = append(s.wrong, fmt.Sprintf("%v: process %d answers version %d of %d where %d is known", time.Now().Format("05.000"), d.Process, version, n, least[n]))
		}
	}
}

// seen is the version of a product that was answered; one that is not there is taken for
// the latest of the possible.
func seen(p *commerce.Product, least, now int) int {
	if p != nil {
		var version int
		_, _ = fmt.Sscan(p.Name, &version)
		return version
	}
	for version := now; version >= least; version-- {
		if absentAt(version) {
			return version
		}
	}
	return -1
}

func (s *story) play(list []deed) {
	var all sync.WaitGroup
	for _, d := range list {
		all.Go(func() {
			time.Sleep(time.Duration(d.At) * time.Millisecond)
			switch d.What {
			case deedChange:
				s.change(d)
			case deedCut:
				s.cut(d)
			default:
				s.read(d)
			}
		})
	}
	all.Wait()
	// In the end everybody knows everything.
	time.Sleep(mendedWithin + time.Second)
	for process := range s.nodes {
		s.read(deed{Process: process, Keys: []int{0, 1, 2, 3}})
	}
}

// newStory is two processes with one Redis and one system.
func newStory(list []deed) (*story, func(), error) {
	s := &story{shop: &shopOfAll{script: list}, mended: make([]time.Time, 2), given: map[commerce.State]int{}}
	server := miniredis.NewMiniRedis()
	// Short, so that in a few seconds entries are renewed, too old and stood in for.
	traits := publicTraits(commerce.OpProducts)
	short := traits[commerce.OpProducts]
	short.Lifetime = 700 * time.Millisecond
	traits[commerce.OpProducts] = short
	for range 2 {
		w := &wire{server: server}
		c, err := onWire(w)
		if err != nil {
			return nil, nil, err
		}
		s.wires, s.nodes = append(s.wires, w), append(s.nodes, c)
		s.ports = append(s.ports, c.Wrap(commerce.Ports{Catalog: s.shop, Traits: traits}).Catalog)
	}
	// The server's keys end when it is told that time has passed.
	stop := make(chan struct{})
	var clock sync.WaitGroup
	clock.Go(func() {
		const tick = 10 * time.Millisecond
		for {
			select {
			case <-stop:
				return
			case <-time.After(tick):
				server.FastForward(tick)
			}
		}
	})
	time.Sleep(100 * time.Millisecond) // they hear each other
	return s, func() {
		close(stop)
		clock.Wait()
		for _, c := range s.nodes {
			if err := c.Close(); err != nil {
				s.wrong = append(s.wrong, err.Error())
			}
		}
		server.Close()
	}, nil
}

// Two processes, one Redis and one system, whatever they do and whenever: who asks where a
// change was told is never given what was read before it; who asks elsewhere is not a
// second later, nor two seconds after a cut.
func TestC11_NoScheduleOfProcessesGivesWhatWasReadBefore(t *testing.T) {
	t.Parallel()
	reads, given := 0, map[commerce.State]int{}
	rapid.Check(t, func(r *rapid.T) {
		list := deeds.Draw(r, "deeds")
		var s *story
		synctest.Test(t, func(t *testing.T) {
			var end func()
			var err error
			if s, end, err = newStory(list); err != nil {
				t.Fatal(err)
			}
			defer end()
			s.play(list)
		})
		reads += s.reads
		for state, n := range s.given {
			given[state] += n
		}
		if len(s.wrong) > 0 {
			r.Fatal(strings.Join(s.wrong, "\n"))
		}
	})
	t.Logf("%d reads, %v", reads, given)
	assert.Positive(t, given[commerce.StateStale], "stale answers have to be given for this to prove anything")
}
