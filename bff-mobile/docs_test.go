package bffmobile

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/schema/openapi"
)

func TestDocsNeedNoNetwork(t *testing.T) {
	t.Parallel()
	s := open(t)
	require.Equal(t, string(openapi.Mobile), s.checked(t, get("/openapi.yaml")).Raw)
	page := s.checked(t, get("/docs"))
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "default-src 'none'")
	links := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.Raw, -1)
	require.Len(t, links, 4)
	for _, link := range links {
		require.True(t, strings.HasPrefix(link[1], "/docs/"), link[1])
		require.NotEmpty(t, s.checked(t, get(link[1])).Raw)
	}
	start := s.ok(t, get("/docs/start.js"))
	require.Contains(t, start.Raw, "validatorUrl: null")
	require.NotContains(t, start.Raw, "http")
	require.Contains(t, s.checked(t, get("/docs/LICENSE")).Raw, "Apache License")
	require.Equal(t, 404, s.send(t, get("/docs/../app.go")).Status)
}

func TestEveryTypeOfProblemIsDescribed(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, p := range problem.Types {
		a := s.checked(t, get(problem.Base+p.Name))
		require.Contains(t, a.Raw, p.Title)
		require.Contains(t, a.Raw, p.Meaning)
	}
}
