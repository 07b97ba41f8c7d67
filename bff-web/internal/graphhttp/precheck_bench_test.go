package graphhttp

import (
	"context"
	"encoding/json"
	"flag"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/generated"
)

// decider decides about requests as the transport does, with nothing kept.
type decider struct {
	transport Transport
	exec      *executor.Executor
}

func newDecider() decider {
	schema := generated.NewExecutableSchema(generated.Config{})
	d := decider{Transport{Schema: schema.Schema(), Limits: DefaultLimits}, executor.New(schema)}
	d.exec.SetParserTokenLimit(DefaultLimits.Tokens)
	d.exec.SetDisableSuggestion(true)
	d.exec.SetDefaultRulesFn(graph.Rules)
	d.exec.SetErrorPresenter((&graph.Resolver{}).Present)
	return d
}

// decision is how far a request came.
type decision int

const (
	unread  decision = iota // its body was refused
	byText                  // refused before the parser
	byRules                 // by the parser, by validation, or by its arguments
	accepted
)

// decide takes a body from its bytes to what is executed, or to the bytes of a refusal.
func (d decider) decide(body []byte) decision {
	p, err := decode(body)
	if err != nil {
		return unread
	}
	_ = canonical(p.Variables) // what answers are kept by
	ctx := graphql.StartOperationTrace(context.Background())
	if d.transport.Limits.Check(p.Query) != nil {
		return byText
	}
	d.transport.Checked = lru.New[bool](1)
	oc, errs := d.transport.prepare(ctx, d.exec, &p.RawParams)
	if len(errs) == 0 {
		return accepted
	}
	response := d.exec.DispatchError(graphql.WithOperationContext(ctx, oc), errs)
	_, _ = render(document{Errors: response.Errors})
	return byRules
}

// request is the n-th hostile request: a document, or a body that is hostile itself.
func request(n int) []byte {
	if n%10 == 0 {
		return hostileBody(n)
	}
	body, err := json.Marshal(map[string]string{"query": hostileDocument(n)})
	if err != nil {
		panic(err)
	}
	return body
}

// spent is the CPU time of this thread.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

var hostileRequests = flag.Int("hostile-requests", 20_000, "how many requests that are built to cost much BenchmarkW3_Decision decides about")

// BenchmarkW3_Decision decides about hostile requests and fails when one of them takes
// more than 10 ms of CPU time.
func BenchmarkW3_Decision(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const most = 10 * time.Millisecond
	d := newDecider()
	for b.Loop() {
		var worst time.Duration
		var total time.Duration
		var which int
		came := map[decision]int{}
		for n := range *hostileRequests {
			body := request(n)
			least := time.Hour
			for range 3 { // what others do on the machine is not the document's fault
				before := spent()
				how := d.decide(body)
				least = min(least, spent()-before)
				if least < most/2 {
					came[how]++
					break
				}
			}
			total += least
			if least > worst {
				worst, which = least, n
			}
			if least > most {
				b.Errorf("request %d (shape %d) takes %v: %.200s", n, n%len(shapes), least, body)
			}
		}
		b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
		b.ReportMetric(float64(total.Microseconds())/float64(*hostileRequests), "mean-µs")
		b.Logf("worst: request %d (shape %d); refused by their bodies %d, before the parser %d, by validation %d, accepted %d", which, which%len(shapes), came[unread], came[byText], came[byRules], came[accepted])
	}
}
