// Package host answers questions about the machine: which volume a path lies
// on, who a directory belongs to, and whether a recorded process still runs.
// It only reads; package sysfs is the one that writes.
package host
