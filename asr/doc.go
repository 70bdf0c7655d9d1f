// Package asr runs speech recognition over any number of recordings so that
// no result is lost: each transcript is in a journal, on disk, before anybody
// sees it, and a run that was interrupted goes on where it stopped.
//
// An application opens an engine, a root and a journal, and hands [Run] or
// [Stream] its recordings. [Files] makes them from names of files, folders and
// NeMo manifests. What an engine did before is found by the content of the
// recording and the engine's fingerprint, wherever the file lies now.
//
// # What a run does
//
// It copies each recording into a scope below the root, converts it to what
// engines read (ffmpeg helps where it is no WAV file), cuts what is longer than
// the engine bears at its quietest points, and hands utterances to the engine in
// batches. An engine that dies is started again and gets the unfinished
// utterances one by one; one that kills it each time is set aside. A hanging
// engine is stopped after [Options].Timeout. Whatever befalls an utterance costs
// no other one its transcript.
//
// # A further engine
//
// An engine is anything that implements the three methods of [Transcriber]. The
// run has done the rest already: an utterance is a complete WAV file of 16 kHz,
// mono, 16 bit, under a plain name. An adapter describes its engine ([Engine]),
// yields a [Transcript] or an [*UtteranceError] for each utterance under its ID,
// ends the sequence with another error, an [*EngineError] at best, when the
// engine has died, and stops its work when the context is done or the sequence is
// not read any more. Package asrtest has the test that every adapter passes, with
// a small one to begin with.
package asr
