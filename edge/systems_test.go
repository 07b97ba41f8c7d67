package edge

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors"
	"github.com/portico-bff/portico/connectors/pimcore"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/schema/commerce"
)

// shopping is an environment with all roles set.
func shopping(more ...string) []string {
	return append([]string{
		"PIM_KIND=pimcore", "PIM_BASE_URL=http://pim.test", "PIM_API_KEY=pim-canary",
		"ERP_KIND=odoo", "ERP_BASE_URL=http://erp.test", "ERP_API_KEY=erp-canary",
		"CHECKOUT_KIND=magento", "CHECKOUT_BASE_URL=http://shop.test", "CHECKOUT_CONSUMER_KEY=canary-1",
		"CHECKOUT_CONSUMER_SECRET=canary-2", "CHECKOUT_TOKEN=canary-3", "CHECKOUT_TOKEN_SECRET=canary-4",
		"CHECKOUT_ACCESS_TOKEN=canary-3", "CHECKOUT_ACCESS_TOKEN_SECRET=canary-4",
		"PORTICO_MODE=development",
	}, more...)
}

func systems(t *testing.T, environ ...string) Systems {
	t.Helper()
	s, err := readSystems(config.Map(environ))
	require.NoError(t, err)
	return s
}

// nameOf is the role or port whose variables configure a port's system.
func (s Systems) nameOf(port string) string {
	i, ok := s.of[port]
	if !ok {
		return ""
	}
	return s.list[i].name
}

func TestPortsComeFromTheirRole(t *testing.T) {
	t.Parallel()
	s := systems(t, shopping()...)
	assert.Len(t, s.list, 3)
	for port, role := range map[string]string{
		"CATALOG": "PIM", "REVIEWS": "PIM", "PRICING": "ERP", "ORDER_HISTORY": "ERP", "CARTS": "CHECKOUT", "SEARCH": "", "LOYALTY": "",
	} {
		assert.Equal(t, role, s.nameOf(port), port)
	}
	assert.Equal(t, []string{"SEARCH", "CRM"}, s.Unconfigured())
}

func TestAPortInheritsItsRolesSettings(t *testing.T) {
	t.Parallel()
	pim := func(s Systems, port string) pimcore.Config {
		cfg, ok := s.list[s.of[port]].settings.Config.(pimcore.Config)
		require.True(t, ok)
		return cfg
	}
	s := systems(t, shopping("REVIEWS_KIND=pimcore", "CONTENT_ENDPOINT=pages")...)
	assert.Equal(t, "PIM", s.nameOf("REVIEWS"), "the same kind and settings are the same system")
	assert.Equal(t, "CONTENT", s.nameOf("CONTENT"), "a setting of its own makes another")
	assert.Equal(t, "pages", pim(s, "CONTENT").Endpoint)
	assert.Equal(t, "http://pim.test", pim(s, "CONTENT").BaseURL)
	assert.Equal(t, commerce.Secret("pim-canary"), pim(s, "CONTENT").APIKey)
	assert.Len(t, s.list, 4)

	s = systems(t, shopping("REVIEWS_BASE_URL=http://pim.test", "RELATED_ENDPOINT=pages", "CONTENT_ENDPOINT=pages")...)
	assert.Equal(t, "PIM", s.nameOf("REVIEWS"))
	assert.Equal(t, s.of["CONTENT"], s.of["RELATED"], "two ports with the same settings share one system")
}

func TestARolesSecretsDoNotFollowToAnotherAddress(t *testing.T) {
	t.Parallel()
	_, err := readSystems(config.Map(shopping("REVIEWS_BASE_URL=http://elsewhere.test")))
	require.EqualError(t, err, "REVIEWS_API_KEY is required")
	s := systems(t, shopping("REVIEWS_BASE_URL=http://elsewhere.test", "REVIEWS_API_KEY=own")...)
	assert.Equal(t, "REVIEWS", s.nameOf("REVIEWS"))
}

func TestAPortWithoutRoleNeedsNone(t *testing.T) {
	t.Parallel()
	s := systems(t, "REVIEWS_KIND=pimcore", "REVIEWS_BASE_URL=http://r.test", "REVIEWS_API_KEY=k")
	assert.Equal(t, "REVIEWS", s.nameOf("REVIEWS"))
	assert.Empty(t, s.nameOf("CATALOG"))
	assert.Equal(t, []string{"SEARCH", "ERP", "CRM", "CHECKOUT"}, s.Unconfigured())
}

func TestLoadReportsEverythingWrongAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Load([]string{
		"PORTICO_MODE=production", "LOG_LEVEL=loud-canary", "REQUEST_TIMEOUT=canary", "CHANNELS=us", "JWT_ISSUER=https://i.test",
		"WEB_ORIGINS=*", "PIM_KIND=typo3", "ERP_BASE_URL=http://erp.test", "CHECKOUT_KIND=magento",
		"CHECKOUT_MAX_ATTEMPTS=canary", "REVIEWS_KIND=stars",
	})
	require.Error(t, err)
	for _, text := range []string{
		"LOG_LEVEL must be debug, info, warn or error", "REQUEST_TIMEOUT must be a duration", `CHANNELS entry "us"`,
		"JWT_AUDIENCE is required", "JWKS_URL must be", "WEB_ORIGINS: origin 1", "ORDER_TOKEN_KEY is required in production",
		"PIM_KIND is not a known kind; known are pimcore", "ERP_KIND is required with ERP_BASE_URL",
		"CHECKOUT_BASE_URL is required", "CHECKOUT_CONSUMER_KEY is required", "CHECKOUT_MAX_ATTEMPTS must be a whole number",
		"REVIEWS_KIND is not a known kind",
	} {
		assert.ErrorContains(t, err, text)
	}
	assert.NotContains(t, err.Error(), "canary")
	lines := strings.Split(err.Error(), "\n")
	seen := map[string]bool{}
	for _, line := range lines {
		assert.False(t, seen[line], "twice: %s", line)
		seen[line] = true
	}
}

func TestLoadChecksModeAndKey(t *testing.T) {
	t.Parallel()
	_, err := Load([]string{"PORTICO_MODE=staging"})
	require.ErrorContains(t, err, "PORTICO_MODE must be production or development")
	_, err = Load([]string{"ORDER_TOKEN_KEY=canary"})
	require.ErrorContains(t, err, "ORDER_TOKEN_KEY must be at least 32 bytes")
	assert.NotContains(t, err.Error(), "canary")
	cfg, err := Load([]string{"ORDER_TOKEN_KEY=" + strings.Repeat("k", 32)})
	require.NoError(t, err)
	assert.Equal(t, Production, cfg.Mode)
	assert.False(t, cfg.Development())
}

func TestLoadReportsWhatKindsAndCacheRefuse(t *testing.T) {
	t.Parallel()
	_, err := Load(shopping("PIM_BASE_URL=ftp://canary", "ERP_BASE_URL=ftp://canary", "REDIS_URL=http://canary", "CHANNELS=us"))
	for _, text := range []string{"PIM_BASE_URL", "ERP_BASE_URL", "REDIS_URL", "CHANNELS"} {
		assert.ErrorContains(t, err, text)
	}
	assert.NotContains(t, err.Error(), "canary")
}

func TestAKindThatLacksThePortIsRefused(t *testing.T) {
	t.Parallel()
	s := systems(t, shopping("PRICING_KIND=pimcore", "PRICING_BASE_URL=http://p.test", "PRICING_API_KEY=k")...)
	_, err := s.connect(transport.Deps{})
	require.EqualError(t, err, "PRICING_KIND names a kind (pimcore) that does not offer this port")
}

func TestEffectiveHidesEverySecret(t *testing.T) {
	t.Parallel()
	cfg, err := Load(shopping("ORDER_TOKEN_KEY=" + strings.Repeat("canary", 6)))
	require.NoError(t, err)
	text := slog.GroupValue(cfg.Effective()...).String()
	assert.NotContains(t, text, "canary")
	for _, part := range []string{"PIM_KIND=pimcore", "PIM_API_KEY=[hidden]", "ERP_BASE_URL=http://erp.test", "ORDER_TOKEN_KEY=[hidden]", "REQUEST_TIMEOUT=5s"} {
		assert.Contains(t, text, part)
	}
}

func TestEveryVariableIsDocumented(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, s := range Sections() {
		for _, f := range config.Fields(s.Config) {
			assert.NotEmpty(t, f.Doc, "%s: %s%s", s.Title, s.Prefix, f.Key)
			assert.True(t, strings.HasSuffix(f.Doc, "."), "%s%s: a sentence ends with a full stop", s.Prefix, f.Key)
			name := s.Title + s.Prefix + f.Key
			assert.False(t, names[name], name)
			names[name] = true
		}
	}
	assert.Greater(t, len(names), 20)
}

