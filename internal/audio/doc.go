// Package audio reads the headers of WAV files and turns what is in them into
// the form that every speech engine takes: 16 kHz, one channel, 16 bit PCM.
//
// It says what it found, a stream without a size and a recording that was cut
// included, and never guesses: what is not clear is an error. Where it is no WAV
// file, FFmpeg makes one. All else only reads and writes streams; whoever calls it
// opens and publishes the files.
package audio
