// Package retry does file operations that survive the locks of virus scanners, indexers and sync clients.
//
// On Windows a file that somebody else has open can often not be opened, renamed, replaced or removed, and the
// error (5, 32, 33, 145 …) is mostly gone a moment later. [FS] tries such an operation again for up to ten
// seconds, tells these errors from those that stay, and says who holds the file when it gives up. Its zero value
// works:
//
//	var files retry.FS
//	err := files.WriteFile(ctx, "manifest.json", data)
//
// [FS] is to files what http.Client is to HTTP: a concrete value with a policy and one interceptor through which
// every attempt passes. Below it is always the real file system.
//
// # What is promised
//
//   - A cancelled context modifies nothing. No wait passes the budget, and the last try is made at its end.
//   - [FS.WriteFile] and [Pending] put a file in its place whole or not at all, and durably once they return nil.
//     The target is never removed first.
//   - A sync is never tried again: after a failed one the next can report success with the data gone.
//   - Files and directories are private (0600, 0700) unless [FS.Public] says otherwise.
//   - When nothing goes wrong the retry costs nothing: it begins after the first failure.
package retry
