package pimcore

import (
	"slices"
	"strconv"
	"strings"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// defaultLanguage is the site's.
const defaultLanguage = "en"

// Ids are one space over all classes. Categories and pages have the world's own.
const (
	productOffset = 10_000
	reviewOffset  = 20_000
	firstBrand    = 501
	folderID      = 5
)

// repository is Pimcore's view of the world, made once: what it shows never changes.
type repository struct {
	world       *world.World
	lists       map[string][]element // by class, each by id
	products    map[int]*product     // by the world's id
	models      map[int][]int        // the world's ids of published products by model
	reviewsOf   map[int][]*review
	assets      []*asset
	assetByFile map[string]*asset
}

func newRepository(w *world.World) *repository {
	r := &repository{
		world: w, lists: map[string][]element{}, products: map[int]*product{},
		models: map[int][]int{}, reviewsOf: map[int][]*review{},
	}
	r.loadAssets(w)
	for _, a := range r.assets {
		r.lists["Asset"] = append(r.lists["Asset"], a)
	}
	categories := r.loadCategories(w)
	r.loadProducts(w, categories)
	slices.SortFunc(r.lists["Review"], func(a, b element) int { return a.id() - b.id() })
	for _, p := range w.Pages() {
		if p.Deleted {
			continue
		}
		page := &contentPage{
			base: base{
				oid: p.ID, class: "ContentPage", parentID: folderID, parent: folder{folderID, "/Pages"}, key: p.Key,
				full: "/Pages/" + p.Key, hidden: !p.Published, modified: p.UpdatedAt,
			},
			p: p, image: r.assetByFile[p.Image],
		}
		r.lists["ContentPage"] = append(r.lists["ContentPage"], page)
	}
	return r
}

func (r *repository) product(id int) *product { return r.products[id] }

func (r *repository) loadCategories(w *world.World) map[int]*category {
	byID := map[int]*category{}
	for i, c := range w.Categories() {
		o := &category{name: c.Name, children: []any{}, base: base{
			oid: c.ID, class: "Category", parentID: folderID, parent: folder{folderID, "/Categories"}, key: c.Key,
			full: "/Categories/" + c.Key, index: i, modified: c.UpdatedAt,
		}}
		if parent := byID[c.ParentID]; parent != nil {
			o.parent, o.parentID, o.full = parent, parent.oid, parent.full+"/"+c.Key
			parent.children = append(parent.children, o)
		}
		byID[c.ID] = o
		r.lists["Category"] = append(r.lists["Category"], o)
	}
	return byID
}

func (r *repository) loadProducts(w *world.World, categories map[int]*category) {
	brands := map[string]*brand{}
	for _, p := range w.Products() {
		if brands[p.Brand] == nil {
			key := strings.ToLower(strings.ReplaceAll(p.Brand, " ", "-"))
			brands[p.Brand] = &brand{name: p.Brand, base: base{
				oid: firstBrand + len(brands), class: "Brand", parentID: folderID, parent: folder{folderID, "/Brands"}, key: key,
				full: "/Brands/" + key, modified: assetsUploaded,
			}}
			r.lists["Brand"] = append(r.lists["Brand"], brands[p.Brand])
		}
		if p.Deleted {
			continue
		}
		o := &product{p: p, repo: r, brand: brands[p.Brand], image: r.assetByFile[p.PhotoLarge], base: base{
			oid: productOffset + p.ID, class: "Product", parentID: folderID, parent: folder{folderID, "/Products"}, key: p.SKU,
			full: "/Products/" + p.SKU, hidden: !p.Published, modified: p.UpdatedAt,
		}}
		o.category = categories[100+p.SubcategoryID] // none for parts
		if p.Published {
			r.models[p.ModelID] = append(r.models[p.ModelID], p.ID)
		}
		r.products[p.ID] = o
		r.lists["Product"] = append(r.lists["Product"], o)
		r.loadReviews(w, p)
	}
}

func (r *repository) loadReviews(w *world.World, p *world.Product) {
	for _, written := range w.Reviews(p.ID) {
		key := strconv.Itoa(written.ID)
		o := &review{r: written, base: base{
			oid: reviewOffset + written.ID, class: "Review", parentID: folderID, parent: folder{folderID, "/Reviews"}, key: key,
			full: "/Reviews/" + key, modified: written.At,
		}}
		r.reviewsOf[p.ID] = append(r.reviewsOf[p.ID], o)
		r.lists["Review"] = append(r.lists["Review"], o)
	}
}

// root resolves the fields of Query: get<Class> and get<Class>Listing.
type root struct{ repo *repository }

func (root) typename() string { return "Query" }

func (r root) field(name string, args arguments, _ string) any {
	class := strings.TrimPrefix(name, "get")
	if class, listing := strings.CutSuffix(class, "Listing"); listing {
		return list(class, r.repo.lists[class], args)
	}
	if list, known := r.repo.lists[class]; known {
		kind := "object"
		if class == "Asset" {
			kind = "asset"
		}
		return one(kind, list, args)
	}
	return errIntrospection
}
