// main.go
//
// The same with pgx.  What is asked and answered is told in ../peer.h.
//
// Calls go over one connection that is held, as is kindest to it; its statements
// are prepared by its own cache.
package main

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	batchSize = 100
	hold      = 50 * time.Microsecond
	fair      = 500 * time.Millisecond
	pairCount = 200000

	byKey    = "SELECT id, name FROM bench_item WHERE id = $1"
	echo     = "SELECT $1::bigint, 'some text'"
	allRows  = "SELECT amount, name, price, made_at, id FROM bench_row"
	settings = "SELECT set_config($1, $2, true), set_config($3, $4, true), set_config($5, $6, true)"
)

type item struct {
	amount int32
	name   string
	price  float64
	madeAt time.Time
	id     int64
}

var (
	ctx   = context.Background()
	conn  *pgx.Conn
	pool  *pgxpool.Pool
	items []item
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench pgx:", err)
		os.Exit(1)
	}
}

func openConnection(count int) float64 {
	var err error

	conn, err = pgx.Connect(ctx, "")
	must(err)
	return float64(count)
}

// querier is a connection or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func take(row pgx.Row) int64 {
	var id int64
	var name string

	must(row.Scan(&id, &name))
	return id + int64(len(name))
}

func lookup(from querier, key int) int64 {
	return take(from.QueryRow(ctx, byKey, int64(key)))
}

func calls(count int) float64 {
	var sum int64

	for i := 1; i <= count; i++ {
		sum += lookup(conn, i)
	}
	return float64(sum)
}

func contexts(count int) float64 {
	var sum int64

	for i := 1; i <= count; i++ {
		tx, err := conn.Begin(ctx)
		must(err)
		_, err = tx.Exec(ctx, settings, "app.tenant", "7", "app.user", "ada", "role", "bench_role")
		must(err)
		sum += lookup(tx, i)
		must(tx.Commit(ctx))
	}
	return float64(sum)
}

func batches(count int) float64 {
	var sum int64

	for i := 0; i < count/batchSize; i++ {
		batch := &pgx.Batch{}
		for j := 1; j <= batchSize; j++ {
			batch.Queue(echo, int64(i*batchSize+j))
		}
		results := conn.SendBatch(ctx, batch)
		for j := 0; j < batchSize; j++ {
			sum += take(results.QueryRow())
		}
		must(results.Close())
	}
	return float64(sum)
}

func scan(count int) float64 {
	var sum int64

	items = make([]item, count)
	rows, err := conn.Query(ctx, allRows)
	must(err)
	for i := 0; rows.Next(); i++ {
		to := &items[i]
		must(rows.Scan(&to.amount, &to.name, &to.price, &to.madeAt, &to.id))
		sum += int64(to.amount) + to.id + to.madeAt.Unix()
	}
	must(rows.Err())
	return float64(sum)
}

func fill(count int) float64 {
	items = make([]item, count)
	for i := range items {
		items[i] = item{amount: int32(i % 1000), name: "name " + strconv.Itoa(i), price: float64(i) * 0.25}
	}
	return float64(count)
}

func bulk(count int) float64 {
	columns := []string{"amount", "name", "price"}
	source := pgx.CopyFromSlice(count, func(i int) ([]any, error) {
		return []any{items[i].amount, items[i].name, items[i].price}, nil
	})

	_, err := conn.CopyFrom(ctx, pgx.Identifier{"bench_bulk"}, columns, source)
	must(err)
	return float64(count)
}

// openPool makes a pool of so many connections, all of them there.
func openPool(count int) float64 {
	if pool != nil {
		pool.Close()
	}
	config, err := pgxpool.ParseConfig("")
	must(err)
	config.MaxConns = int32(count)
	pool, err = pgxpool.NewWithConfig(ctx, config)
	must(err)
	taken := make([]*pgxpool.Conn, count)
	for i := range taken {
		taken[i], err = pool.Acquire(ctx)
		must(err)
	}
	for _, one := range taken {
		one.Release()
	}
	return float64(count)
}

// inParallel runs so many, and returns what they count.
func inParallel(count int, body func() int) []int {
	var all sync.WaitGroup
	done := make([]int, count)
	start := make(chan struct{})

	all.Add(count)
	for i := range done {
		to := &done[i]
		go func() {
			defer all.Done()
			<-start
			*to = body()
		}()
	}
	close(start)
	all.Wait()
	return done
}

func pairs(count int) float64 {
	inParallel(count, func() int {
		for i := 0; i < pairCount; i++ {
			taken, err := pool.Acquire(ctx)
			must(err)
			taken.Release()
		}
		return pairCount
	})
	return float64(count) * pairCount
}

// share returns how often the luckiest got a connection, over the unluckiest.
func share(count int) float64 {
	end := time.Now().Add(fair)
	done := inParallel(count, func() int {
		got := 0
		for ; time.Now().Before(end); got++ {
			taken, err := pool.Acquire(ctx)
			must(err)
			time.Sleep(hold)
			taken.Release()
		}
		return got
	})
	most, least := 0.0, math.Inf(1)
	for _, got := range done {
		most = math.Max(most, float64(got))
		least = math.Min(least, float64(got))
	}
	return most / least
}

// cpuTime is what the process has worked, in nanoseconds.
func cpuTime() int64 {
	var usage syscall.Rusage

	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func main() {
	tasks := map[string]func(int) float64{
		"open": openConnection, "calls": calls, "contexts": contexts, "batches": batches, "scan": scan,
		"fill": fill, "copy": bulk, "pool": openPool, "pairs": pairs, "share": share,
	}

	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		name, number, _ := strings.Cut(lines.Text(), " ")
		count, err := strconv.Atoi(number)
		must(err)
		task, found := tasks[name]
		if !found {
			fmt.Println("-")
			continue
		}
		wall, cpu := time.Now(), cpuTime()
		value := task(count)
		fmt.Println(time.Since(wall).Nanoseconds(), cpuTime()-cpu, value)
	}
}
