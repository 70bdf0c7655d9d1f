package jetstream

import (
	"fmt"
	"strconv"
	"strings"
)

// Names on the server.
const (
	jobsStream    = "HF_JOBS"
	resultsStream = "HF_RESULTS"
	batchesBucket = "hf_batches"
	filesBucket   = "hf_files"

	jobSubject    = "hf.job"
	resultSubject = "hf.res"

	urgent = "urgent"
	normal = "normal"
)

// checkBatch refuses a name that could not be part of a subject: the server
// takes '.', '*', '>' and the like without complaint, as something else.
func checkBatch(batch string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	if batch == "" || len(batch) > 64 || strings.Trim(batch, allowed) != "" {
		return fmt.Errorf("batch name %q: use 1 to 64 letters, digits, _ and -", batch)
	}
	return nil
}

// token names one attempt of the job in subjects. Each attempt has a result of
// its own, as none can be overwritten.
func (j *job) token() string {
	if j.Attempt == 0 {
		return j.ID
	}
	return j.ID + "-" + strconv.Itoa(j.Attempt)
}

func (j *job) subject(priority string) string {
	return jobSubject + "." + j.Batch + "." + priority + "." + j.token()
}

func (j *job) resultSubject() string {
	return resultSubject + "." + j.Batch + "." + j.token()
}

// lastToken is the token of a subject.
func lastToken(subject string) string {
	return subject[strings.LastIndexByte(subject, '.')+1:]
}

// parseToken is the way back.
func parseToken(token string) (id string, attempt int, ok bool) {
	id, n, again := strings.Cut(token, "-")
	if again {
		var err error
		if attempt, err = strconv.Atoi(n); err != nil {
			return "", 0, false
		}
	}
	return id, attempt, true
}
