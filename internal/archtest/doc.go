// Package archtest holds the rules of this repository as tests: what may import what, who may write files, what has
// to be documented, how large a public package may get. It has tests only. Each rule is one function over the parsed
// tree, and testdata/rules has a small tree that breaks it.
//
// testdata/api lists what each public package exports, so that a new export is seen in review:
//
//	go test ./internal/archtest -update
package archtest
