// Package jsonl reads and writes lines of JSON: it cuts a stream into lines,
// checks a value strictly while finding its end, and writes strings that a
// reader in any locale understands.
//
// It accepts what Python's json module writes beyond the standard (NaN,
// Infinity and -Infinity) and nothing else that RFC 8259 forbids: control
// characters and invalid UTF-8 in strings, leading zeros and text after a
// value are errors.
package jsonl
