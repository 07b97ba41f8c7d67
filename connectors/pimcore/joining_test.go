package pimcore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/pimcore"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

var market = commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}

// upstream is a Data Hub that answers what the test says, with a connector of it.
func upstream(t *testing.T, answer http.HandlerFunc) commerce.Ports {
	t.Helper()
	ports, err := pimcore.New(pimcore.Config{
		Config: transport.Config{
			BaseURL: upstreamURL(t, answer) + "/pimcore", AllowPrivate: true, MaxAttempts: 1, NoHedge: true, // one answer for each call
		},
		APIKey: "key",
	}, transport.Deps{})
	require.NoError(t, err)
	return ports
}

func upstreamURL(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

// answering is a Data Hub that always answers the same.
func answering(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestFiftyProductsAreOneCall(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	ports := connect(t, box.URL)
	var skus []commerce.SKU
	for _, p := range box.Server.World.Products() {
		if p.Published && len(skus) < 50 {
			skus = append(skus, commerce.SKU(p.SKU))
		}
	}
	products, err := ports.Catalog.Products(t.Context(), market, append(skus, skus...))
	require.NoError(t, err)
	assert.Len(t, products, 50)
	summaries, err := ports.Reviews.Reviews(t.Context(), market, skus)
	require.NoError(t, err)
	assert.Len(t, summaries, 50)
	related, err := ports.Related.Related(t.Context(), market, skus)
	require.NoError(t, err)
	assert.Len(t, related, 50)
	_, err = ports.Categories.Tree(t.Context(), market)
	require.NoError(t, err)
	_, err = ports.Content.Pages(t.Context(), market, []commerce.PageID{"home", "returns"})
	require.NoError(t, err)
	_, err = ports.Catalog.Products(t.Context(), market, nil)
	require.NoError(t, err)
	want := map[string]int{"products": 1, "reviews": 1, "related": 1, "categories": 1, "pages": 1}
	assert.Equal(t, want, box.Calls(t)["pimcore"])
}

func TestEveryPublishedProductIsWhole(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	ports := connect(t, box.URL)
	var skus []commerce.SKU
	for _, p := range box.Server.World.Products() {
		skus = append(skus, commerce.SKU(p.SKU))
	}
	products, err := ports.Catalog.Products(t.Context(), market, skus)
	require.NoError(t, err)
	assert.Equal(t, 6, box.Calls(t)["pimcore"]["products"], "504 keys are six batches")
	summaries, err := ports.Reviews.Reviews(t.Context(), market, skus)
	require.NoError(t, err)
	related, err := ports.Related.Related(t.Context(), market, skus)
	require.NoError(t, err)
	for _, p := range box.Server.World.Products() {
		sku := commerce.SKU(p.SKU)
		if !p.Published {
			require.NotContains(t, products, sku)
			continue
		}
		got := products[sku]
		require.NotNil(t, got, sku)
		require.Equal(t, p.Name, got.Name)
		require.Equal(t, p.Descriptions["en"], got.Description)
		require.Equal(t, p.Brand, got.Brand)
		require.True(t, p.UpdatedAt.Equal(got.UpdatedAt))
		require.Len(t, got.Categories, 1)
		require.Equal(t, fmt.Sprint(100+p.SubcategoryID), string(got.Categories[0].ID))
		if siblings := box.Server.World.Variants(p.ModelID); len(siblings) > 1 {
			require.Len(t, got.Variants, len(siblings), sku)
		}
		require.Len(t, related[sku], len(p.Related), "hidden members are left out, the others stay")
		require.Equal(t, len(box.Server.World.Reviews(p.ID)), summaries[sku].Count)
	}
}

func TestPicturesAreWhereTheURLsSay(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	products, err := connect(t, box.URL).Catalog.Products(t.Context(), market, []commerce.SKU{"BK-M82S-38"})
	require.NoError(t, err)
	require.Len(t, products["BK-M82S-38"].Images, 1)
	image := products["BK-M82S-38"].Images[0]
	assert.Equal(t, products["BK-M82S-38"].Name, image.Alt)
	require.Len(t, image.Renditions, 2)
	assert.Equal(t, []int{80, 240}, []int{image.Renditions[0].Width, image.Renditions[1].Width})
	for _, r := range image.Renditions {
		require.True(t, strings.HasPrefix(r.URL, box.URL+"/pimcore/assets/"), r.URL)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL, nil)
		require.NoError(t, err)
		res, err := http.DefaultTransport.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, http.StatusOK, res.StatusCode)
	}
}

