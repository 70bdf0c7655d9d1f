package host

// Longest paths in bytes that a program may count on; 0: no limit that matters.
const (
	SocketPath = 0   // Python uses named pipes instead
	MaxPath    = 259 // MAX_PATH less its closing NUL, for programs without long-path support
)
