package host

import "os"

// Process names one process on one machine, so that a record of it cannot be
// taken for a later process with the same number.
type Process struct {
	Host  string `json:"host"`
	Boot  string `json:"boot,omitempty"` // changes with each start of the machine; "" where unknown
	PID   int    `json:"pid"`
	Start string `json:"start,omitempty"` // when the process began, in the system's own unit; "" where unknown
}

// Self names this process.
func Self() Process {
	p := Process{Boot: bootID(), PID: os.Getpid()}
	p.Host, _ = os.Hostname()
	p.Start, _ = processStart(p.PID)
	return p
}

// Liveness is what can be said about a recorded process.
type Liveness uint8

const (
	Unknown Liveness = iota // another machine's process, or the system would not tell
	Alive
	Dead
)

// Of tells whether p still runs. A process that has the number but another
// start time is not p.
func Of(p Process) Liveness {
	self := Self()
	if p.Host == "" || p.Host != self.Host {
		return Unknown
	}
	if p.Boot != "" && self.Boot != "" && p.Boot != self.Boot {
		return Dead
	}
	start, state := processStart(p.PID)
	if state != Alive {
		return state
	}
	if p.Start != "" && start != "" && p.Start != start {
		return Dead
	}
	return Alive
}
