package graphhttp

import (
	"context"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/generated"
)

// decider decides about documents as the transport does, with nothing kept.
type decider struct {
	Limits
	exec   *executor.Executor
	schema *ast.Schema
}

func newDecider() decider {
	schema := generated.NewExecutableSchema(generated.Config{})
	d := decider{DefaultLimits, executor.New(schema), schema.Schema()}
	d.exec.SetParserTokenLimit(d.Tokens)
	d.exec.SetDisableSuggestion(true)
	return d
}

// decide answers how far a document came: 0 refused before the parser, 1 by the parser
// or validation, 2 accepted.
func (d decider) decide(document string, variables map[string]any) int {
	if d.Check(document) != nil {
		return 0
	}
	ctx := graphql.StartOperationTrace(context.Background())
	oc, errs := d.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: variables})
	if errs != nil || d.checkArguments(d.schema, oc) != nil || d.price(oc) != nil {
		return 1
	}
	return 2
}

// spent is the CPU time of this thread.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkW3_Decision decides about 10⁵ documents and fails when one of them takes more
// than 10 ms of CPU time.
func BenchmarkW3_Decision(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const most = 10 * time.Millisecond
	d := newDecider()
	for b.Loop() {
		var worst time.Duration
		var total time.Duration
		var which int
		came := map[int]int{}
		for n := range 100_000 {
			doc := hostileDocument(n)
			least := time.Hour
			for range 3 { // what others do on the machine is not the document's fault
				before := spent()
				how := d.decide(doc, nil)
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
				b.Errorf("document %d (shape %d) takes %v", n, n%len(shapes), least)
			}
		}
		b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
		b.ReportMetric(float64(total.Microseconds())/100_000, "mean-µs")
		b.Logf("worst: document %d (shape %d); refused before the parser %d, by validation %d, accepted %d", which, which%len(shapes), came[0], came[1], came[2])
	}
}
