// Package proc runs a child process together with everything that the child
// starts: its pipes are always drained, its tree ends when it ends, when the
// context ends, and, as far as the system can do that, when this process is
// killed.
//
// How a tree is kept together:
//
//   - Windows: a Job Object that the system closes with our process, entered
//     before the child runs its first instruction. Nothing gets out of it.
//   - Linux: a process group, and a mark in the environment by which processes
//     are found that have left the group. If we are killed, the system kills the
//     child (PR_SET_PDEATHSIG) but not the child's children.
//   - other Unix: a process group.
//
// What is missing on Unix, the end of the whole tree when we are killed, takes a
// Guardian: a second copy of this program between us and the child, which the
// program must offer in its main function.
package proc
