package edge

import (
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"github.com/portico-bff/portico/connectors"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/schema/commerce"
)

// Systems are the upstreams that were configured, and which port comes from which.
// Ports that have the same kind and the same settings share one connector.
type Systems struct {
	list  []system
	of    map[string]int  // port → index in list
	asked map[string]bool // ports with a <PORT>_KIND of their own
	errs  []error         // of reading
}

type system struct {
	name     string // of the role or port whose variables configure it: "PIM"
	settings connectors.Settings
}

// readSystems reads every role's and port's variables. The error joins all that is wrong.
func readSystems(vars map[string]string) (Systems, error) {
	s := Systems{of: map[string]int{}, asked: map[string]bool{}}
	byRole := map[string]int{}
	for _, role := range roles {
		if i, ok := s.read(vars, role); ok {
			byRole[role] = i
		}
	}
	for _, p := range ports {
		i, ok := byRole[p.role]
		if own, set := s.own(vars, p); set {
			i, ok = own, own >= 0
		}
		if ok {
			s.of[p.name] = i
			s.asked[p.name] = vars[p.name+"_KIND"] != ""
		}
	}
	err := errors.Join(s.errs...)
	s.errs = nil
	return s, err
}

// read adds the system that a role's variables name; without <ROLE>_KIND there is none.
func (s *Systems) read(vars map[string]string, role string) (int, bool) {
	name := vars[role+"_KIND"]
	if name == "" {
		if vars[role+"_BASE_URL"] != "" {
			s.errs = append(s.errs, config.Bad(role+"_KIND", "is required with "+role+"_BASE_URL"))
		}
		return 0, false
	}
	kind, err := connectors.Find(name)
	if err != nil {
		s.errs = append(s.errs, config.Bad(role+"_KIND", err.Error()))
		return 0, false
	}
	settings, err := kind.Read(func(target any) error { return config.DecodeMap(vars, role+"_", target) })
	if err != nil {
		s.errs = append(s.errs, err)
		return 0, false
	}
	return s.add(role, settings), true
}

// own adds the system that a port's own variables name; set tells whether it has
// any, and the index is negative when they are wrong. What they leave open is the
// role's, except that a role's secrets do not follow to another address.
func (s *Systems) own(vars map[string]string, p port) (index int, set bool) {
	name := vars[p.name+"_KIND"]
	explicit := name != ""
	if !explicit {
		name = vars[p.role+"_KIND"]
	}
	if p.name == p.role || name == "" {
		return 0, false
	}
	kind, err := connectors.Find(name)
	if err != nil {
		if explicit {
			s.errs = append(s.errs, config.Bad(p.name+"_KIND", err.Error()))
		}
		return -1, explicit
	}
	joined, overrides := overlay(vars, p, kind)
	if !explicit && !overrides {
		return 0, false
	}
	settings, err := kind.Read(func(target any) error { return config.DecodeMap(joined, p.name+"_", target) })
	if err != nil {
		s.errs = append(s.errs, notInherited(vars, joined, err)...)
		return -1, true
	}
	return s.add(p.name, settings), true
}

// overlay is a kind's variables under the port's name: the port's own, else the role's.
func overlay(vars map[string]string, p port, kind connectors.Kind) (joined map[string]string, overrides bool) {
	joined = map[string]string{}
	elsewhere := vars[p.name+"_BASE_URL"] != "" && vars[p.name+"_BASE_URL"] != vars[p.role+"_BASE_URL"]
	for _, f := range config.Fields(kind.Config) {
		own := vars[p.name+"_"+f.Key]
		overrides = overrides || own != ""
		if own == "" && (!f.Secret || !elsewhere) {
			own = vars[p.role+"_"+f.Key]
		}
		joined[p.name+"_"+f.Key] = own
	}
	return joined, overrides
}

