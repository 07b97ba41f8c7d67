package telemetry

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/portico-bff/portico/edge/config"
)

// Traces says whether spans are exported, which, and where to. The variables and
// their meanings are OpenTelemetry's; [TracesNote] names those that its SDK reads itself.
type Traces struct {
	Disabled       bool   `env:"OTEL_SDK_DISABLED" doc:"true turns traces off, whatever else is set."`
	Exporter       string `env:"OTEL_TRACES_EXPORTER" doc:"otlp exports traces, none does not; when unset they are exported if an endpoint is set."`
	Endpoint       string `env:"OTEL_EXPORTER_OTLP_ENDPOINT" doc:"Base URL of the collector for OTLP over HTTP, http://localhost:4318 for example; /v1/traces is added to it."`
	TracesEndpoint string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" doc:"The whole URL that traces are posted to, in place of the base URL."`
	Protocol       string `env:"OTEL_EXPORTER_OTLP_PROTOCOL" doc:"http/protobuf, the only one that is offered."`
	TracesProtocol string `env:"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" doc:"The same for traces alone."`
	ServiceName    string `env:"OTEL_SERVICE_NAME" doc:"Name of the service in traces; portico-web or portico-mobile when unset."`
	Sampler        string `env:"OTEL_TRACES_SAMPLER" envDefault:"parentbased_always_on" doc:"always_on, always_off, traceidratio, or one of these after parentbased_, which follows the client's choice when its request carries one."`
	SamplerRatio   string `env:"OTEL_TRACES_SAMPLER_ARG" doc:"Share of traces that a traceidratio keeps, 0 to 1; all when unset."`
}

// TracesNote names the variables that OpenTelemetry's SDK reads from the process's
// environment by itself, for the documentation.
const TracesNote = "Traces are off unless an endpoint is set or `OTEL_TRACES_EXPORTER` is otlp. OpenTelemetry's SDK also reads, from the process's environment: " +
	"`OTEL_EXPORTER_OTLP_HEADERS`, `…_TIMEOUT`, `…_COMPRESSION`, `…_CERTIFICATE`, `…_CLIENT_CERTIFICATE` and `…_CLIENT_KEY`, each also as `OTEL_EXPORTER_OTLP_TRACES_…`; " +
	"`OTEL_BSP_MAX_QUEUE_SIZE`, `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, `OTEL_BSP_SCHEDULE_DELAY` and `OTEL_BSP_EXPORT_TIMEOUT`; `OTEL_RESOURCE_ATTRIBUTES`. " +
	"Trace context comes and goes as W3C `traceparent` and `tracestate`; `OTEL_PROPAGATORS` is not read."

const (
	protocol        = "http/protobuf"
	tracesPath      = "/v1/traces"
	defaultEndpoint = "http://localhost:4318" + tracesPath
)

// Validate reports every variable that cannot be used.
func (c Config) Validate() error {
	_, err := c.Traces.plan()
	return err
}

// tracesPlan is what the variables come to. Without a target traces are off.
type tracesPlan struct {
	target  string // the URL that spans are posted to
	sampler sdk.Sampler
}

func (t Traces) plan() (tracesPlan, error) {
	if t.Exporter != "" && t.Exporter != "otlp" && t.Exporter != "none" {
		return tracesPlan{}, config.Bad("OTEL_TRACES_EXPORTER", "must be otlp or none")
	}
	if t.Disabled || t.Exporter == "none" || t.Exporter+t.Endpoint+t.TracesEndpoint == "" {
		return tracesPlan{}, nil
	}
	target, err1 := t.target()
	sampler, err2 := t.sampler()
	return tracesPlan{target: target, sampler: sampler}, errors.Join(err1, err2, t.checkProtocol())
}

func (t Traces) checkProtocol() error {
	name, value := "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", t.TracesProtocol
	if value == "" {
		name, value = "OTEL_EXPORTER_OTLP_PROTOCOL", t.Protocol
	}
	if value != "" && value != protocol {
		return config.Bad(name, "must be "+protocol)
	}
	return nil
}

func (t Traces) target() (string, error) {
	switch {
	case t.TracesEndpoint != "":
		u, err := collector("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", t.TracesEndpoint)
		if err != nil {
			return "", err
		}
		return u.String(), nil
	case t.Endpoint != "":
		u, err := collector("OTEL_EXPORTER_OTLP_ENDPOINT", t.Endpoint)
		if err != nil {
			return "", err
		}
		return u.JoinPath(tracesPath).String(), nil
	default:
		return defaultEndpoint, nil
	}
}

// collector never repeats the URL in its errors: it may hold a password by mistake.
func collector(variable, value string) (*url.URL, error) {
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return nil, config.Bad(variable, "cannot be parsed")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, config.Bad(variable, "must begin with http:// or https://")
	case u.Hostname() == "":
		return nil, config.Bad(variable, "names no host")
	case u.User != nil:
		return nil, config.Bad(variable, "must not hold credentials: OTEL_EXPORTER_OTLP_HEADERS carries them")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, config.Bad(variable, "must have neither query nor fragment")
	}
	return u, nil
}

// samplers are the names that OTEL_TRACES_SAMPLER knows, without parentbased_.
var samplers = []string{"always_on", "always_off", "traceidratio"}

func (t Traces) sampler() (sdk.Sampler, error) {
	name, byParent := strings.CutPrefix(t.Sampler, "parentbased_")
	if t.Sampler == "" {
		name, byParent = "always_on", true
	}
	if !slices.Contains(samplers, name) {
		return nil, config.Bad("OTEL_TRACES_SAMPLER", "must be one of "+strings.Join(samplers, ", ")+", also after parentbased_")
	}
	sampler := sdk.AlwaysSample()
	switch name {
	case "always_off":
		sampler = sdk.NeverSample()
	case "traceidratio":
		ratio, err := t.ratio()
		if err != nil {
			return nil, err
		}
		sampler = sdk.TraceIDRatioBased(ratio)
	}
	if byParent {
		sampler = sdk.ParentBased(sampler)
	}
	return sampler, nil
}

func (t Traces) ratio() (float64, error) {
	if t.SamplerRatio == "" {
		return 1, nil
	}
	ratio, err := strconv.ParseFloat(t.SamplerRatio, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		return 0, config.Bad("OTEL_TRACES_SAMPLER_ARG", "must be a number from 0 to 1")
	}
	return ratio, nil
}

// resource is what every span of the process says of it: the service, the SDK and
// OTEL_RESOURCE_ATTRIBUTES.
func (t Traces) resource(channel string) (*resource.Resource, error) {
	options := []resource.Option{
		resource.WithAttributes(attribute.String("service.name", "portico-"+channel)),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv(),
	}
	if t.ServiceName != "" {
		options = append(options, resource.WithAttributes(attribute.String("service.name", t.ServiceName)))
	}
	found, err := resource.New(noContext, options...)
	if err != nil {
		return nil, config.Bad("OTEL_RESOURCE_ATTRIBUTES", "must be a list of key=value pairs, separated by commas")
	}
	return found, nil
}
