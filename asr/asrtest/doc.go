// Package asrtest tests engines for package asr, and stands in for one.
//
// [Run] is what an adapter has to pass. It opens the engine as its [Harness]
// says and tries everything that the contract of [asr.Transcriber] promises to
// the runner: that each utterance gets its own answer and none is skipped, that
// damaged recordings fail alone, that an engine stops when it is told to and
// works again after it was killed, that times lie within the recording, and
// that nothing is left behind: no process, no goroutine, no open file, nothing
// outside the root.
//
//	func TestConformance(t *testing.T) {
//		asrtest.Run(t, asrtest.Harness{
//			Open: func(t *testing.T, root *tempdir.Root) asr.Transcriber {
//				engine, err := mine.Open(t.Context(), mine.Config{Root: root, Words: true})
//				if err != nil {
//					t.Fatal(err)
//				}
//				return engine
//			},
//			Speech:  []asrtest.Clip{{Path: "testdata/hello.wav", Text: "hello"}, {Path: "testdata/bye.wav", Text: "goodbye"}},
//			NoOther: "it has no options",
//		})
//	}
//
// An adapter usually works like this; the example of Run is one in full.
//
//   - Open checks what can be checked and makes a scope of the root, in which
//     everything lies that the engine writes. A child process runs under
//     tempdir.Scope.Env, which tells it so.
//   - Transcribe looks at each recording with asr.Inspect first, since engines
//     read a damaged one as far as it goes and say nothing. It yields a
//     transcript or an asr.UtteranceError for each utterance, by its ID.
//   - An engine that dies gives any other error and ends the sequence. The next
//     call starts it again.
//   - When yield returns false or ctx ends, Transcribe stops the engine, waits
//     for it, and returns.
//   - Close ends all processes, then closes the scope.
//
// [NewFake] is an engine for the tests of applications: it answers what its
// script says, without a process, also in a bubble of testing/synctest.
package asrtest
