package bffmobile

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/edge/turns"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestK1_EveryWriteNeedsAKey(t *testing.T) {
	t.Parallel()
	s := open(t)
	cart := s.filled(t)
	calls := s.TotalCalls()
	for _, c := range []call{
		{"POST", "/v1/carts", `{}`, nil},
		{"POST", cart + "/lines", `{"sku":"BOWL-1","quantity":1}`, nil},
		{"PATCH", cart + "/lines/1002", `{"quantity":1}`, nil},
		{"DELETE", cart + "/lines/1002", "", nil},
		{"PUT", cart + "/coupon", `{"code":"WELCOME10"}`, nil},
		{"DELETE", cart + "/coupon", "", nil},
		{"PUT", cart + "/shipping", `{"email":"a@example.test","shippingAddress":` + seattle + `,"methodCode":"post.ground"}`, nil},
		{"POST", cart + "/merge", `{}`, []string{"Authorization", "Bearer C1"}},
		{"POST", cart + "/order", `{"paymentMethod":"checkmo"}`, nil},
	} {
		for key, code := range map[string]string{without: "REQUIRED", "": "REQUIRED", "two words": "INVALID", strings.Repeat("k", 256): "TOO_LONG"} {
			c.headers = append(c.headers, "Idempotency-Key", key)
			a := s.send(t, c)
			assert.Equal(t, http.StatusBadRequest, a.Status, "%s %s with key %q: %s", c.method, c.path, key, a.Raw)
			assert.Contains(t, a.Raw, `"field":"Idempotency-Key"`, c.path)
			if code != "TOO_LONG" {
				assert.Contains(t, a.Raw, `"code":"`+code+`"`, c.path)
			}
		}
	}
	assert.Equal(t, calls, s.TotalCalls(), "nothing was asked")
	options := s.send(t, call{"POST", cart + "/shipping-options", `{"address":` + seattle + `}`, []string{"Idempotency-Key", without}})
	assert.Equal(t, http.StatusOK, options.Status, "what changes nothing needs none: %s", options.Raw)
}

// versionOf is the version that an answer shows, which is its tag without quotes.
func versionOf(t *testing.T, a answer) string {
	t.Helper()
	var cart struct{ Version string }
	require.NoError(t, json.Unmarshal([]byte(a.Raw), &cart), a.Raw)
	require.Equal(t, `"`+cart.Version+`"`, a.Header.Get("ETag"))
	return cart.Version
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	const current, other = "CURRENT", `"0123456789abcdef0123456789abcdef"`
	for name, c := range map[string]struct {
		field  []string
		status int
	}{
		"not there":                {nil, 200},
		"the version":              {[]string{current}, 200},
		"with spaces":              {[]string{" " + current + "\t"}, 200},
		"any":                      {[]string{"*"}, 200},
		"one of several":           {[]string{other + ", " + current}, 200},
		"one of several lines":     {[]string{other, current}, 200},
		"empty items":              {[]string{", ," + current + ","}, 200},
		"another":                  {[]string{other}, 412},
		"several others":           {[]string{other + `,"","x"`}, 412},
		"weak":                     {[]string{"W/" + current}, 412},
		"weak and another":         {[]string{"W/" + current + "," + other}, 412},
		"in capitals":              {[]string{"UPPER"}, 412},
		"without quotes":           {[]string{"0123456789abcdef0123456789abcdef"}, 400},
		"half a quote":             {[]string{`"0123`}, 400},
		"any and more":             {[]string{"*, " + other}, 400},
		"any twice":                {[]string{"*", "*"}, 400},
		"small w":                  {[]string{"w/" + other}, 400},
		"no comma":                 {[]string{other + " " + other}, 400},
		"a space in a tag":         {[]string{`"a b"`}, 400},
		"empty":                    {[]string{""}, 400},
		"commas only":              {[]string{",,"}, 400},
		"too long":                 {[]string{`"` + strings.Repeat("x", 600) + `"`}, 400},
		"the version in a comment": {[]string{"(" + current + ")"}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			cart := s.filled(t)
			before := s.ok(t, get(cart))
			tag := before.Header.Get("ETag")
			require.Equal(t, strings.Trim(tag, `"`), versionOf(t, before))
			adds := s.Calls(commerce.OpLineAdd)
			r := call{"POST", cart + "/lines", `{"sku":"BOWL-1","quantity":1}`, nil}.request(t)
			for _, value := range c.field {
				value = strings.ReplaceAll(strings.ReplaceAll(value, "UPPER", strings.ToUpper(tag)), current, tag)
				r.Header.Add("If-Match", value)
			}
			if name == "in capitals" && strings.ToUpper(tag) == tag {
				t.Fatal("choose a cart whose version has letters")
			}
			a := s.sent(t, r)
			require.Equal(t, c.status, a.Status, a.Raw)
			switch c.status {
			case 200:
				require.NotEqual(t, tag, a.Header.Get("ETag"))
				require.Equal(t, versionOf(t, s.ok(t, get(cart))), versionOf(t, a))
			case 412:
				require.Equal(t, tag, a.Header.Get("ETag"), "what there is")
				require.Contains(t, a.Raw, `"type":"/problems/precondition-failed"`)
				require.Equal(t, adds, s.Calls(commerce.OpLineAdd))
			default:
				require.Contains(t, a.Raw, `"field":"If-Match"`)
				require.Equal(t, adds, s.Calls(commerce.OpLineAdd))
			}
		})
	}
}

