// Package nemo runs models of NVIDIA NeMo in a Python process that stays warm:
// it is started by the first call of [Transcriber.Transcribe], loads the model
// once, and lives until [Transcriber.Close].
//
// NeMo loses transcripts where a file cannot be deleted while somebody has it
// open, as on Windows: it writes a manifest of its own for every call, and if
// that cannot be removed, the error hides the real one and takes every result
// of the call along. The process that this package starts gives NeMo no
// occasion: audio goes in as arrays, nothing that concerns a temporary file can
// raise, a batch that fails is tried again item by item, and each result leaves
// the process before the next is begun. All files of the process lie in the
// root that the configuration names; it proves so before it imports anything,
// and refuses to work elsewhere.
//
// It takes a Python of 3.10 or newer with nemo_toolkit[asr]; what was measured
// here was measured on 3.0.0.
package nemo
