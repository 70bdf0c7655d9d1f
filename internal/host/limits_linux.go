package host

// Longest paths in bytes that a program may count on; 0: no limit that matters.
const (
	SocketPath = 107 // sun_path of unix(7) less its closing NUL
	MaxPath    = 0
)
