// Package jetstream spreads the transcription of many recordings over many
// machines by way of a NATS JetStream server, with the same promise as package
// asr makes for one: nothing acknowledged is lost, and each utterance gets
// exactly one committed result.
//
// A program that has recordings calls [Fleet.Submit], each machine with an
// engine calls [Fleet.Work], and whoever wants the transcripts calls
// [Fleet.Collect], which keeps them in a journal. Each of them may be killed,
// and be started again, at any time. The stream is transit: the truth is in
// the journals at both its ends, and Submit, repeated, makes up for whatever
// the stream has lost.
//
// The server is an existing one, or that of package embedded.
//
// On the server:
//
//	HF_JOBS     hf.job.BATCH.PRIORITY.ID  what is to be done; a work queue
//	HF_RESULTS  hf.res.BATCH.ID           what came of it; a subject takes one message, for ever
//	hf_batches  key BATCH                 what a batch is, and whether it is cancelled
//	hf_files    objects                   lists of batches, recordings, very long transcripts
package jetstream
