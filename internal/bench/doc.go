// Package bench measures the library against what a user would take instead. It is a module of its own, so that nobody
// who imports the library gets the peers.
//
// In its folder:
//
//	go run ./report                                  # everything, into docs/benchmarks.md
//	go test -run '^$' -bench Replace -count 5 .      # one of them, for benchstat -col /by
//
// A benchmark's variants differ in "by=" alone and do the same work, one after the other in each round, so that all
// meet the same machine.
package bench