// TestN17_RowsAreJoinedByTheirSKU has the upstream shuffle, repeat, leave out, add and hide rows.
func TestN17_RowsAreJoinedByTheirSKU(t *testing.T) {
	t.Parallel()
	const seed, rounds = 17, 400
	rnd := rand.New(rand.NewPCG(seed, 0))
	answers := make(chan string, 1)
	ports := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, <-answers)
	})
	for range rounds {
		asked := rnd.Perm(200)[:1+rnd.IntN(100)]
		rows, present := []string{}, map[commerce.SKU]bool{}
		row := func(n int) string { return fmt.Sprintf(`{"node":{"sku":"SKU-%d","name":"name of SKU-%d"}}`, n, n) }
		for _, n := range asked {
			for range rnd.IntN(3) {
				rows = append(rows, row(n))
				present[commerce.SKU(fmt.Sprintf("SKU-%d", n))] = true
			}
		}
		rows = append(rows, row(1000+rnd.IntN(9)), `{"node":null}`, `{"node":{"sku":"sku-1","name":"not asked"}}`, `{"node":{}}`)
		rnd.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		answers <- `{"data":{"getProductListing":{"edges":[` + strings.Join(rows, ",") + `]}}}`
		skus := make([]commerce.SKU, len(asked))
		for i, n := range asked {
			skus[i] = commerce.SKU(fmt.Sprintf("SKU-%d", n))
		}
		got, err := ports.Catalog.Products(t.Context(), market, skus)
		require.NoError(t, err)
		require.Len(t, got, len(present))
		for sku, p := range got {
			require.True(t, present[sku])
			require.Equal(t, sku, p.SKU)
			require.Equal(t, "name of "+string(sku), p.Name)
		}
	}
}

