package main

import (
	"encoding/json"
	"strconv"

	"github.com/valyala/fasthttp"
)

// The web's operations. The baseline is sent the same and tells them apart by their names.
const (
	smallQuery = `{__typename}`
	listQuery  = `query List($id: ID!, $min: String) { category(id: $id) { name products(first: 100, filter: {priceMin: $min}) { nodes { sku name price { unit { amount currency } } availability { inStock quantity } } } } }`
	pageQuery  = `query Page($sku: String!) { product(sku: $sku) { sku name description brand images { url alt } attributes { label value unit } price { unit { amount currency } list { amount } } availability { inStock quantity } reviews { count average } } }`
)

// webAsk is a POST of an operation with one variable of a number.
func webAsk(query string, variables func(n int64) string) ask {
	quoted, _ := json.Marshal(query) // text always can be written
	return ask{set: func(req *fasthttp.Request, n int64) {
		req.Header.SetMethod(fasthttp.MethodPost)
		req.Header.SetContentType(contentType)
		req.SetRequestURI("/graphql")
		body := append(req.Body(), `{"query":`...)
		body = append(body, quoted...)
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

func (r *rig) mobileList() ask {
	return mobileAsk(func(n int64) string {
		return "/v1/screens/categories/" + category + "?first=" + strconv.Itoa(pageSize) + "&priceMin=" + priceOfPage(variety(n))
	})
}

func (r *rig) mobilePage() ask {
	return mobileAsk(func(n int64) string { return "/v1/screens/products/" + r.sku(n) })
}
