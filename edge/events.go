package edge

import (
	"crypto/rand"
	"os"
	"strconv"
	"strings"

	"github.com/portico-bff/portico/connectors"
	"github.com/portico-bff/portico/edge/events"
)

// changes makes the service that takes the systems' change events, or nil when none is configured.
func (b *Backend) changes() (*events.Service, error) {
	return events.New(b.Config.Events, events.Deps{
		Mappers: b.Config.Systems.mappers(), Invalidate: b.cache.Invalidate, Redis: b.cache.Redis(),
		Consumer: processName(), Log: b.Log, Meter: b.Telemetry.Meter(),
	})
}

// mappers are what is known of the events of each role and port, by its name in lower case.
func (s Systems) mappers() map[string]events.Mapper {
	known := map[string]events.Mapper{}
	add := func(name string, i int) {
		kind := s.list[i].settings.Kind
		found, err := connectors.Find(kind)
		if _, taken := known[name]; name != "" && !taken && err == nil {
			known[name] = events.Mapper{Kind: kind, Changes: found.Changes}
		}
	}
	for i, sys := range s.list {
		add(strings.ToLower(sys.name), i)
	}
	for _, p := range ports {
		if i, ok := s.of[p.name]; ok {
			add(strings.ToLower(p.name), i)
			if !s.asked[p.name] {
				add(strings.ToLower(p.role), i)
			}
		}
	}
	return known
}

// processName tells this process, and this backend of it, from all others.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	const enough = 6
	return host + "-" + strconv.Itoa(os.Getpid()) + "-" + rand.Text()[:enough]
}