// notInherited leaves out the errors about values that are the role's: they were
// reported for the role already.
func notInherited(vars, joined map[string]string, err error) []error {
	list := []error{err}
	if many, ok := errors.AsType[joinedError](err); ok {
		list = many.Unwrap()
	}
	return slices.DeleteFunc(slices.Clone(list), func(err error) bool {
		bad, ok := errors.AsType[*config.Error](err)
		return ok && vars[bad.Variable] == "" && joined[bad.Variable] != ""
	})
}

// joinedError is what errors.Join makes.
type joinedError interface {
	error
	Unwrap() []error
}

// add answers the index of the system with these settings. A new one is opened
// once on trial, which calls nothing, so that what its kind refuses is reported
// together with everything else.
func (s *Systems) add(name string, settings connectors.Settings) int {
	for i, known := range s.list {
		if known.settings.Kind == settings.Kind && reflect.DeepEqual(known.settings.Config, settings.Config) {
			return i
		}
	}
	sys := system{name: name, settings: settings}
	if _, err := sys.open(transport.Deps{Log: slog.New(slog.DiscardHandler)}); err != nil {
		s.errs = append(s.errs, err)
	}
	s.list = append(s.list, sys)
	return len(s.list) - 1
}

func (s system) open(deps transport.Deps) (commerce.Ports, error) {
	ports, err := s.settings.Open(deps)
	if err != nil {
		return commerce.Ports{}, s.named(err)
	}
	return ports, nil
}

// named gives each bad setting in err the whole name of its variable.
func (s system) named(err error) error {
	if many, ok := errors.AsType[joinedError](err); ok {
		var list []error
		for _, one := range many.Unwrap() {
			list = append(list, s.named(one))
		}
		return errors.Join(list...)
	}
	if bad, ok := errors.AsType[*transport.SettingError](err); ok {
		return config.Bad(s.name+"_"+bad.Variable, bad.Problem)
	}
	return config.Bad(s.name, "("+s.settings.Kind+"): "+err.Error())
}

// Unconfigured lists the roles that no system was named for.
func (s Systems) Unconfigured() []string {
	return slices.DeleteFunc(slices.Clone(roles), func(role string) bool {
		return slices.ContainsFunc(ports, func(p port) bool {
			_, ok := s.of[p.name]
			return ok && p.role == role
		})
	})
}

// connect opens every system once and joins their ports. Ports that nobody offers
// answer ErrUnavailable.
func (s Systems) connect(deps transport.Deps) (commerce.Ports, error) {
	opened := make([]commerce.Ports, len(s.list))
	var errs []error
	for i, sys := range s.list {
		var err error
		deps.Role = strings.ToLower(sys.name)
		opened[i], err = sys.open(deps)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return commerce.Ports{}, err
	}
	return s.join(opened)
}

// idle reports each role whose kind offers none of the ports that were left to it.
func (s Systems) idle(opened []commerce.Ports) []error {
	var errs []error
	for _, role := range roles {
		kind, useful := "", false
		for _, p := range ports {
			if i, ok := s.of[p.name]; ok && p.role == role && !s.asked[p.name] {
				kind, useful = s.list[i].settings.Kind, useful || p.offered(&opened[i])
			}
		}
		if kind != "" && !useful {
			errs = append(errs, config.Bad(role+"_KIND", "names a kind ("+kind+") that offers none of the role's ports"))
		}
	}
	return errs
}

func (s Systems) join(opened []commerce.Ports) (commerce.Ports, error) {
	joined := commerce.Ports{Traits: map[commerce.Operation]commerce.Traits{}}
	errs := s.idle(opened)
	for _, p := range ports {
		i, ok := s.of[p.name]
		switch {
		case ok && s.asked[p.name] && !p.offered(&opened[i]):
			errs = append(errs, config.Bad(p.name+"_KIND", "names a kind ("+s.list[i].settings.Kind+") that does not offer this port"))
		case ok:
			p.join(&joined, opened[i])
		case p.role == "": // whoever offers it
			for _, from := range opened {
				p.join(&joined, from)
			}
		}
	}
	fill(&joined)
	return joined, errors.Join(errs...)
}
