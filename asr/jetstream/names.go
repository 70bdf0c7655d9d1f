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

// subject is where the result of the job goes. Each attempt has a subject of
// its own, as none can be overwritten.
func (j *job) resultSubject() string {
	s := resultSubject + "." + j.Batch + "." + j.ID
	if j.Attempt > 0 {
		s += "-" + strconv.Itoa(j.Attempt)
	}
	return s
}

func (j *job) subject(priority string) string {
	return jobSubject + "." + j.Batch + "." + priority + "." + j.ID
}

// parseResultSubject is the way back.
func parseResultSubject(subject string) (id string, attempt int, ok bool) {
	last := subject[strings.LastIndexByte(subject, '.')+1:]
	id, n, again := strings.Cut(last, "-")
	if again {
		var err error
		if attempt, err = strconv.Atoi(n); err != nil {
			return "", 0, false
		}
	}
	return id, attempt, true
}
