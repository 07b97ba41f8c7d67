package documents

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

// In production a directory of which nothing can be used is told in full at the start.
func TestW1_NoUsableManifestIsAStartError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "shop/1.json", []byte(`{"sha256:00":"{categories{name}}"}`))
	put(t, dir, "shop/2.json", []byte(`nothing`))
	put(t, dir, "kiosk shop/1.json", manifestOf(t, productText))
	put(t, dir, "stray.json", manifestOf(t, productText))
	_, err := Open(t.Context(), Config{Dir: dir, Poll: rarely}, Deps{Rules: shopRules(t), Log: slog.New(slog.DiscardHandler), Required: true})
	require.Error(t, err)
	for _, part := range []string{"WEB_DOCUMENTS_DIR", "shop/1.json: sha256:00", "shop/2.json", "kiosk shop/1.json", "stray.json: is no folder"} {
		assert.ErrorContains(t, err, part)
	}
	_, err = Open(t.Context(), Config{Dir: filepath.Join(dir, "none"), Poll: rarely}, Deps{Rules: shopRules(t), Log: slog.New(slog.DiscardHandler), Required: true})
	assert.ErrorContains(t, err, "cannot be read: no such file or directory")

	put(t, dir, "shop/3.json", manifestOf(t, productText))
	s := opened(t, Config{Dir: dir, Poll: rarely}, Deps{Required: true})
	assert.NotNil(t, s.Find(id(productText)), "one that can be used is enough")
	assert.Len(t, *s.problems.Load(), 4)
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	assert.ErrorContains(t, Config{Poll: time.Millisecond}.Validate(), "WEB_DOCUMENTS_POLL")
	assert.NoError(t, Config{Poll: time.Second}.Validate())
	_, err := Open(t.Context(), Config{Redis: true}, Deps{})
	assert.ErrorContains(t, err, "REDIS_URL")
}

func TestTheDirectoryIsFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, "shop/1.json", manifestOf(t, productText))
		s := opened(t, Config{Dir: dir, Poll: 5 * time.Second}, Deps{})
		first, generation := s.Find(id(productText)), s.Generation()
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, generation, s.Generation(), "what does not change is not loaded again")

		put(t, dir, "shop/2.json", manifestOf(t, productText, categoriesText))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.NotNil(t, s.Find(id(categoriesText)))
		assert.Same(t, first, s.Find(id(productText)), "one text is one document, whichever manifest holds it")
		assert.Greater(t, s.Generation(), generation)

		require.NoError(t, os.Remove(filepath.Join(dir, "shop", "2.json")))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Nil(t, s.Find(id(categoriesText)))
	})
}

// A directory that goes, or is emptied, takes nothing along: no shop is closed by an
// unmounted volume.
func TestWhatIsGoneAltogetherStays(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "documents")
	put(t, dir, "shop/1.json", manifestOf(t, productText))
	s := over(t, dir)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "shop")))
	s.Refresh(t.Context())
	assert.NotNil(t, s.Find(id(productText)))
	assert.Contains(t, (*s.problems.Load())[0].Cause, "is empty")
	require.NoError(t, os.RemoveAll(dir))
	s.Refresh(t.Context())
	assert.NotNil(t, s.Find(id(productText)))
	assert.Contains(t, (*s.problems.Load())[0].Cause, "cannot be read")
	put(t, dir, "shop/1.json", manifestOf(t, productText))
	s.Refresh(t.Context())
	assert.Empty(t, *s.problems.Load())
}

// A file that is written in place at once, and keeps its size and its time, is seen.
func TestAFileOfTheSameSizeAndTimeIsSeen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "shop", "1.json")
	put(t, dir, "shop/1.json", []byte(`{"a":"query A { categories { name } }"}`))
	s := over(t, dir)
	was, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(`{"b":"query B { categories { name } }"}`), 0o600))
	require.NoError(t, os.Chtimes(path, was.ModTime(), was.ModTime()))
	s.Refresh(t.Context())
	assert.NotNil(t, s.Find("b"))
	assert.Nil(t, s.Find("a"))
}