// TestN18_TextArrivesByteExact sends texts of all of Unicode and long decimals through.
func TestN18_TextArrivesByteExact(t *testing.T) {
	t.Parallel()
	texts := []string{"שלום", "ไทย", "مرحبا", "繁體", "👩🏽‍🚲", "a\u0000b", "\u2028", `"\`, "<b>&amp;"}
	for _, text := range texts {
		name, err := json.Marshal(text)
		require.NoError(t, err)
		ports := upstream(t, answering(200, "application/json", `{"data":{"getProductListing":{"edges":[{"node":{"sku":"A","name":`+
			string(name)+`,"weight":{"value":12345678901234567890.1230,"unit":{"abbreviation":"kg"}}}}]}}}`))
		got, err := ports.Catalog.Products(t.Context(), market, []commerce.SKU{"A"})
		require.NoError(t, err)
		assert.Equal(t, text, got["A"].Name)
		assert.Equal(t, []commerce.Attribute{{Code: "weight", Label: "Weight", Value: "12345678901234567890.1230", Unit: "kg"}}, got["A"].Attributes)
	}
}

// TestN16_AnswersThatDoNotFit has everything but a good answer become a typed error.
func TestN16_AnswersThatDoNotFit(t *testing.T) {
	t.Parallel()
	const html = "<html><body>Access Denied.</body></html>"
	cases := map[string]struct {
		answer http.HandlerFunc
		kind   error
	}{
		"key refused, in HTML":      {answering(403, "text/html", html), commerce.ErrUnavailable},
		"no such endpoint, in HTML": {answering(404, "text/html", html), commerce.ErrUnavailable},
		"bad request":               {answering(400, "application/json", `{}`), commerce.ErrUpstream},
		"a login page":              {answering(200, "text/html", html), commerce.ErrUpstream},
		"HTML labeled as JSON":      {answering(200, "application/json", html), commerce.ErrUpstream},
		"garbage":                   {answering(200, "application/json", "\x00\xff{]"), commerce.ErrUpstream},
		"half of it":                {answering(200, "application/json", `{"data":{"getProductListing":{"edges":[{"node":{"sku":"A"`), commerce.ErrUpstream},
		"wrong types":               {answering(200, "application/json", `{"data":{"getProductListing":{"edges":[{"node":{"sku":7}}]}}}`), commerce.ErrUpstream},
		"a list":                    {answering(200, "application/json", `[]`), commerce.ErrUpstream},
		"nothing":                   {answering(200, "application/json", `{}`), commerce.ErrUpstream},
		"null":                      {answering(200, "application/json", `{"data":{"getProductListing":null}}`), commerce.ErrUpstream},
		"errors without data":       {answering(200, "application/json", `{"errors":[{"message":"SECRET"}]}`), commerce.ErrUpstream},
		"errors and null":           {answering(200, "application/json", `{"errors":[{"message":"SECRET","path":["getProductListing"]}],"data":{"getProductListing":null}}`), commerce.ErrUpstream},
		"errors beside data":        {answering(200, "application/json", `{"errors":[{"message":"SECRET"}],"data":{"getProductListing":{"edges":[]}}}`), commerce.ErrUpstream},
		"down":                      {answering(503, "text/html", html), commerce.ErrUnavailable},
		"too many":                  {answering(429, "text/html", html), commerce.ErrRateLimited},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ports := upstream(t, c.answer)
			got, err := ports.Catalog.Products(t.Context(), market, []commerce.SKU{"A", "B"})
			require.ErrorIs(t, err, c.kind)
			var call *commerce.CallError
			require.ErrorAs(t, err, &call)
			assert.Equal(t, "pimcore", call.System)
			assert.Equal(t, commerce.OpProducts, call.Operation)
			assert.NotEmpty(t, call.Reason)
			assert.NotContains(t, err.Error(), "SECRET")
			assert.Empty(t, got)
			_, err = ports.Categories.Tree(t.Context(), market)
			require.ErrorIs(t, err, c.kind)
		})
	}
}

func TestFaultsAreTypedErrors(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	for mode, kinds := range map[string][]error{
		sandbox.ModeStatus:   {commerce.ErrUnavailable},
		sandbox.ModeHang:     {commerce.ErrTimeout},
		sandbox.ModeReset:    {commerce.ErrUnavailable},
		sandbox.ModeTruncate: {commerce.ErrUpstream, commerce.ErrUnavailable},
		sandbox.ModeGarbage:  {commerce.ErrUpstream},
		sandbox.ModeDrip:     {commerce.ErrTimeout},
	} {
		cfg := pimcore.Config{
			Config: transport.Config{
				BaseURL: box.URL + "/pimcore", AllowPrivate: true, MaxAttempts: 1, NoHedge: true, // one answer for each call
				AttemptTimeout: 20 * time.Second, Timeout: 20 * time.Second, // however busy the machine is
			},
			APIKey: "sandbox-pimcore-key",
		}
		if mode == sandbox.ModeHang || mode == sandbox.ModeDrip {
			cfg.AttemptTimeout, cfg.Timeout = 150*time.Millisecond, 400*time.Millisecond
		}
		// Each mode has a connector of its own, whose breaker knows of no other's failures.
		ports, err := pimcore.New(cfg, transport.Deps{})
		require.NoError(t, err)
		box.Faults(t, sandbox.Fault{System: "pimcore", ErrorRate: 1, Mode: mode})
		got, err := ports.Reviews.Reviews(t.Context(), market, []commerce.SKU{"SO-B909-M"})
		require.Error(t, err, mode)
		assert.Contains(t, kinds, commerce.KindOf(err), mode)
		assert.Empty(t, got, mode)
	}
}

func TestOneBrokenRowSpoilsOnlyItself(t *testing.T) {
	t.Parallel()
	ports := upstream(t, answering(200, "application/json", `{
		"errors":[{"message":"no","path":["getProductListing","edges",1,"node","brand"]}],
		"data":{"getProductListing":{"edges":[{"node":{"sku":"A","name":"a"}},{"node":{"sku":"B","name":"b"}}]}}}`))
	got, err := ports.Catalog.Products(t.Context(), market, []commerce.SKU{"A", "B", "C"})
	assert.Len(t, got, 1)
	assert.Equal(t, "a", got["A"].Name)
	require.NoError(t, commerce.KeyError(err, commerce.SKU("A")))
	require.ErrorIs(t, commerce.KeyError(err, commerce.SKU("B")), commerce.ErrUpstream)
	require.NoError(t, commerce.KeyError(err, commerce.SKU("C")), "was asked and is not there")
}

func TestOneFailedBatchSpoilsOnlyItself(t *testing.T) {
	t.Parallel()
	ports := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "SKU-150") {
			answering(500, "text/html", "")(w, r)
			return
		}
		answering(200, "application/json", `{"data":{"getProductListing":{"edges":[{"node":{"sku":"SKU-1","name":"one"}}]}}}`)(w, r)
	})
	var skus []commerce.SKU
	for n := range 200 {
		skus = append(skus, commerce.SKU(fmt.Sprintf("SKU-%d", n)))
	}
	got, err := ports.Catalog.Products(t.Context(), market, skus)
	assert.Len(t, got, 1)
	require.NoError(t, commerce.KeyError(err, skus[1]))
	require.ErrorIs(t, commerce.KeyError(err, skus[150]), commerce.ErrUnavailable)
	require.ErrorIs(t, commerce.KeyError(err, skus[100]), commerce.ErrUnavailable)
}

func TestCallersWhoLeaveAreToldSo(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	release := make(chan struct{})
	ports := upstream(t, func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	})
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := ports.Catalog.Products(ctx, market, []commerce.SKU{"A"})
	require.ErrorIs(t, err, context.Canceled)
}
