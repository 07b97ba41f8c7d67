package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// The web's operations, published as trusted documents: production answers nothing else.
const (
	smallQuery = `query Small { __typename }`
	listQuery  = `query List($id: ID!, $min: String) { category(id: $id) { name products(first: 100, filter: {priceMin: $min}) { nodes { sku name price { unit { amount currency } } availability { inStock quantity } } } } }`
	pageQuery  = `query Page($sku: String!) { product(sku: $sku) { sku name description brand images { url alt } attributes { label value unit } price { unit { amount currency } list { amount } } availability { inStock quantity } reviews { count average } } }`
)

// documentID names a document by its hash.
func documentID(query string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(query))) }

// publish writes the manifest of the documents below a folder.
func publish(folder string) error {
	manifest := map[string]string{}
	for _, query := range []string{smallQuery, listQuery, pageQuery} {
		manifest[documentID(query)] = query
	}
	raw, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	client := filepath.Join(folder, "bench")
	return errors.Join(os.MkdirAll(client, 0o700), os.WriteFile(filepath.Join(client, "1.json"), raw, 0o600))
}

// webAsk is a POST of an operation with one variable of a number.
func webAsk(query string, variables func(n int64) string) ask {
	head := `{"documentId":"` + documentID(query) + `"`
	return ask{set: func(req *fasthttp.Request, n int64) {
		req.Header.SetMethod(fasthttp.MethodPost)
		req.Header.SetContentType(contentType)
		req.SetRequestURI("/graphql")
		body := append(req.Body(), head...)
		if variables != nil {
			body = append(body, `,"variables":`...)
			body = append(body, variables(n)...)
		}
		req.SetBody(append(body, '}'))
	}}
}

func mobileAsk(path func(n int64) string) ask {
	return ask{set: func(req *fasthttp.Request, n int64) { req.SetRequestURI(path(n)) }}
}

// sku is the product of a number: there are as many as there are numbers.
func (r *rig) sku(n int64) string {
	return variety(n).suffixed(r.recorded.SKUs[n%int64(r.recorded.Listed)])
}

func (r *rig) webSmall() ask { return webAsk(smallQuery, nil) }

func (r *rig) webList() ask {
	return webAsk(listQuery, func(n int64) string {
		return `{"id":"` + category + `","min":"` + priceOfPage(variety(n)) + `"}`
	})
}

func (r *rig) webPage() ask {
	return webAsk(pageQuery, func(n int64) string { return `{"sku":"` + r.sku(n) + `"}` })
}

func (r *rig) mobileSmall() ask {
	return mobileAsk(func(int64) string { return "/v1/screens/search?q=" + nothing + "&first=1" })
}

// mobileUnchanged asks for a product page of which the client has what there is: it is read
// once, for its entity tag, and asked for with that from then on. To know it costs the client
// next to nothing: who waits for its requests takes more time for each.
func (r *rig) mobileUnchanged() ask {
	type copied struct {
		n        int64
		uri, tag string
	}
	var last atomic.Pointer[copied]
	page := r.mobilePage()
	return ask{
		set: func(req *fasthttp.Request, n int64) {
			have := last.Load()
			if have == nil || have.n != n {
				page.set(req, n)
				have = &copied{n, string(req.Header.RequestURI()), r.mobile.tagOf(page, n)}
				last.Store(have)
			}
			req.SetRequestURI(have.uri)
			req.Header.Set(fasthttp.HeaderIfNoneMatch, have.tag)
		},
		right: func(res *fasthttp.Response) bool { return res.StatusCode() == fasthttp.StatusNotModified },
	}
}

func (r *rig) mobileConfig() ask { return mobileAsk(func(int64) string { return "/v1/config" }) }

// mobileSynced asks what has changed since a copy of the catalogue was made, which is nothing.
func (r *rig) mobileSynced() ask {
	since := ""
	asked := mobileAsk(func(int64) string { return "/v1/sync" + since })
	asked.right = func(res *fasthttp.Response) bool {
		return res.StatusCode() == fasthttp.StatusOK && bytes.Contains(res.Body(), []byte(`"items":[]`))
	}
	asked.begin = func(t *target) error {
		const soon, patience = 100 * time.Millisecond, 100
		for range patience { // of a process that has just heard of changes for the first time, copies begin anew
			since = ""
			var page struct {
				More bool
				Next string
			}
			for page.More = true; page.More; since = "?since=" + page.Next {
				status, body, err := t.once(asked.set, 0)
				if err != nil || status != fasthttp.StatusOK || json.Unmarshal(body, &page) != nil {
					return fmt.Errorf("sync: %d %.300s %w", status, body, err)
				}
			}
			if status, _, err := t.once(asked.set, 0); err == nil && status == fasthttp.StatusOK {
				return nil
			}
			time.Sleep(soon)
		}
		return errors.New("sync: nobody tells of changes")
	}
	return asked
}

func (r *rig) mobileList() ask {
	return mobileAsk(func(n int64) string {
		return "/v1/screens/categories/" + category + "?first=" + strconv.Itoa(pageSize) + "&priceMin=" + priceOfPage(variety(n))
	})
}

func (r *rig) mobilePage() ask {
	return mobileAsk(func(n int64) string { return "/v1/screens/products/" + r.sku(n) })
}