// Requests that are under way while manifests come and go always find what is
// published all the time.
func TestW1_HotReloadDropsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "shop/1.json", manifestOf(t, productText))
	put(t, dir, "shop/2.json", manifestOf(t, categoriesText))
	s := over(t, dir)
	var stop atomic.Bool
	var asked atomic.Int64
	var readers sync.WaitGroup
	for i := range 4 {
		readers.Go(func() {
			by := Client{"shop", fmt.Sprint(1 + i%3)}
			for !stop.Load() {
				edition := s.Generation()
				d := s.Find(id(productText))
				if !assert.NotNil(t, d, "edition %d", edition) || !assert.Len(t, d.AST.Operations, 1) {
					return
				}
				s.Used(by, d, time.Now())
				if c := s.Find(id(categoriesText)); c != nil {
					s.Used(by, c, time.Now())
				}
				asked.Add(1)
				s.page()
			}
		})
	}
	for i := range 60 {
		switch i % 4 {
		case 0:
			put(t, dir, "shop/2.json", manifestOf(t, categoriesText, productText))
		case 1:
			put(t, dir, "shop/1.json", []byte("broken"))
		case 2:
			put(t, dir, "shop/2.json", manifestOf(t, namelessText))
		case 3:
			put(t, dir, "shop/1.json", manifestOf(t, productText))
		}
		s.Refresh(t.Context())
	}
	stop.Store(true)
	readers.Wait()
	require.Positive(t, asked.Load())
	var counted int64
	for _, m := range s.page().Manifests {
		counted += m.Uses
	}
	assert.LessOrEqual(t, counted, 2*asked.Load())
}

func TestUsesAreCountedByClientVersionAndDocument(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, "shop/1.json", manifestOf(t, productText, namelessText))
		put(t, dir, "shop/2.json", manifestOf(t, productText, categoriesText))
		s := over(t, dir)
		product, categories := s.Find(id(productText)), s.Find(id(categoriesText))
		s.Used(Client{"shop", "1"}, product, time.Now())
		time.Sleep(time.Hour)
		s.Used(Client{"shop", "1"}, product, time.Now())
		s.Used(Client{"shop", "1"}, categories, time.Now()) // of another version
		s.Used(Client{"shop", "9"}, product, time.Now())
		s.Used(Client{}, product, time.Now())
		assert.Nil(t, s.Find("unheard"))
		s.Refused()

		put(t, dir, "shop/3.json", manifestOf(t, namelessText))
		s.Refresh(t.Context()) // counts outlive a loading
		p := s.page()
		require.Len(t, p.Manifests, 3)
		one, two := p.Manifests[0], p.Manifests[1]
		assert.Equal(t, Client{"shop", "1"}, one.Client)
		assert.EqualValues(t, 2, one.Uses)
		assert.EqualValues(t, 1, one.Others)
		require.Len(t, one.Used, 1)
		assert.Equal(t, "Product", one.Used[0].Name)
		assert.Equal(t, time.Hour, one.Used[0].LastUsed.Sub(one.Used[0].FirstUsed))
		assert.Equal(t, []string{s.Find(id(namelessText)).Name}, one.Unused)
		assert.Zero(t, two.Uses)
		assert.Nil(t, two.LastUsed)
		assert.Equal(t, []string{"Categories", "Product"}, two.Unused)
		require.Len(t, p.Strangers, 1)
		assert.EqualValues(t, 2, p.Strangers[0].Uses)
		assert.EqualValues(t, 1, p.Refused[unknown].Requests)
		assert.EqualValues(t, 1, p.Refused[required].Requests)
		assert.Equal(t, "trusted", p.Mode)

		withdrawn := product
		put(t, dir, "shop/1.json", manifestOf(t, namelessText))
		put(t, dir, "shop/2.json", manifestOf(t, categoriesText))
		s.Refresh(t.Context())
		s.Used(Client{}, withdrawn, time.Now()) // a request that was under way
		s.Used(Client{"shop", "1"}, withdrawn, time.Now())
		assert.EqualValues(t, 2, s.page().Manifests[0].Others)
	})
}

