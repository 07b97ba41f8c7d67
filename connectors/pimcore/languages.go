package pimcore

import (
	"regexp"
	"strings"

	"github.com/portico-bff/portico/connectors/transport"
)

// languages maps locales (BCP 47) to the PIM's language names.
type languages struct {
	byLocale map[string]string // by lower-case locale
	fallback string            // what every text exists in
}

var languagePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

func parseLanguages(list []string) (languages, error) {
	l := languages{byLocale: map[string]string{}}
	for _, item := range list {
		locale, name, named := strings.Cut(strings.TrimSpace(item), "=")
		if !named {
			name = locale
		}
		if !languagePattern.MatchString(locale) || !languagePattern.MatchString(name) {
			return l, transport.BadSetting("LANGUAGES", "must be names such as en or zh-Hant, or pairs such as de-AT=de_AT")
		}
		if l.fallback == "" {
			l.fallback = name
		}
		l.byLocale[strings.ToLower(locale)] = name
	}
	return l, nil
}

// of is the PIM's language for a locale: its own, else that of the nearest more general
// locale ("fr" for "fr-CA"), else the default.
func (l languages) of(locale string) string {
	for locale = strings.ToLower(locale); locale != ""; {
		if name, ok := l.byLocale[locale]; ok {
			return name
		}
		cut := max(strings.LastIndexByte(locale, '-'), 0)
		locale = locale[:cut]
	}
	return l.fallback
}
