// Package holdfast keeps speech-recognition jobs alive on file systems that
// fight back: no lock, crash, full disk or half-written file can take back a
// transcript that an engine has given.
//
// It holds no code of its own. The packages below it follow five rules:
//
//  1. One root. All files of a job, of every process that takes part, lie in
//     one directory that is validated before any engine starts (package
//     tempdir). A child process is told so by its environment and proves it.
//  2. Results leave first. A result is in the journal, on disk, before anybody
//     sees it (packages manifest and asr). Nothing that happens later, cleaning
//     up least of all, can take it back.
//  3. One retry policy. Every file operation that a lock can hit goes through
//     package retry; when that gives up, its error says the operation, the
//     path, how often and how long it was tried, and who holds the file.
//  4. Whole or absent. A file under its final name is complete.
//  5. Cleaning up never fails a job. What cannot be deleted now is left to the
//     next sweep, and reported.
//
// # Where to begin
//
// An application begins with package asr: asr.Stream takes recordings, an
// engine, a root and a journal, and yields transcripts. An engine is a package
// below asr, or any type with the three methods of asr.Transcriber; its
// example is a whole one. Packages retry, tempdir and manifest are of use
// without any speech, and retry/locktest in the unit tests of any program that
// writes files.
//
// # Two kinds of Close
//
// One that returns an error has something to say about data or a process:
// manifest.Journal.Close, asr.Transcriber's. What was acknowledged before is
// safe whatever it says. One that cannot fail a job returns none:
// tempdir.Scope.Close gives the paths that it had to leave instead.
//
// What is written piece by piece has both Commit and Close, as a transaction
// of database/sql has Commit and Rollback: manifest.Writer, retry.Pending.
// Only Commit makes the file exist; Close without it drops what was written,
// and after it does nothing. So Close is deferred, and its error may be dropped.
package holdfast
