// Package holdfast keeps speech-recognition jobs alive on file systems that
// fight back. It holds no code of its own: see the packages below it.
package holdfast
