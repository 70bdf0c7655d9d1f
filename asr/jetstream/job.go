package jetstream

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/manifest"
)

// sumField is the field of an entry that gives the SHA-256 of the audio file.
const sumField = "sha256"

// job is one utterance on its way to a worker, and a line of a batch's list.
type job struct {
	Batch    string `json:"batch"`
	ID       string `json:"id"`
	Attempt  int    `json:"attempt,omitempty"`
	SHA256   string `json:"sha256"`             // of the audio file
	Uploaded bool   `json:"uploaded,omitempty"` // it is in the object store
	Cancels  int    `json:"cancels,omitempty"`  // of the batch, when the job was sent
	Entry    line   `json:"entry"`
}

// line is an entry as a string: it may hold NaN, which encoding/json does not
// take for a value.
type line struct{ manifest.Entry }

func (l line) MarshalJSON() ([]byte, error) { return json.Marshal(string(l.AppendJSON(nil))) }

func (l *line) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	return l.Entry.UnmarshalJSON([]byte(text))
}

// newJob identifies a job by what it is about, not by where in the input or on
// the disk it is: the same recording that has moved is the same job.
func newJob(batch string, e manifest.Entry, sum string) job {
	var fields []string
	for name, value := range e.Extra.All() {
		if name != sumField {
			fields = append(fields, fmt.Sprintf("%q %s", name, value))
		}
	}
	slices.Sort(fields)
	about := fmt.Sprintf("%s\n%d\n%d\n%q\n%s", sum, e.Offset, e.Duration, e.Lang, strings.Join(fields, "\n"))
	return job{Batch: batch, ID: sumOf([]byte(about))[:32], SHA256: sum, Entry: line{e}}
}

// check refuses what would make names on the server that mean something else.
func (j *job) check() error {
	if !isHex(j.ID, 32) || !isHex(j.SHA256, 64) || j.Attempt < 0 {
		return fmt.Errorf("job %q is none", j.ID)
	}
	return checkBatch(j.Batch)
}

func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}

// key is that of the result in the collector's journal.
func (j *job) key() string { return j.Batch + "." + j.ID }

// audioName is the object that holds the recording.
func (j *job) audioName() string { return "audio/" + j.Batch + "/" + j.SHA256 }

func isURL(path string) bool {
	return strings.HasPrefix(path, "http://") || strings.HasPrefix(path, "https://")
}

// givenSum is the SHA-256 that the entry itself states, "" if it does not.
func givenSum(e manifest.Entry) (string, error) {
	raw, ok := e.Extra.Get(sumField)
	if !ok {
		return "", nil
	}
	var sum string
	if err := json.Unmarshal(raw, &sum); err != nil || !isHex(sum, 64) {
		return "", fmt.Errorf("field %q is not 64 hexadecimal digits in lower case", sumField)
	}
	return sum, nil
}

// result is what came of a job.
type result struct {
	Job     string `json:"job"`
	Attempt int    `json:"attempt,omitempty"`
	Worker  string `json:"worker"`
	SHA256  string `json:"sha256,omitempty"` // of Entry: a flipped bit on the server is found
	Entry   string `json:"entry,omitempty"`  // as in a journal
	Object  string `json:"object,omitempty"` // the entry is there instead

	Error string `json:"error,omitempty"` // why there is no entry
	Cause string `json:"cause,omitempty"` // which of asr's errors that is
}

// maxInline is how long the message of a result may be: the server's limit is
// 1 MiB. A longer entry becomes an object.
const maxInline = 512 << 10

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// causes are the errors of asr that survive the journey.
var causes = map[string]error{
	"bad audio":     asr.ErrBadAudio,
	"bad model":     asr.ErrBadModel,
	"timeout":       asr.ErrTimeout,
	"no result":     asr.ErrNoResult,
	"out of memory": asr.ErrOutOfMemory,
}

func causeOf(err error) string {
	for name, cause := range causes {
		if errors.Is(err, cause) {
			return name
		}
	}
	return ""
}

// remoteError is an error that a worker has told.
type remoteError struct {
	text  string
	cause error // one of asr's, or nil
}

func (e *remoteError) Error() string { return e.text }

func (e *remoteError) Unwrap() error { return e.cause }

func (r *result) failure(path string) *asr.UtteranceError {
	return &asr.UtteranceError{ID: r.Job, Path: path, Err: &remoteError{fmt.Sprintf("%s (worker %s)", r.Error, r.Worker), causes[r.Cause]}}
}
