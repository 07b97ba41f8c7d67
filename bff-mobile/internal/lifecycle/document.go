package lifecycle

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/encoding"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/edge/market"
)

// Path is where apps read their configuration.
const Path = "/v1/config"

// shared lets everyone keep the document for a minute: so long a new minimum or a flag
// takes to reach the apps.
const shared = "public, max-age=60"

// editions are the document in each coding that can be asked for.
type editions [len(encoding.All)]*web.Edition

// NewDocument is what apps are told when they start, of a valid configuration; tells is
// whether somebody tells of changes now, so that apps can ask for those alone. All of its
// forms are made once.
func NewDocument(cfg Config, markets market.List, tells func() bool) *web.Document {
	content := api.Config{
		Platforms: api.Platforms{Ios: cfg.IOS.release(), Android: cfg.Android.release()},
		Flags:     cfg.Flags, Markets: []api.SalesChannel{},
		Locales: markets.Locales, Currencies: markets.Currencies, Countries: markets.Countries,
	}
	if content.Flags == nil {
		content.Flags = map[string]bool{}
	}
	for _, m := range markets.Channels {
		content.Markets = append(content.Markets, api.SalesChannel{Name: m.Channel, Locale: m.Locale, Currency: m.Currency, Country: m.Country})
	}
	content.Sync = api.SyncFull
	full := editionsOf(content)
	content.Sync = api.SyncDelta
	delta := editionsOf(content)
	return &web.Document{Path: Path, Edition: func(asked encoding.Encoding) *web.Edition {
		if tells() {
			return delta[asked]
		}
		return full[asked]
	}}
}

func editionsOf(content api.Config) (list editions) {
	plain, _ := json.Marshal(content) // texts and truths always encode
	for _, asked := range encoding.All {
		body, in := asked.Encode(plain)
		sum := sha256.Sum256(body)
		list[asked] = &web.Edition{Body: body, Encoding: in, Tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, Control: shared}
	}
	return list
}

func (a App) release() api.AppRelease {
	return api.AppRelease{Minimum: a.Minimum, Latest: a.Latest, StoreUrl: a.StoreURL}
}
