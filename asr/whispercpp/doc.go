// Package whispercpp runs whisper.cpp as an engine. The weights come from a ggml
// file; [Fetcher] finds or fetches them, and the program.
//
// By default each recording gets a process of whisper-cli: a crash costs one
// recording, to cancel is to kill, segments are heard while they are made, and
// beam search gives the same text each time. Programs from May 2024 on will do.
// Their exit code is only a hint, for it is 0 after many failures. A transcript
// counts when the program's output file is there, complete, and that of the
// model that was asked for.
//
// With Config.Server processes of whisper-server stay and keep the model, which
// saves its loading for each recording. They listen on the loopback interface
// only, under a path that nobody can guess, and each has one recording at a
// time. One that crashes is started again by the next call; where a call is
// cancelled, its process is ended.
//
// A recording has to be 16 kHz, mono, 16-bit PCM WAV and complete, as package
// asr makes it: whisper.cpp reads a damaged one as far as it goes.
//
// What fails is told apart. An *asr.UtteranceError is about one recording. An
// *asr.EngineError is about the engine, which the next call starts again; it is
// Fatal where that cannot help, as with a model that it refuses.
package whispercpp
