package tempdir

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/holdfast-go/holdfast/internal/host"
)

// owner is the record beside a scope. The lock says whether the owner lives;
// the record is for people, and for disks where another machine's lock does
// not show.
type owner struct {
	host.Process
	Label   string    `json:"label,omitempty"`
	Created time.Time `json:"created"`
	Kept    bool      `json:"kept,omitempty"` // Scope.Keep was called
	Left    bool      `json:"left,omitempty"` // Scope.Close could not remove it all; the process may live on
}

func (o owner) encode() []byte {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err) // strings, numbers and a time always encode
	}
	return append(b, '\n')
}

// randomID gives six hexadecimal digits: enough, since a name that is taken is
// noticed, and short, since sockets are made below it.
func randomID() string {
	var b [3]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// isID tells whether name is one that randomID gives.
func isID(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == 3 && hex.EncodeToString(b) == name
}
