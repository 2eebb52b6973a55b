// SPDX-License-Identifier: GPL-2.0-only

// The garbage collector under load: trees that die young beside ones that stay, big
// blocks that come and go, finalizers, and memory given back to the system.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

type node struct {
	left, right *node
	value       int
}

func tree(depth, value int) *node {
	if depth == 0 {
		return &node{value: value}
	}
	return &node{tree(depth-1, 2*value), tree(depth-1, 2*value+1), value}
}

func (n *node) sum() int {
	if n == nil {
		return 0
	}
	return n.value + n.left.sum() + n.right.sum()
}

func main() {
	runtime.GOMAXPROCS(4)
	debug.SetGCPercent(20)

	keep := tree(12, 1)
	var group sync.WaitGroup
	var total int64
	for w := 0; w < 4; w++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; i < 10; i++ {
				atomic.AddInt64(&total, int64(tree(8, 1).sum()))
				block := make([]byte, 1<<20+i*4096)
				block[len(block)-1] = 1
				table := map[string][]byte{}
				for k := 0; k < 50; k++ {
					table[fmt.Sprint(i, k)] = block[k : k+10]
				}
				atomic.AddInt64(&total, int64(len(table)))
			}
		}()
	}
	group.Wait()
	fmt.Println("total:", total)
	fmt.Println("kept:", keep.sum())

	var finalized int32
	for i := 0; i < 100; i++ {
		n := &node{value: i}
		runtime.SetFinalizer(n, func(*node) { atomic.AddInt32(&finalized, 1) })
	}
	for i := 0; i < 1000 && atomic.LoadInt32(&finalized) < 100; i++ {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	fmt.Println("finalized:", atomic.LoadInt32(&finalized))

	big := make([]byte, 32<<20)
	for i := 0; i < len(big); i += 4096 {
		big[i] = 1
	}
	big = nil
	debug.FreeOSMemory()
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	fmt.Println("given back:", after.HeapReleased >= 32<<20, "cycles:", after.NumGC > 3)

	// a stack that grows and is moved
	var deep func(int) int
	deep = func(n int) int {
		var pad [64]int
		pad[n%64] = n
		if n == 0 {
			return 0
		}
		return deep(n-1) + pad[n%64]
	}
	fmt.Println("deep:", deep(20000))
}
