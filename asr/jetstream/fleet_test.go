package jetstream_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr/jetstream"
)

func TestSubmitWorkCollect(t *testing.T) {
	o := newOffice(t, jetstream.Config{})
	entries := o.record(0, 20)
	require.Equal(t, jetstream.Submitted{Total: 20, Sent: 20}, o.submit("talks", entries, jetstream.SubmitOptions{}))
	stop := o.work(&fake{}, jetstream.WorkOptions{})
	report, err := o.collect("talks")
	require.NoError(t, err)
	require.Equal(t, 20, report.Done)
	require.Equal(t, numbers(0, 20), o.published("talks"))
	worked, err := stop()
	require.Error(t, err)
	require.Equal(t, jetstream.Worked{Done: 20}, worked)
}
