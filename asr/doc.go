// Package asr runs speech recognition over any number of recordings so that
// no result is lost: each transcript is in a journal, on disk, before anybody
// sees it, and a run that was interrupted goes on where it stopped.
//
// An application opens an engine, a root and a journal, and hands [Run] or
// [Stream] its recordings. [Files] makes them from names of files, folders and
// NeMo manifests. An engine is anything that implements [Transcriber].
package asr
