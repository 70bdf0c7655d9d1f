// Package tempdir gives a job one validated directory for everything that it
// and its child processes write.
//
// A [Root] is checked before any engine starts: that it can be written, locked
// and renamed in, that nobody else can reach into it, that it is not in a
// synchronised folder, and that its name survives the engines' own parsing.
// A [Scope] is one job's locked directory inside it. What a dead process left
// behind is taken by [Root.Sweep]; what a live one uses never is.
//
// A root looks like this:
//
//	DIR/.holdfast            marks the directory as a root
//	DIR/s/ID/                a job's directory (a scope)
//	DIR/s/ID.lock            locked while the job's process lives
//	DIR/s/ID.json            which process that is
//	DIR/cache/NAME/          kept from job to job
//
// Files of the user that lie in DIR too are never touched.
package tempdir
