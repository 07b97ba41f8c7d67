// Package lifecycle is what becomes of apps that were shipped: what they are told when
// they start, when they are too old to be served, and which parts of the contract will go.
package lifecycle

import (
	"errors"
	"net/url"
	"regexp"

	"github.com/portico-bff/portico/edge/config"
)

// Config is what is known about the apps.
type Config struct {
	IOS     App             `envPrefix:"MOBILE_IOS_"`
	Android App             `envPrefix:"MOBILE_ANDROID_"`
	Flags   map[string]bool `env:"MOBILE_FLAGS" envKeyValSeparator:"=" doc:"Switches that /v1/config tells the apps, as name=true or name=false, separated by commas."`
}

// App is the app of one platform.
type App struct {
	Minimum  string `env:"MINIMUM_VERSION" doc:"Oldest version of the platform's app that is served, such as 2.4; an older one is answered 426. Empty serves all."`
	Latest   string `env:"LATEST_VERSION" doc:"Version of the app that is in the platform's store; told by /v1/config."`
	StoreURL string `env:"STORE_URL" doc:"https address of the app in the platform's store; told by /v1/config. Required with a minimum."`
}

// The values of X-Platform.
const (
	platformIOS     = "ios"
	platformAndroid = "android"
)

var flagPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)

// Validate checks versions, addresses and the names of flags; all that is wrong is
// reported at once.
func (c Config) Validate() error {
	errs := []error{c.IOS.validate("MOBILE_IOS_"), c.Android.validate("MOBILE_ANDROID_")}
	for name := range c.Flags {
		if !flagPattern.MatchString(name) {
			errs = append(errs, config.Bad("MOBILE_FLAGS", "must have names of 1 to 64 letters, digits, _, . and -, a letter first"))
			break
		}
	}
	return errors.Join(errs...)
}

func (a App) validate(prefix string) error {
	var errs []error
	const form = "must be up to four numbers with dots between, such as 2.4.0"
	minimum, minimumOK := ParseVersion(a.Minimum)
	latest, latestOK := ParseVersion(a.Latest)
	switch {
	case a.Minimum != "" && !minimumOK:
		errs = append(errs, config.Bad(prefix+"MINIMUM_VERSION", form))
	case a.Minimum != "" && a.StoreURL == "":
		errs = append(errs, config.Bad(prefix+"STORE_URL", "is required with a minimum: who is too old has to find the new one"))
	}
	switch {
	case a.Latest != "" && !latestOK:
		errs = append(errs, config.Bad(prefix+"LATEST_VERSION", form))
	case latestOK && minimumOK && latest.Compare(minimum) < 0:
		errs = append(errs, config.Bad(prefix+"LATEST_VERSION", "must not be older than the minimum"))
	}
	if u, err := url.Parse(a.StoreURL); a.StoreURL != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil) {
		errs = append(errs, config.Bad(prefix+"STORE_URL", "must be an https address"))
	}
	return errors.Join(errs...)
}
