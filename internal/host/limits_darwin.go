package host

// Longest paths in bytes that a program may count on; 0: no limit that matters.
const (
	SocketPath = 103 // sun_path of unix(4) less its closing NUL
	MaxPath    = 0
)
