package lifecycle

import (
	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/schema/commerce"
)

// The headers by which an app says what it is.
const (
	PlatformHeader = "X-Platform"
	VersionHeader  = "X-App-Version"
)

// Current refuses apps that are older than their platform's minimum: 426, with the
// version that is needed in Upgrade as RFC 9110 wants it, ios-app/2.4.0. Who does not say
// what it is passes. A platform or a version that is none is an [commerce.InputError] on
// its header. cfg has to be valid.
func Current(cfg Config) fiber.Handler {
	ios, _ := ParseVersion(cfg.IOS.Minimum) // without one it is 0: nothing is older
	android, _ := ParseVersion(cfg.Android.Minimum)
	return func(c *fiber.Ctx) error {
		platform, says := sent(c, PlatformHeader)
		version, versioned := sent(c, VersionHeader)
		if !says && !versioned {
			return c.Next()
		}
		minimum, upgrade := Version{}, ""
		switch platform {
		case platformIOS:
			minimum, upgrade = ios, "ios-app/"+cfg.IOS.Minimum
		case platformAndroid:
			minimum, upgrade = android, "android-app/"+cfg.Android.Minimum
		default:
			if says {
				return &commerce.InputError{Field: PlatformHeader, Code: commerce.CodeUnsupported, Message: "must be one of ios, android"}
			}
		}
		if !versioned {
			return c.Next()
		}
		app, ok := ParseVersion(version)
		if !ok {
			return &commerce.InputError{Field: VersionHeader, Code: commerce.CodeInvalid, Message: "must be up to four numbers with dots between, such as 2.4.0"}
		}
		if app.Compare(minimum) >= 0 {
			return c.Next()
		}
		c.Set(fiber.HeaderUpgrade, upgrade)
		c.Set(fiber.HeaderConnection, fiber.HeaderUpgrade)
		return &problem.Error{Type: problem.UpgradeRequired, Field: VersionHeader, Detail: VersionHeader + ": " + upgrade + " or later is needed"}
	}
}

// sent is a header that may be there and empty, which fasthttp does not always tell from one
// that is not when it is asked for its value.
func sent(c *fiber.Ctx, name string) (value string, there bool) {
	lines := c.Request().Header.PeekAll(name)
	if len(lines) == 0 {
		return "", false
	}
	return string(lines[0]), true
}
