// Command bench measures both channels beside a plain aggregator that makes the same
// calls and answers the same, in the same run: B1 to B7 and M9 of docs/benchmarks.md,
// whose section it writes. `make bench` builds and runs it. What is asked are stubs that replay
// what the imitated systems answered, at next to no cost.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	var o options
	as := flag.String("as", "", "what this process is: systems or plain; empty measures")
	addr := flag.String("addr", "", "where it listens")
	systems := flag.String("systems", "", "base URL of the systems")
	recording := flag.String("recording", "", "file with the recording")
	flag.StringVar(&o.bin, "bin", "bin", "folder with the built channels")
	flag.StringVar(&o.docs, "docs", "", "file whose section is written anew; empty only prints")
	flag.StringVar(&o.only, "only", "", "measure only these, separated by commas: B1,B2,…")
	flag.Float64Var(&o.scale, "scale", 1, "share of the usual length")
	flag.Func("set", "a setting of both channels beside those that are shipped, NAME=value; may be repeated, for trials", func(text string) error {
		o.settings = append(o.settings, text)
		return nil
	})
	flag.StringVar(&o.profiles, "profiles", "", "folder to write profiles of each channel's arm to: of processor time and of allocations")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch *as {
	case "systems":
		err = runStub(ctx, *addr, *recording)
	case "plain":
		err = runBaseline(ctx, *addr, *systems, *recording)
	default:
		err = measure(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