// Every change of a cart takes If-Match; what does not take it does not ignore it.
func TestIfMatchIsTakenOrRefused(t *testing.T) {
	t.Parallel()
	shipping := `{"email":"a@example.test","shippingAddress":` + seattle + `,"methodCode":"post.ground"}`
	s := open(t)
	cart := s.filled(t)
	old := []string{"If-Match", `"old"`}
	calls := s.TotalCalls()
	for _, c := range []call{
		{"POST", cart + "/lines", `{"sku":"BOWL-1","quantity":1}`, old},
		{"PATCH", cart + "/lines/1002", `{"quantity":1}`, old},
		{"DELETE", cart + "/lines/1002", "", old},
		{"PUT", cart + "/coupon", `{"code":"WELCOME10"}`, old},
		{"DELETE", cart + "/coupon", "", old},
		{"PUT", cart + "/shipping", shipping, old},
		{"POST", cart + "/merge", `{}`, append([]string{"Authorization", "Bearer C1"}, old...)},
	} {
		require.Equal(t, 412, s.checked(t, c).Status, "%s %s", c.method, c.path)
		calls++
	}
	require.Equal(t, calls, s.TotalCalls(), "each read the cart and no more")
	for _, c := range []call{
		{"POST", "/v1/carts", `{}`, old}, {"POST", cart + "/order", `{"paymentMethod":"checkmo"}`, old}, {"POST", cart + "/shipping-options", `{"address":` + seattle + `}`, old},
	} {
		a := s.checked(t, c)
		require.Equal(t, 400, a.Status, "%s %s: %s", c.method, c.path, a.Raw)
		require.Contains(t, a.Raw, `"code":"UNSUPPORTED"`)
	}
	gone := s.checked(t, call{"POST", "/v1/carts/g_00000000000000000000000000009999/lines", `{"sku":"BOWL-1","quantity":1}`, []string{"If-Match", "*"}})
	require.Equal(t, 404, gone.Status, gone.Raw)
}

// A refused condition is the write's answer, and a part of what its key stands for.
func TestK1_A412IsReplayed(t *testing.T) {
	t.Parallel()
	s := open(t)
	cart := s.filled(t)
	add := func(tag string) call {
		return call{"POST", cart + "/lines", `{"sku":"BOWL-1","quantity":1}`, keyed("k", "If-Match", tag)}
	}
	first := s.checked(t, add(`"old"`))
	require.Equal(t, 412, first.Status)
	s.ok(t, call{"PUT", cart + "/coupon", `{"code":"WELCOME10"}`, nil})
	again := s.checked(t, add(`"old"`))
	require.Equal(t, first.Raw, again.Raw)
	require.Equal(t, first.Header.Get("ETag"), again.Header.Get("ETag"), "as it was then")
	require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	other := s.checked(t, add(first.Header.Get("ETag")))
	require.Equal(t, http.StatusUnprocessableEntity, other.Status, other.Raw)
	changed := s.ok(t, call{"POST", cart + "/lines", `{"sku":"BOWL-1","quantity":1}`, keyed("k2")})
	replayed := s.ok(t, call{"POST", cart + "/lines", `{"sku":"BOWL-1","quantity":1}`, keyed("k2")})
	require.Equal(t, versionOf(t, changed), versionOf(t, replayed))
}

// Two nodes, one version, two writers: one is done and one is told that the cart has changed.
func TestOfTwoWritersWithOneVersionOneWins(t *testing.T) {
	t.Parallel()
	const races = 1_000
	book := ledger.NewMemory()
	node := func(from *shop) *shop {
		return open(t, func(b *edge.Backend) {
			if from != nil {
				b.Ports = from.Ports()
			}
		}, func(b *edge.Backend) { b.Turns = turns.New(book, b.Log) })
	}
	one := node(nil)
	two := node(one)
	cart := one.filled(t)
	for i := range races {
		tag := one.ok(t, get(cart)).Header.Get("ETag")
		var done sync.WaitGroup
		var won, lost atomic.Int64
		for j, s := range []*shop{one, two} {
			r := call{"PATCH", cart + "/lines/1002", fmt.Sprintf(`{"quantity":%d}`, 3+(2*i+j)%30), []string{"If-Match", tag}}.request(t)
			done.Go(func() {
				switch s.quietly(r) {
				case 200:
					won.Add(1)
				case 412:
					lost.Add(1)
				}
			})
		}
		done.Wait()
		require.EqualValues(t, 1, won.Load(), "race %d", i)
		require.EqualValues(t, 1, lost.Load(), "race %d", i)
	}
}
