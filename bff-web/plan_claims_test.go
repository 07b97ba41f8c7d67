package bffweb

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// What is planned below products waits for them: it never asks for one of them by itself,
// though there are many to be claimed before it.
func TestW7_WhatIsBelowProductsNeverAsksForThemApart(t *testing.T) {
	t.Parallel()
	const before, requests = 8, 200
	var query strings.Builder
	query.WriteString("query($skus:[String!]!){")
	for i := range before {
		fmt.Fprintf(&query, "a%d:products(skus:$skus) @freshness(staleUpTo:\"%ds\"){sku}", i, i+1)
	}
	query.WriteString(`products(skus:["MUG-RED","MUG-BLUE","C"]){variants{product{sku}}}}`)
	var skus []string
	for i := range commerce.MaxBatch {
		skus = append(skus, fmt.Sprint("P", i))
	}
	s := open(t)
	s.ResetCalls()
	for range requests {
		a := s.query(t, query.String(), map[string]any{"skus": skus})
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
	}
	const each = before + 1 // bounds, and none; all variants are named
	assert.Equal(t, each*requests, s.Calls(commerce.OpProducts))
}
