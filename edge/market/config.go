package market

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/text/language"

	"github.com/portico-bff/portico/schema/commerce"
)

var (
	namePattern    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	countryPattern = regexp.MustCompile(`^[A-Z]{2}$`)
	groupPattern   = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)
)

// Validate checks the lists as New does.
func (c Config) Validate() error {
	_, err := New(c)
	return err
}

// New checks the lists; everything that is wrong is reported at once, by variable.
func New(cfg Config) (*Resolver, error) {
	errs := []error{
		each("LOCALES", cfg.Locales, "a language tag such as en or zh-Hant", isLocale),
		each("CURRENCIES", cfg.Currencies, "an ISO 4217 code", commerce.IsCurrency),
		each("COUNTRIES", cfg.Countries, "an ISO 3166-1 alpha-2 code", countryPattern.MatchString),
	}
	r := &Resolver{channels: map[string]channel{}, locales: trimmed(cfg.Locales), currencies: trimmed(cfg.Currencies), countries: trimmed(cfg.Countries)}
	for _, text := range trimmed(cfg.Channels) {
		defaults, err := r.parse(text, cfg)
		if err != nil {
			errs = append(errs, fmt.Errorf("CHANNELS entry %q %w", text, err))
			continue
		}
		r.names = append(r.names, defaults.Channel)
		r.channels[defaults.Channel] = newChannel(defaults, trimmed(cfg.Locales))
	}
	errs = append(errs, r.groups(cfg.PriceGroups))
	if len(r.names) == 0 {
		errs = append(errs, errors.New("CHANNELS must name at least one channel"))
	} else {
		r.first = r.names[0]
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return r, nil
}

// parse reads name=locale/currency/country; the parts must be listed.
func (r *Resolver) parse(text string, cfg Config) (commerce.Market, error) {
	name, rest, _ := strings.Cut(text, "=")
	parts := strings.Split(rest, "/")
	if len(parts) != 3 || !namePattern.MatchString(name) {
		return commerce.Market{}, errors.New("must look like us=en/USD/US")
	}
	if _, twice := r.channels[name]; twice {
		return commerce.Market{}, errors.New("is there twice")
	}
	lists := []struct {
		variable string
		known    []string
	}{{"LOCALES", cfg.Locales}, {"CURRENCIES", cfg.Currencies}, {"COUNTRIES", cfg.Countries}}
	for i, list := range lists {
		if !slices.Contains(trimmed(list.known), parts[i]) {
			return commerce.Market{}, fmt.Errorf("uses %s, which %s does not list", parts[i], list.variable)
		}
	}
	return commerce.Market{Channel: name, Locale: parts[0], Currency: parts[1], Country: parts[2]}, nil
}

func newChannel(defaults commerce.Market, locales []string) channel {
	ordered := append([]string{defaults.Locale}, slices.DeleteFunc(slices.Clone(locales), func(l string) bool { return l == defaults.Locale })...)
	tags := make([]language.Tag, len(ordered))
	for i, locale := range ordered {
		tags[i] = language.Make(locale)
	}
	chosen, _ := lru.New[string, string](maxChosen) // fails for no size but 0
	return channel{defaults: defaults, group: defaultGroup, locales: ordered, matcher: language.NewMatcher(tags), chosen: chosen}
}

func (r *Resolver) groups(list []string) error {
	var errs []error
	for _, text := range trimmed(list) {
		name, group, _ := strings.Cut(text, "=")
		c, ok := r.channels[name]
		if !ok || !groupPattern.MatchString(group) {
			errs = append(errs, fmt.Errorf("DEFAULT_PRICE_GROUPS entry %q must be a channel of CHANNELS, =, and a group of 1 to 32 of a-z, 0-9, _ and -", text))
			continue
		}
		c.group = commerce.PriceGroup(group)
		r.channels[name] = c
	}
	return errors.Join(errs...)
}

func isLocale(s string) bool {
	_, err := language.Parse(s)
	return err == nil
}

func each(variable string, list []string, what string, good func(string) bool) error {
	var errs []error
	for _, s := range trimmed(list) {
		if !good(s) {
			errs = append(errs, fmt.Errorf("%s entry %q must be %s", variable, s, what))
		}
	}
	return errors.Join(errs...)
}

func trimmed(list []string) []string {
	var out []string
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
