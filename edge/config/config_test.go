package config_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/schema/commerce"
)

type nested struct {
	Wait  time.Duration `env:"WAIT" envDefault:"2s" doc:"How long."`
	Count int           `env:"COUNT" envDefault:"3" doc:"How many | at most."`
}

type settings struct {
	nested
	Nested nested          `envPrefix:"IN_"`
	URL    string          `env:"URL,required,notEmpty" doc:"Where."`
	Key    commerce.Secret `env:"KEY,required,notEmpty" doc:"The key."`
	List   []string        `env:"LIST" doc:"Some."`
	On     bool            `env:"ON" doc:"Whether."`
	Level  slog.Level      `env:"LEVEL" envDefault:"info" doc:"Least level."`
}

// Outer has its embedded part exported, as kinds of systems have.
type Outer struct {
	Nested nested
	URL    string `env:"URL" doc:"Where."`
}

func TestDecodeFillsDefaultsAndValues(t *testing.T) {
	t.Parallel()
	var s settings
	err := config.Decode([]string{
		"X_URL=http://a", "X_KEY=k", "X_LIST=a,b", "X_ON=true", "X_IN_WAIT=5s", "X_LEVEL=", "URL=other", "broken",
	}, "X_", &s)
	require.NoError(t, err)
	assert.Equal(t, "http://a", s.URL)
	assert.Equal(t, []string{"a", "b"}, s.List)
	assert.Equal(t, 5*time.Second, s.Nested.Wait)
	assert.Equal(t, 3, s.Nested.Count)
	assert.True(t, s.On)
	assert.Equal(t, slog.LevelInfo, s.Level, "an empty variable counts as not set")
}

func TestDecodeReportsEveryBadVariableByNameOnly(t *testing.T) {
	t.Parallel()
	var s settings
	err := config.Decode([]string{
		"X_IN_WAIT=hunter2", "X_IN_COUNT=canary", "X_ON=perhaps", "X_LEVEL=loud", "X_KEY=",
	}, "X_", &s)
	require.Error(t, err)
	assert.Equal(t, `X_IN_WAIT must be a duration such as 1.5s or 200ms
X_IN_COUNT must be a whole number
X_URL is required
X_KEY is required
X_ON must be true or false
X_LEVEL must be debug, info, warn or error`, err.Error())
	bad, ok := errors.AsType[*config.Error](err)
	require.True(t, ok)
	assert.Equal(t, "X_IN_WAIT", bad.Variable)
}

func TestDocRendersTables(t *testing.T) {
	t.Parallel()
	doc := config.Doc(config.Section{Title: "One", Prefix: "X_", Note: "A note.", Config: &settings{}})
	assert.Equal(t, "### One\n\nA note.\n\n| variable | default | meaning |\n| --- | --- | --- |\n"+
		"| `X_IN_WAIT` | `2s` | How long. |\n"+
		"| `X_IN_COUNT` | `3` | How many \\| at most. |\n"+
		"| `X_URL` | *required* | Where. |\n"+
		"| `X_KEY` | *required* | The key. **Secret.** |\n"+
		"| `X_LIST` |  | Some. |\n"+
		"| `X_ON` |  | Whether. |\n"+
		"| `X_LEVEL` | `info` | Least level. |\n", doc)
}

func TestEffectiveHidesSecrets(t *testing.T) {
	t.Parallel()
	s := settings{URL: "http://user:canary1@host/", Key: "canary2"}
	text := slog.GroupValue(config.Effective("X_", s)...).String()
	assert.NotContains(t, text, "canary")
	assert.Contains(t, text, "X_KEY=[hidden]")
	assert.Contains(t, text, "X_IN_WAIT=0s")
}

func TestFieldsWalkExportedParts(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, f := range config.Fields(Outer{}) {
		keys = append(keys, f.Key)
	}
	assert.Equal(t, []string{"WAIT", "COUNT", "URL"}, keys)
}
