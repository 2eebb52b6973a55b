// SPDX-License-Identifier: GPL-2.0-only

// Goroutines over all CPUs: channels, mutexes, a WaitGroup, select with a timer,
// locked threads, and preemption of a loop that calls nothing.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func ring(size, rounds int) int {
	first := make(chan int)
	in := first
	for i := 0; i < size; i++ {
		out := make(chan int)
		go func(in, out chan int) {
			for n := range in {
				out <- n + 1
			}
			close(out)
		}(in, out)
		in = out
	}
	n := 0
	for r := 0; r < rounds; r++ {
		first <- n
		n = <-in
	}
	close(first)
	<-in
	return n
}

func counted(workers, each int) (uint64, int) {
	var sum uint64
	var group sync.WaitGroup
	var lock sync.Mutex
	seen := map[int]bool{}
	for w := 0; w < workers; w++ {
		group.Add(1)
		go func(w int) {
			defer group.Done()
			for i := 0; i < each; i++ {
				atomic.AddUint64(&sum, uint64(i))
				if i%16 == 0 {
					runtime.Gosched()
				}
			}
			lock.Lock()
			seen[w] = true
			lock.Unlock()
		}(w)
	}
	group.Wait()
	return sum, len(seen)
}

// A goroutine that never yields is preempted by a signal to its thread, or
// stopping the world waits for ever.
func preempted() bool {
	var stop, started uint32
	ended := make(chan bool)
	go func() {
		n := 0
		atomic.StoreUint32(&started, 1)
		for i := uint64(1); i != 0 && stop == 0; i++ {
			n++
			if i&0xfffff == 0 && atomic.LoadUint32(&stop) != 0 {
				break
			}
		}
		ended <- n != 0
	}()
	for atomic.LoadUint32(&started) == 0 {
		runtime.Gosched()
	}
	runtime.GC()
	atomic.StoreUint32(&stop, 1)
	return <-ended
}

func lockedThreads(count int) int {
	ids := make(chan int, count)
	var all sync.WaitGroup
	all.Add(count)
	for i := 0; i < count; i++ {
		go func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			all.Done()
			all.Wait()
			ids <- syscall.Gettid()
		}()
	}
	distinct := map[int]bool{}
	for i := 0; i < count; i++ {
		distinct[<-ids] = true
	}
	return len(distinct)
}

func main() {
	runtime.GOMAXPROCS(4)
	fmt.Println("ring:", ring(100, 20))
	sum, workers := counted(50, 400)
	fmt.Println("counted:", sum, workers)
	fmt.Println("preempted:", preempted())
	fmt.Println("locked threads:", lockedThreads(20))

	select {
	case <-make(chan int):
		fmt.Println("select: a value from nowhere")
	case <-time.After(20 * time.Millisecond):
		fmt.Println("select: time is up")
	}
	ticker := time.NewTicker(2 * time.Millisecond)
	for i := 0; i < 5; i++ {
		<-ticker.C
	}
	ticker.Stop()
	fmt.Println("ticker: 5")
	defer func() { fmt.Println("recovered:", recover()) }()
	var nothing *[4]int
	fmt.Println(nothing[2])
}
