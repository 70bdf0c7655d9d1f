// Package whispercpp runs whisper.cpp's command-line program as an engine, one
// process per recording: a crash costs one file, to cancel is to kill, and beam
// search gives the same text each time (in a process that lives on it does
// not). The weights come from a ggml file; [Fetcher] finds or fetches them.
//
// The program's exit code is only a hint, for it is 0 after many failures. A
// transcript counts when the program's output file is there, complete, and
// that of the model that was asked for.
package whispercpp
