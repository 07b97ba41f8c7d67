package world

import (
	"slices"
	"strings"
	"time"

	"github.com/bojanz/currency"
)

// subcategoryOffset keeps roots and subcategories apart in one space of ids.
const subcategoryOffset = 100

// words says what the data's one-letter codes mean.
var words = map[string]map[string]string{
	"Class":       {"H": "High", "M": "Medium", "L": "Low"},
	"Style":       {"U": "Unisex", "M": "Men", "W": "Women"},
	"ProductLine": {"R": "Road", "M": "Mountain", "T": "Touring", "S": "Standard"},
}

// The data names no brands: what the company makes carries its own name, what
// it buys one of these.
const ownBrand = "Adventure Works"

var boughtBrands = []string{"Contoso Ride", "Fabrikam Gear", "Litware Sport", "Proseware"}

func (f *facts) loadCategories() error {
	made := time.Date(2022, 5, 1, 0, 0, 0, 0, time.UTC)
	add := func(c *Category) {
		c.UpdatedAt = made
		f.categories = append(f.categories, c)
	}
	err := eachRow("ProductCategory", func(t *table) {
		name := t.text("Name")
		add(&Category{ID: t.number("ProductCategoryID"), Key: slug(name), Name: name})
	})
	if err != nil {
		return err
	}
	err = eachRow("ProductSubcategory", func(t *table) {
		name := t.text("Name")
		add(&Category{
			ID: subcategoryOffset + t.number("ProductSubcategoryID"), Key: slug(name), Name: name,
			ParentID: t.number("ProductCategoryID"),
		})
	})
	f.categoryByID = make(map[int]*Category, len(f.categories))
	for _, c := range f.categories {
		f.categoryByID[c.ID] = c
	}
	return err
}

// slug makes a key of a name: "Bottles and Cages" → "bottles-and-cages".
func slug(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), " ", "-")
}

func (f *facts) loadProducts() error {
	models, err := loadModels()
	if err != nil {
		return err
	}
	photos, err := loadPhotos()
	if err != nil {
		return err
	}
	f.productByID, f.productBySKU = map[int]*Product{}, map[string]*Product{}
	f.productsByModel = map[int][]*Product{}
	err = eachRow("Product", func(t *table) {
		p := readProduct(t)
		if m, ok := models[p.ModelID]; ok && p.Published {
			p.ModelName, p.Descriptions = m.name, m.descriptions
		}
		photo := photos[p.ID]
		p.PhotoSmall, p.PhotoLarge = photo.small, photo.large
		f.products = append(f.products, p)
		f.productByID[p.ID], f.productBySKU[p.SKU] = p, p
		if p.Published && p.ModelID != 0 {
			f.productsByModel[p.ModelID] = append(f.productsByModel[p.ModelID], p)
		}
	})
	slices.SortFunc(f.products, func(a, b *Product) int { return a.ID - b.ID })
	return err
}

func readProduct(t *table) *Product {
	price, err := currency.NewAmount(t.text("ListPrice"), "USD")
	if err != nil {
		t.fail(err)
	}
	p := &Product{
		ID:            t.number("ProductID"),
		SKU:           t.text("ProductNumber"),
		Name:          t.text("Name"),
		Color:         t.text("Color"),
		Size:          t.text("Size"),
		SizeUnit:      strings.ToLower(t.text("SizeUnitMeasureCode")),
		Weight:        t.text("Weight"),
		WeightUnit:    strings.ToLower(t.text("WeightUnitMeasureCode")),
		Class:         words["Class"][t.text("Class")],
		Style:         words["Style"][t.text("Style")],
		Line:          words["ProductLine"][t.text("ProductLine")],
		ListPrice:     cents(price),
		SubcategoryID: t.number("ProductSubcategoryID"),
		ModelID:       t.number("ProductModelID"),
		SellStart:     t.date("SellStartDate"),
		SellEnd:       t.date("SellEndDate"),
	}
	p.Published = p.Sold()
	p.Brand = ownBrand
	if t.text("MakeFlag") == "0" {
		p.Brand = boughtBrands[random(streamBrand, p.ModelID).IntN(len(boughtBrands))]
	}
	p.UpdatedAt = p.SellStart.Add(time.Duration(p.ID) * time.Minute)
	return p
}

type model struct {
	name         string
	descriptions map[string]string
}

func loadModels() (map[int]*model, error) {
	texts := map[int]string{}
	err := eachRow("ProductDescription", func(t *table) {
		texts[t.number("ProductDescriptionID")] = t.text("Description")
	})
	if err != nil {
		return nil, err
	}
	models := map[int]*model{}
	err = eachRow("ProductModel", func(t *table) {
		models[t.number("ProductModelID")] = &model{name: t.text("Name"), descriptions: map[string]string{}}
	})
	if err != nil {
		return nil, err
	}
	return models, eachRow("ProductModelProductDescriptionCulture", func(t *table) {
		language := t.text("CultureID")
		if language == "zh-cht" {
			language = "zh-Hant"
		}
		m, text := models[t.number("ProductModelID")], texts[t.number("ProductDescriptionID")]
		if m != nil && text != "" {
			m.descriptions[language] = text
		}
	})
}

type photo struct{ small, large string }

// loadPhotos answers each product's picture. The data's "no image available" is none.
func loadPhotos() (map[int]photo, error) {
	files := map[int]photo{}
	err := eachRow("ProductPhoto", func(t *table) {
		small := t.text("ThumbnailPhotoFileName")
		if !strings.HasPrefix(small, "no_image") {
			files[t.number("ProductPhotoID")] = photo{small: small, large: t.text("LargePhotoFileName")}
		}
	})
	if err != nil {
		return nil, err
	}
	photos := map[int]photo{}
	return photos, eachRow("ProductProductPhoto", func(t *table) {
		if t.text("Primary") == "1" {
			photos[t.number("ProductID")] = files[t.number("ProductPhotoID")]
		}
	})
}
