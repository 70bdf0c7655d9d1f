// Package known holds what the client and the embedded server know of each
// other.
package known

// ServerName begins the name of every embedded server. A client that sees it
// knows that the server syncs before it acknowledges.
const ServerName = "holdfast-embedded-"
