package main

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
)

// pim asks Data Hub for products; T is what is read of each.
func pim[T interface{ sku() string }](ctx context.Context, b *baseline, operation string, skus []string) (map[string]T, error) {
	var answer struct {
		Data struct {
			List struct {
				Edges []struct {
					Node T `json:"node"`
				} `json:"edges"`
			} `json:"getProductListing"`
		} `json:"data"`
	}
	var filter strings.Builder
	filter.WriteString(`{"$or":[`)
	for i, sku := range skus {
		if i > 0 {
			filter.WriteByte(',')
		}
		filter.WriteString(`{"sku":"` + sku + `"}`)
	}
	filter.WriteString(`]}`)
	body := pimRequest{Query: b.asks.Queries[operation], Operation: operation}
	body.Variables.Filter, body.Variables.First = filter.String(), 2*len(skus)
	if operation != "reviews" {
		body.Variables.Language, body.Variables.Fallback = "en", "en"
	}
	if err := b.upstream.post(ctx, pimPath, body, &answer, "X-API-Key", pimKey); err != nil {
		return nil, err
	}
	found := make(map[string]T, len(answer.Data.List.Edges))
	for _, edge := range answer.Data.List.Edges {
		found[edge.Node.sku()] = edge.Node
	}
	return found, nil
}

const (
	pimPath = "/pimcore/pimcore-graphql-webservices/shop"
	pimKey  = "sandbox-pimcore-key"
)

type pimRequest struct {
	Query     string `json:"query"`
	Operation string `json:"operationName"`
	Variables struct {
		Filter   string `json:"filter"`
		First    int    `json:"first"`
		Language string `json:"language,omitempty"`
		Fallback string `json:"fallback,omitempty"`
	} `json:"variables"`
}

// What is read of a product: its name; what a card shows; all of it.
type (
	pimName struct {
		SKU  string `json:"sku"`
		Name string `json:"name"`
	}
	pimNamed struct {
		Name string `json:"name"`
	}
	pimPicture struct {
		Image struct {
			T1 string `json:"t1"`
		} `json:"image"`
	}
	pimCard struct {
		pimName
		Brand  pimNamed     `json:"brand"`
		Images []pimPicture `json:"images"`
	}
	pimProduct struct {
		pimCard
		Description string `json:"description"`
		Categories  []struct {
			ID string `json:"id"`
		} `json:"categories"`
		Model    string `json:"model"`
		Color    string `json:"color"`
		Size     string `json:"size"`
		SizeUnit string `json:"sizeUnit"`
		Class    string `json:"productClass"`
		Style    string `json:"style"`
		Line     string `json:"line"`
		Weight   *struct {
			Value json.Number `json:"value"`
			Unit  struct {
				Abbreviation string `json:"abbreviation"`
			} `json:"unit"`
		} `json:"weight"`
		Variants []struct {
			pimName
			Color string `json:"color"`
			Size  string `json:"size"`
			Style string `json:"style"`
		} `json:"variants"`
	}
)

func (p pimName) sku() string { return p.SKU }

type pimReview struct {
	Author string `json:"author"`
	Rating int    `json:"rating"`
	Body   string `json:"body"`
	Date   int64  `json:"date"`
}

type pimReviews struct {
	SKU     string       `json:"sku"`
	Reviews []*pimReview `json:"reviews"` // null where it is hidden
}

func (p pimReviews) sku() string { return p.SKU }

// shown are the reviews that are not hidden, the newest first.
func (p pimReviews) shown() []*pimReview {
	shown := slices.DeleteFunc(p.Reviews, func(r *pimReview) bool { return r == nil })
	slices.SortStableFunc(shown, func(a, b *pimReview) int { return cmp.Compare(b.Date, a.Date) })
	return shown
}

func average(reviews []*pimReview) float64 {
	if len(reviews) == 0 {
		return 0
	}
	sum := 0
	for _, r := range reviews {
		sum += r.Rating
	}
	return math.Round(100*float64(sum)/float64(len(reviews))) / 100
}

type pimRelated struct {
	SKU     string     `json:"sku"`
	Related []*pimCard `json:"related"` // null where it is hidden
}

func (p pimRelated) sku() string { return p.SKU }

func (p pimRelated) others() []*pimCard {
	return slices.DeleteFunc(p.Related, func(other *pimCard) bool { return other == nil || other.SKU == p.SKU })
}

type attribute struct {
	Code  string `json:"-"`
	Label string `json:"label"`
	Value string `json:"value"`
	Unit  string `json:"unit"`
}

func (p pimProduct) attributes() []attribute {
	var weight, unit string
	if p.Weight != nil {
		weight, unit = string(p.Weight.Value), p.Weight.Unit.Abbreviation
	}
	all := [...]attribute{
		{"color", "Color", p.Color, ""},
		{"size", "Size", p.Size, p.SizeUnit},
		{"weight", "Weight", weight, unit},
		{"class", "Class", p.Class, ""},
		{"style", "Style", p.Style, ""},
		{"line", "Line", p.Line, ""},
		{"model", "Model", p.Model, ""},
	}
	filled := make([]attribute, 0, len(all))
	for _, a := range all {
		if a.Value != "" {
			filled = append(filled, a)
		}
	}
	return filled
}

// categoryNode is a category with those right below it.
type categoryNode struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Index  int    `json:"index"`
	Parent struct {
		ID string `json:"id"`
	} `json:"parent"`
	children []mobileLink
}

type categoryTree map[string]*categoryNode

// path is the way from a root to a category.
func (t categoryTree) path(id string) []mobileLink {
	var path []mobileLink
	for node := t[id]; node != nil; node = t[node.Parent.ID] {
		path = append(path, mobileLink{node.ID, node.Name})
	}
	slices.Reverse(path)
	return path
}

// categories is the tree, read once a minute.
func (b *baseline) categories(ctx context.Context) (categoryTree, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Now().Before(b.treeTill) {
		return b.tree, nil
	}
	var answer struct {
		Data struct {
			List struct {
				Edges []struct {
					Node *categoryNode `json:"node"`
				} `json:"edges"`
			} `json:"getCategoryListing"`
		} `json:"data"`
	}
	if err := b.upstream.post(ctx, pimPath, b.asks.Categories, &answer, "X-API-Key", pimKey); err != nil {
		return nil, err
	}
	nodes := make([]*categoryNode, 0, len(answer.Data.List.Edges))
	for _, edge := range answer.Data.List.Edges {
		nodes = append(nodes, edge.Node)
	}
	slices.SortStableFunc(nodes, func(a, b *categoryNode) int { return cmp.Compare(a.Index, b.Index) })
	tree := categoryTree{}
	for _, node := range nodes {
		tree[node.ID] = node
	}
	for _, node := range nodes {
		if above := tree[node.Parent.ID]; above != nil {
			above.children = append(above.children, mobileLink{node.ID, node.Name})
		}
	}
	b.tree, b.treeTill = tree, time.Now().Add(referenceFor)
	return tree, nil
}

// moment is an instant as JSON holds it.
func moment(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
