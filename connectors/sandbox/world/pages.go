package world

import "time"

// pages are the shop's editorial texts. Bodies exist in English and French, so that a language without one falls back.
func pages() []*Page {
	at := func(month time.Month, day int) time.Time { return time.Date(2025, month, day, 10, 0, 0, 0, time.UTC) }
	return []*Page{
		{
			ID: 901, Key: "home", Published: true, Image: "racer02_black_f_large.gif", UpdatedAt: at(3, 1),
			Title: map[string]string{
				"en": "Ride further", "fr": "Roulez plus loin", "he": "לרכוב רחוק יותר", "th": "ปั่นให้ไกลขึ้น",
				"ar": "انطلق أبعد", "zh-Hant": "騎得更遠",
			},
			Body: map[string]string{
				"en": "Bikes, parts and clothing for road, mountain and touring.\n\nNew this season: the Touring-1000, made for long days.",
				"fr": "Vélos, pièces et vêtements pour la route, la montagne et le voyage.\n\nNouveau cette saison : le Touring-1000, conçu pour les longues journées.",
			},
		},
		{
			ID: 902, Key: "shipping", Published: true, UpdatedAt: at(1, 15),
			Title: map[string]string{
				"en": "Shipping", "fr": "Livraison", "he": "משלוחים", "th": "การจัดส่ง", "ar": "الشحن", "zh-Hant": "配送",
			},
			Body: map[string]string{
				"en": "Orders placed before noon leave the same day.\n\nBikes travel by cargo; everything else by the carrier you choose.",
				"fr": "Ce qui est commandé avant midi part le jour même.\n\nLes vélos voyagent par fret, le reste avec le mode de livraison de votre choix.",
			},
		},
		{
			ID: 903, Key: "returns", Published: true, UpdatedAt: at(1, 15),
			Title: map[string]string{
				"en": "Returns", "fr": "Retours", "he": "החזרות", "th": "การคืนสินค้า", "ar": "الإرجاع", "zh-Hant": "退貨",
			},
			Body: map[string]string{
				"en": "Send anything back within 30 days, unused and in its box.\n\nWe refund what you paid, less the cost of cargo for bikes.",
				"fr": "Renvoyez tout article sous 30 jours, non utilisé et dans son emballage.\n\nNous remboursons ce que vous avez payé, moins le fret pour les vélos.",
			},
		},
		{
			ID: 904, Key: "about", Published: true, Image: "roadster_black_large.gif", UpdatedAt: at(2, 20),
			Title: map[string]string{
				"en": "About us", "fr": "À propos", "he": "עלינו", "th": "เกี่ยวกับเรา", "ar": "من نحن", "zh-Hant": "關於我們",
			},
			Body: map[string]string{
				"en": "Adventure Works has built bicycles in Bothell, Washington, since 1998.\n\nThe company is fictitious, its range is sample data.",
				"fr": "Adventure Works construit des vélos à Bothell, Washington, depuis 1998.\n\nL'entreprise est fictive, son assortiment est un jeu d'essai.",
			},
		},
	}
}