func TestKindsAreFound(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, k := range connectors.Kinds {
		assert.False(t, names[k.Name], "twice: %s", k.Name)
		names[k.Name] = true
		found, err := connectors.Find(k.Name)
		require.NoError(t, err)
		assert.Equal(t, k.Name, found.Name)
	}
	_, err := connectors.Find("canary")
	require.ErrorContains(t, err, "known are pimcore")
	assert.NotContains(t, err.Error(), "canary")
}

func TestWhatAKindRefusesNamesTheWholeVariable(t *testing.T) {
	t.Parallel()
	_, err := readSystems(config.Map(shopping(
		"PIM_BASE_URL=ftp://x", "PIM_MAX_ATTEMPTS=9", "PIM_THUMBNAILS=big", "CHECKOUT_MAX_BODY_BYTES=-1",
		"REVIEWS_KIND=pimcore", "REVIEWS_BASE_URL=http://reviews.test", "REVIEWS_API_KEY=k", "REVIEWS_ENDPOINT=a/b",
	)))
	for _, variable := range []string{"PIM_BASE_URL", "PIM_MAX_ATTEMPTS", "PIM_THUMBNAILS", "CHECKOUT_MAX_BODY_BYTES", "REVIEWS_ENDPOINT"} {
		require.ErrorContains(t, err, variable+" ")
	}
}

func TestAKindThatIsNoUseToItsRoleIsRefused(t *testing.T) {
	t.Parallel()
	s := systems(t, shopping("PIM_KIND=odoo")...)
	_, err := s.connect(transport.Deps{})
	require.EqualError(t, err, "PIM_KIND names a kind (odoo) that offers none of the role's ports")
}

func TestAPortMayHaveLimitsOfItsOwn(t *testing.T) {
	t.Parallel()
	pim := func(s Systems, port string) pimcore.Config {
		cfg, ok := s.list[s.of[port]].settings.Config.(pimcore.Config)
		require.True(t, ok)
		return cfg
	}
	s := systems(t, shopping("PIM_MAX_CONCURRENT=40", "PIM_NO_HEDGE=true", "REVIEWS_MAX_CONCURRENT=4", "RELATED_NO_HEDGE=false")...)
	assert.Equal(t, 40, pim(s, "CATALOG").MaxConcurrent)
	assert.True(t, pim(s, "CATALOG").NoHedge)
	assert.Equal(t, "REVIEWS", s.nameOf("REVIEWS"))
	assert.Equal(t, 4, pim(s, "REVIEWS").MaxConcurrent)
	assert.True(t, pim(s, "REVIEWS").NoHedge, "what is not set for a port is its role's")
	assert.Equal(t, commerce.Secret("pim-canary"), pim(s, "REVIEWS").APIKey)
	assert.False(t, pim(s, "RELATED").NoHedge)
	assert.Equal(t, 40, pim(s, "RELATED").MaxConcurrent)

	s = systems(t, shopping()...)
	assert.Equal(t, 128, pim(s, "CATALOG").MaxConcurrent)
	assert.False(t, pim(s, "CATALOG").NoHedge)
	_, err := readSystems(config.Map(shopping("PIM_MAX_CONCURRENT=20000", "ERP_NO_HEDGE=maybe")))
	require.ErrorContains(t, err, "PIM_MAX_CONCURRENT must be 1 to 10000")
	require.ErrorContains(t, err, "ERP_NO_HEDGE")
}

// Two systems of one kind are told apart by whose variables they have.
func TestSystemsKnowTheirRole(t *testing.T) {
	t.Parallel()
	registry := transport.NewRegistry()
	s := systems(t, shopping("REVIEWS_MAX_CONCURRENT=4", "ORDER_HISTORY_TIMEOUT=9s")...)
	assert.Empty(t, registry.Systems(), "trial openings are not shown")
	_, err := s.connect(transport.Deps{Registry: registry})
	require.NoError(t, err)
	var roles []string
	for _, state := range registry.Systems() {
		roles = append(roles, state.Role+" "+state.System)
	}
	assert.Equal(t, []string{"checkout magento", "erp odoo", "order_history odoo", "pim pimcore", "reviews pimcore"}, roles)
}
