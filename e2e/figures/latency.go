package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

const everything = `query P($sku: String!) { product(sku: $sku) { sku name description brand images(width: 480) { url alt }
 price { unit { formatted } } availability { inStock quantity } reviews { count average } related { sku name } } }`

// colds are products that nothing has asked for yet.
var colds = []string{"BK-R68R-44", "BK-R68R-48", "BK-R68R-52", "BK-R50R-44", "BK-R50R-48", "BK-R50R-52", "BK-R50B-44", "BK-R50B-48", "BK-R50B-52", "BK-M68S-38"}

// latencies times the product page and the product screen while every upstream takes 50 ms.
func latencies(ctx context.Context, _ *process) error {
	fmt.Println("\nlatency with every upstream at 50 ms (median, slowest of 5 products):")
	if err := slow(ctx); err != nil {
		return err
	}
	half := len(colds) / 2
	page := func(sku string) error { _, err := query(ctx, everything, "sku", sku); return err }
	screen := func(sku string) error {
		_, err := request(ctx, "GET", mobile+"/v1/screens/products/"+sku, "")
		return err
	}
	for _, kind := range []struct {
		name string
		skus []string
		call func(string) error
	}{{"product page, web", colds[:half], page}, {"product screen, mobile", colds[half:], screen}} {
		for _, round := range []string{"cold", "warm"} {
			var spent []time.Duration
			for _, sku := range kind.skus {
				begin := time.Now()
				if err := kind.call(sku); err != nil {
					return err
				}
				spent = append(spent, time.Since(begin))
			}
			slices.Sort(spent)
			fmt.Printf("  %-24s %s  %8s %8s\n", kind.name, round, spent[len(spent)/2].Round(10*time.Microsecond), spent[len(spent)-1].Round(10*time.Microsecond))
		}
	}
	if err := errors.Join(rounds(ctx), screenRounds(ctx)); err != nil {
		return err
	}
	_, err := request(ctx, "DELETE", sandbox+"/_sandbox/faults", "")
	return err
}

// What is asked to see what a round of calls costs: of products of which nothing is known.
const (
	oneRound  = `query O($key: String!) { product(sku: $key) { name price { unit { formatted } } availability { inStock quantity } reviews { count average } } }`
	twoRounds = `query T($key: ID!) { category(id: $key) { name products(first: 24) { nodes { name price { unit { formatted } } availability { inStock quantity } } } } }`
)

// rounds times a product and a category's page while every upstream takes 50 ms, price lists,
// currencies, categories and places being known.
func rounds(ctx context.Context) error {
	for _, kind := range []struct {
		name, text string
		keys       []string
	}{
		{"product: name, price, stock, reviews", oneRound, []string{"HL-U509-R", "LJ-0192-M", "LJ-0192-S", "SO-B909-M", "CA-1098"}},
		{"category page of 24: name, price, stock", twoRounds, []string{"101", "103", "131", "114", "121"}},
	} {
		var spent []time.Duration
		for _, key := range kind.keys {
			begin := time.Now()
			if _, err := query(ctx, kind.text, "key", key); err != nil {
				return err
			}
			spent = append(spent, time.Since(begin))
		}
		slices.Sort(spent)
		fmt.Printf("  %-40s cold  %8s %8s\n", kind.name, spent[len(spent)/2].Round(10*time.Microsecond), spent[len(spent)-1].Round(10*time.Microsecond))
	}
	return nil
}

// screenRounds times screens of which nothing is known, as [rounds] does, with what they may take
// beside it: their rounds of 50 ms, and what the channel itself may need for them.
func screenRounds(ctx context.Context) error {
	for _, kind := range []struct {
		name, path string
		keys       []string
		language   bool // the keys are languages, in each of which the one screen there is is cold
		most       time.Duration
	}{
		{"product screen: 1 round", "/v1/screens/products/", []string{"BK-M68S-42", "BK-M68S-46", "BK-T79U-46", "BK-T79U-50", "BK-T79U-54"}, false, 65 * time.Millisecond},
		{"home screen: 2 rounds", "/v1/screens/home", []string{"fr", "he", "th", "ar", "zh-Hant"}, true, 125 * time.Millisecond},
		{"category screen of 24: 2 rounds", "/v1/screens/categories/", []string{"132?first=24", "102?first=24", "105?first=24", "106?first=24", "107?first=24"}, false, 125 * time.Millisecond},
	} {
		var spent []time.Duration
		for _, key := range kind.keys {
			url, headers := mobile+kind.path+key, []string(nil)
			if kind.language {
				url, headers = mobile+kind.path, []string{"Accept-Language", key}
			}
			begin := time.Now()
			if _, err := request(ctx, "GET", url, "", headers...); err != nil {
				return err
			}
			spent = append(spent, time.Since(begin))
		}
		slices.Sort(spent)
		fmt.Printf("  %-40s cold  %8s %8s  (median at most %s)\n", kind.name, spent[len(spent)/2].Round(10*time.Microsecond), spent[len(spent)-1].Round(10*time.Microsecond), kind.most)
	}
	return nil
}

func slow(ctx context.Context) error {
	for _, system := range []string{"pimcore", "elasticsearch", "odoo", "openloyalty", "magento"} {
		rule := fmt.Sprintf(`{"system":%q,"operation":"*","latencyMs":50,"jitter":"none","errorRate":0}`, system)
		if _, err := request(ctx, "POST", sandbox+"/_sandbox/faults", rule); err != nil {
			return err
		}
	}
	return nil
}

// query asks the web channel; an answer with errors is one.
func query(ctx context.Context, text string, variables ...string) ([]byte, error) {
	values := map[string]string{}
	for i := 0; i+1 < len(variables); i += 2 {
		values[variables[i]] = variables[i+1]
	}
	body, err := json.Marshal(map[string]any{"query": text, "variables": values})
	if err != nil {
		return nil, err
	}
	raw, err := request(ctx, "POST", web+"/graphql", string(body))
	if err == nil && bytes.Contains(raw, []byte(`"errors"`)) {
		return nil, fmt.Errorf("the web channel answered errors: %.300s", raw)
	}
	return raw, err
}

var client = &http.Client{Timeout: 20 * time.Second}

func request(ctx context.Context, method, url, body string, headers ...string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewBufferString(body))
	if err != nil {
		return nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", rand.Text()) // writes of the app need one, everything else ignores it
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("%s %s: %d: %.300s", method, url, res.StatusCode, raw)
	}
	return raw, err
}
