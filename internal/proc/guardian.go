package proc

// Guardian is proof that this program can be its own guardian: a second copy of
// it that stands between us and a child, sees by the end of a pipe that we have
// gone, even by kill -9, and then ends the child and all that the child has
// started. On Linux nothing escapes it, for it adopts every orphan of the tree
// (PR_SET_CHILD_SUBREAPER). On Windows it is not needed and costs nothing.
type Guardian struct{ exe string }

// GuardianMain must be the first call in main of a program that wants guardians.
// In a copy of the program that was started as a guardian it does not return.
func GuardianMain() *Guardian { return guardianMain() }
