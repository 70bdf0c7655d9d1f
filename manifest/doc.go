// Package manifest reads and writes the manifests of NVIDIA NeMo: one JSON
// object a line, each an utterance with its audio file and, where there is
// one, its text. [Load] and [Save] do it with whole files, [Read] and [Create]
// entry by entry. A [Journal] is a manifest that grows: it keeps each result on
// disk as it comes, whatever happens next.
//
// Fields that [Entry] has no name for are kept, in their order and byte for
// byte, so that a manifest that passes through loses nothing. What is written
// is ASCII alone, because NeMo opens manifests with the encoding of the
// locale.
package manifest
