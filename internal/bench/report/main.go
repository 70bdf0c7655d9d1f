// Report runs the benchmarks against their peers and makes docs/benchmarks.md, its charts and its raw results, which
// benchstat reads. In the folder of the module bench:
//
//	go run ./report                  # everything, 15 minutes
//	go run ./report -only Replace    # one section; the page keeps the others' earlier results
//	go run ./report -rounds 0        # the page anew, from the results that are there
//
// orjson is installed into a virtual environment in the user's cache directory. The Windows part needs Wine as
// .ci/wine.sh makes it, or Windows. The engines are those that the variables HOLDFAST_WHISPER_CLI, HOLDFAST_WHISPER_SERVER,
// HOLDFAST_NEMO_PYTHON and HOLDFAST_NEMO_MODELS name; .ci/whisper.sh and .ci/nemo.sh make them. What is missing is not
// measured, and the page keeps what it has.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	docs := flag.String("docs", filepath.Join("..", "..", "docs"), "where the page goes")
	rounds := flag.Int("rounds", 5, "how often each benchmark runs; 0: only make the page")
	only := flag.String("only", "", "run the sections whose names match this pattern")
	windows := flag.String("windows", "", "program that runs Windows programs; default: what .ci/wine.sh made")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*docs, 0o755); err != nil {
		return err
	}

	raw := filepath.Join(*docs, "benchmarks.txt")
	results, err := load(raw)
	if err != nil {
		return err
	}
	if *rounds > 0 {
		fresh, err := measure(ctx, *rounds, pattern, *windows)
		if err != nil {
			return err
		}
		results = results.replacedBy(fresh)
		if err := os.WriteFile(raw, results.text(), 0o644); err != nil {
			return err
		}
	}
	for _, s := range sections() {
		if err := os.WriteFile(filepath.Join(*docs, s.chartName()), chart(s, results), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(*docs, "benchmarks.md"), page(results), 0o644)
}
