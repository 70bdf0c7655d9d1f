package jetstream

import (
	"fmt"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/holdfast-go/holdfast/asr"
)

// maxFailures is how many an error holds; reports count all of them.
const maxFailures = 100

// failures joins what ended a call, if anything did, with the utterances that
// failed.
func failures(err error, failed []*asr.UtteranceError) error {
	if len(failed) == 0 {
		return err
	}
	var all *multierror.Error
	if err != nil {
		all = multierror.Append(all, err)
	}
	for _, one := range failed[:min(len(failed), maxFailures)] {
		all = multierror.Append(all, one)
	}
	all.ErrorFormat = func(errs []error) string {
		if len(errs) == 1 {
			return errs[0].Error()
		}
		const shown = 5
		lines := []string{fmt.Sprintf("%d utterances failed", len(failed))}
		for _, err := range errs[:min(shown, len(errs))] {
			lines = append(lines, "  - "+err.Error())
		}
		if more := len(errs) - shown; more > 0 {
			lines = append(lines, fmt.Sprintf("  and %d more", more))
		}
		return strings.Join(lines, "\n")
	}
	return all.ErrorOrNil()
}
