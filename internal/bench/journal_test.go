package bench

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	_ "modernc.org/sqlite"

	"github.com/holdfast-go/holdfast/manifest"
)

// store keeps records; put returns once its record is on disk.
type store struct {
	put   func(ctx context.Context, n int64) error
	close func() error
}

// BenchmarkJournal keeps records of 250 bytes, each on disk before its producer goes on.
func BenchmarkJournal(b *testing.B) {
	stores := []struct {
		by   string
		open func(b *testing.B, dir string) store
	}{
		{"holdfast", openJournal},
		{"append", openAppend},
		{"sqlite", openSQLite},
		{"bbolt", openBolt},
		{"bbolt-batch", openBoltBatch},
	}
	for _, producers := range []int{1, 8, 64} {
		var variants []variant
		for _, s := range stores {
			variants = append(variants, variant{s.by, func(b *testing.B) {
				st := s.open(b, b.TempDir())
				b.ResetTimer()
				produce(b, producers, st.put)
				b.StopTimer()
				if err := st.close(); err != nil {
					b.Fatal(err)
				}
			}})
		}
		compare(b, fmt.Sprintf("producers=%d/", producers), variants)
	}
}

// produce puts b.N records, in turns from several producers.
func produce(b *testing.B, producers int, put func(context.Context, int64) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range producers {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := put(b.Context(), n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func key(n int64) string { return fmt.Sprintf("%064x", n) }

func openJournal(b *testing.B, dir string) store {
	j, err := manifest.OpenJournal(b.Context(), filepath.Join(dir, "journal.jsonl"), manifest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	e := manifest.Entry{AudioPath: "a.wav", Duration: 5 * time.Second, PredText: strings.Repeat("word ", 15)}
	return store{func(ctx context.Context, n int64) error { return j.Append(ctx, key(n), e) }, j.Close}
}

// openAppend is the least that can be done: a line and a sync, no check, no key.
func openAppend(b *testing.B, dir string) store {
	f, err := os.Create(filepath.Join(dir, "append"))
	if err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex
	line := record(0)
	return store{func(context.Context, int64) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := f.Write(line)
		return errors.Join(err, dataSync(f))
	}, f.Close}
}

func openSQLite(b *testing.B, dir string) store {
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(dir, "db"))+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE results (key TEXT PRIMARY KEY, entry BLOB)"); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare("INSERT INTO results VALUES (?, ?)")
	if err != nil {
		b.Fatal(err)
	}
	return store{func(ctx context.Context, n int64) error {
		_, err := insert.ExecContext(ctx, key(n), record(n))
		return err
	}, db.Close}
}

func openBolt(b *testing.B, dir string) store {
	db := boltDB(b, dir)
	return store{func(_ context.Context, n int64) error { return db.Update(putBolt(n)) }, db.Close}
}

func openBoltBatch(b *testing.B, dir string) store {
	db := boltDB(b, dir)
	return store{func(_ context.Context, n int64) error { return db.Batch(putBolt(n)) }, db.Close}
}

func boltDB(b *testing.B, dir string) *bbolt.DB {
	db, err := bbolt.Open(filepath.Join(dir, "db"), 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	return db
}

func putBolt(n int64) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists([]byte("results"))
		if err != nil {
			return err
		}
		return bucket.Put([]byte(key(n)), record(n))
	}
}

// record is 250 bytes.
func record(n int64) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(n)), append(bytes.Repeat([]byte("x"), 241), '\n')...)
}