// What is wrong is logged when it comes up, not at every look.
func TestAProblemIsLoggedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "shop/1.json", []byte("broken"))
	var log bytes.Buffer
	s := opened(t, Config{Dir: dir, Poll: rarely}, Deps{Log: slog.New(slog.NewJSONHandler(&log, nil))})
	for range 3 {
		s.Refresh(t.Context())
	}
	assert.Equal(t, 1, strings.Count(log.String(), "trusted documents cannot be used"), log.String())
	put(t, dir, "shop/1.json", []byte("broken otherwise"))
	s.Refresh(t.Context())
	assert.Equal(t, 1, strings.Count(log.String(), "trusted documents cannot be used"), "the same is wrong with it")
	put(t, dir, "shop/1.json", []byte(`{}`))
	s.Refresh(t.Context())
	assert.Equal(t, 2, strings.Count(log.String(), "trusted documents cannot be used"))
}

func TestClientsNameThemselves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers []string
		want    Client
	}{
		"nobody":        {nil, Client{}},
		"ours":          {[]string{"X-Client-Name", "shop", "X-Client-Version", "1.4.0+b7"}, Client{"shop", "1.4.0+b7"}},
		"Apollo's":      {[]string{"apollographql-client-name", "shop", "apollographql-client-version", "2"}, Client{"shop", "2"}},
		"both":          {[]string{"X-Client-Name", "a", "X-Client-Version", "1", "apollographql-client-name", "b", "apollographql-client-version", "2"}, Client{"a", "1"}},
		"no version":    {[]string{"X-Client-Name", "shop"}, Client{}},
		"a path":        {[]string{"X-Client-Name", "../shop", "X-Client-Version", "1"}, Client{}},
		"control":       {[]string{"X-Client-Name", "sh\x01op", "X-Client-Version", "1"}, Client{}},
		"long":          {[]string{"X-Client-Name", strings.Repeat("s", 65), "X-Client-Version", "1"}, Client{}},
		"as long as is": {[]string{"X-Client-Name", strings.Repeat("s", 64), "X-Client-Version", "1"}, Client{strings.Repeat("s", 64), "1"}},
		"twice":         {[]string{"X-Client-Name", "shop", "X-Client-Name", "kiosk", "X-Client-Version", "1"}, Client{}},
	} {
		h := http.Header{}
		for i := 0; i < len(c.headers); i += 2 {
			h.Add(c.headers[i], c.headers[i+1])
		}
		assert.Equal(t, c.want, ClientOf(h), name)
	}
}

// A document is found in nanoseconds, however many there are.
func BenchmarkFind(b *testing.B) {
	texts := make([]string, 1000)
	for i := range texts {
		texts[i] = fmt.Sprintf("query Q%d { categories { name } }", i)
	}
	dir := b.TempDir()
	put(b, dir, "shop/1.json", manifestOf(b, texts...))
	s, by := over(b, dir), Client{"shop", "1"}
	wanted := id(texts[500])
	b.ReportAllocs()
	for b.Loop() {
		s.Used(by, s.Find(wanted), time.Now())
	}
}

// BenchmarkLoad loads a manifest of a hundred documents.
func BenchmarkLoad(b *testing.B) {
	texts := make([]string, 100)
	for i := range texts {
		texts[i] = fmt.Sprintf("query Q%d($sku: String!) { product(sku: $sku) { sku name related { sku name } } categories { name } }", i)
	}
	dir := b.TempDir()
	put(b, dir, "shop/1.json", manifestOf(b, texts...))
	rules := shopRules(b)
	for b.Loop() {
		s, err := Open(context.Background(), Config{Dir: dir, Poll: rarely}, Deps{Rules: rules, Log: slog.New(slog.DiscardHandler)})
		require.NoError(b, err)
		s.Close()
	}
}
