package screen

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// Cart is a cart with pictures and stock of what is in it. The cart is required.
func (s *Screens) Cart(ctx context.Context, v Viewer, id commerce.CartID) (*api.CartScreen, error) {
	p, cancel := s.begin(ctx)
	defer cancel()
	shown := &api.CartScreen{}
	p.required("cart", commerce.OpCartRead, func(ctx context.Context) error {
		cart, err := s.Ports.Carts.Cart(ctx, v.Shopper, id)
		if err != nil {
			return err
		}
		shown.Cart = Cart(cart, v.Market.Locale)
		return p.lines(ctx, v, cart, shown.Cart.Lines)
	})
	var err error
	shown.Degraded, err = p.wait()
	return shown, err
}

// lines adds pictures and stock to a cart's lines. Neither is required.
func (p *parts) lines(ctx context.Context, v Viewer, cart *commerce.Cart, into []api.CartLine) error {
	skus := make([]commerce.SKU, 0, len(cart.Lines))
	for _, l := range cart.Lines[:min(len(cart.Lines), commerce.MaxBatch)] {
		skus = append(skus, l.SKU)
	}
	if len(skus) == 0 {
		return nil
	}
	var products map[commerce.SKU]*commerce.Product
	var stock map[commerce.SKU]*commerce.Availability
	var group errgroup.Group
	group.Go(func() error {
		p.may(ctx, "lines.image", commerce.OpProducts, func(ctx context.Context) (err error) {
			products, err = p.screens.Ports.Catalog.Products(ctx, v.Market, skus)
			return err
		})
		return nil
	})
	group.Go(func() error {
		p.may(ctx, "lines.available", commerce.OpAvailability, func(ctx context.Context) (err error) {
			stock, err = p.screens.Ports.Inventory.Availability(ctx, v.Market, skus)
			return err
		})
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	for i, l := range cart.Lines {
		if product := products[l.SKU]; product != nil && len(product.Images) > 0 {
			into[i].Image = image(&product.Images[0], v.width(tileWidth))
		}
		if a := stock[l.SKU]; a != nil {
			into[i].Available = &a.Quantity
		}
	}
	return nil
}
