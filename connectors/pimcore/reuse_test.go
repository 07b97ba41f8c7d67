package pimcore

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/schema/commerce"
)

// listingOf is an answer about some products of a few models, which have much in common.
func listingOf(random *rand.Rand, rows int) []byte {
	var b strings.Builder
	b.WriteString(`{"data":{"getProductListing":{"edges":[`)
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		model, n := strconv.Itoa(random.IntN(4)), strconv.Itoa(random.IntN(1000))
		b.WriteString(`{"node":{"sku":"S-` + n + `","modificationDate":` + n + `,"name":"Name \u00e9 ` + n + `","description":"` +
			strings.Repeat("Model "+model+" ", random.IntN(2)*20) + `","brand":{"name":"Brand ` + model + `"},"color":"C` + n + `",` +
			`"weight":{"value":` + n + `.5,"unit":{"abbreviation":"kg"}},"categories":[{"id":"` + model + `","name":"Category ` + model + `"}],` +
			`"images":[{"image":{"t0":"/p/` + model + `.png","t1":"/p/` + model + ` l.png"}}],` +
			`"variants":[{"sku":"V-` + model + `","size":"S"},{"sku":"W-` + model + `","name":"Variant of ` + model + `","size":"M"}]}}`)
	}
	b.WriteString(`]}}}`)
	return []byte(b.String())
}

// Rooms, readers and bodies are used again by whoever comes next. What became of an answer stays what it was.
func TestProductsOutliveTheirRooms(t *testing.T) {
	t.Parallel()
	rooms := sync.Pool{New: func() any { return newProductRoom(&somePictures) }}
	const readers, answers, most = 4, 300, 12
	var all sync.WaitGroup
	for n := range readers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 7))
			body := make([]byte, 0, 1<<14)
			var before rows[productRows, wireProduct, *commerce.Product]
			var want []byte
			for range answers {
				data := listingOf(random, random.IntN(most))
				body = append(body[:0], data...)
				now, expected := before, before
				now.List, expected.List = nil, nil
				room, ok := rooms.Get().(*wireProduct)
				answer := wireAnswer[wireProduct]{root: productsRoot, row: room, take: now.take}
				ok = assert.True(t, ok) && assert.True(t, quick.Unmarshal(body, &answer))
				leave(&rooms, room)
				ok = ok && assert.NoError(t, json.Unmarshal(data, &expected)) && assert.Equal(t, expected, now)
				still, err := json.Marshal(before)
				if !ok || !assert.NoError(t, err) || want != nil && !assert.JSONEq(t, string(want), string(still)) {
					return
				}
				before = now
				want, err = json.Marshal(now)
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
}

// A room that waits for the next answer holds on to nothing of the last one.
func TestRoomsHoldOnToNothing(t *testing.T) {
	t.Parallel()
	room := newProductRoom(&somePictures)
	answer := wireAnswer[wireProduct]{root: productsRoot, row: room, take: func(*wireProduct) {}}
	require.True(t, quick.Unmarshal([]byte(someProducts), &answer))
	require.NotEmpty(t, room.Variants[:cap(room.Variants)][0].SKU)
	room.forget()
	assert.Equal(t, make([]wireVariant, cap(room.Variants)), room.Variants[:cap(room.Variants)])
	assert.Equal(t, make([]wireNamed, cap(room.Categories)), room.Categories[:cap(room.Categories)])
	assert.Equal(t, make(wireAsset, cap(room.shared.asset)), room.shared.asset[:cap(room.shared.asset)])
	empty := newProductRoom(&somePictures)
	empty.Variants, empty.Categories, empty.shared.asset, empty.lists = room.Variants, room.Categories, room.shared.asset, room.lists
	assert.Equal(t, empty, room)
}

// Siblings in one answer share what they have in common.
func TestSiblingsShareTheirVariants(t *testing.T) {
	t.Parallel()
	read, ok := newProducts().(*rows[productRows, wireProduct, *commerce.Product])
	require.True(t, ok)
	require.True(t, quick.Unmarshal([]byte(someProducts), read))
	require.Len(t, read.List, 2)
	assert.Same(t, &read.List[0].Variants[0], &read.List[1].Variants[0])
	assert.Same(t, &read.List[0].Categories[0], &read.List[1].Categories[0])
	assert.Same(t, &read.List[0].Images[0].Renditions[0], &read.List[1].Images[0].Renditions[0])
}

func TestProductsHaveAsManyPicturesAsThePIM(t *testing.T) {
	t.Parallel()
	const node = `{"node":{"sku":"A","name":"Mug","images":[%]}}`
	var images, edges []string
	for i := range 4 {
		edges = append(edges, strings.ReplaceAll(node, "%", strings.Join(images, ",")))
		images = append(images, `{"image":{"t0":"/`+strconv.Itoa(i)+`.png"}}`)
	}
	read, ok := newProducts().(*rows[productRows, wireProduct, *commerce.Product])
	require.True(t, ok)
	require.True(t, quick.Unmarshal([]byte(`{"data":{"getProductListing":{"edges":[`+strings.Join(edges, ",")+`]}}}`), read))
	require.Len(t, read.List, 4)
	for n, p := range read.List {
		require.Len(t, p.Images, n)
		for i, image := range p.Images {
			want := []commerce.Rendition{{Width: 80, URL: "https://cdn.example.test/a/" + strconv.Itoa(i) + ".png"}}
			assert.Equal(t, commerce.Image{Alt: "Mug", Renditions: want}, image)
		}
	}
}
