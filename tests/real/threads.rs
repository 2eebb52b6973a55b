// SPDX-License-Identifier: GPL-2.0-only

// Rust's threads: channels, mutexes and condition variables, barriers, scoped threads,
// thread-local values, panics that end one thread, parking.
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel, RecvTimeoutError};
use std::sync::{Arc, Barrier, Condvar, Mutex, Once, RwLock};
use std::thread;
use std::time::{Duration, Instant};

thread_local!(static OWN: Cell<usize> = Cell::new(0));
static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Counted;
impl Drop for Counted {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}
thread_local!(static LOCAL: Counted = Counted);

fn channels() {
    let (tx, rx) = channel();
    let senders: Vec<_> = (0..10usize)
        .map(|id| {
            let tx = tx.clone();
            thread::spawn(move || {
                for i in 0..100usize {
                    tx.send(id * 1000 + i).unwrap();
                }
            })
        })
        .collect();
    drop(tx);
    let all: Vec<usize> = rx.iter().collect();
    for s in senders {
        s.join().unwrap();
    }
    println!("channel: {} values, sum {}", all.len(), all.iter().sum::<usize>());

    let (tx, rx) = sync_channel::<u32>(0);
    let sender = thread::spawn(move || (0..50).for_each(|i| tx.send(i).unwrap()));
    println!("rendezvous: {}", rx.iter().sum::<u32>());
    sender.join().unwrap();

    let (_tx, rx) = channel::<()>();
    let began = Instant::now();
    let late = rx.recv_timeout(Duration::from_millis(30)) == Err(RecvTimeoutError::Timeout);
    println!("timeout: {} {}", late, began.elapsed() >= Duration::from_millis(30));
}

fn locks() {
    let queue = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
    let takers: Vec<_> = (0..4)
        .map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let mut sum = 0u64;
                loop {
                    let mut list = queue.0.lock().unwrap();
                    while list.is_empty() {
                        list = queue.1.wait(list).unwrap();
                    }
                    match list.pop().unwrap() {
                        0 => return sum,
                        n => sum += n,
                    }
                }
            })
        })
        .collect();
    for n in (1..=500u64).chain([0; 4]) {
        // what ends a taker has to be found last
        queue.0.lock().unwrap().insert(0, n);
        queue.1.notify_one();
    }
    println!("taken: {}", takers.into_iter().map(|t| t.join().unwrap()).sum::<u64>());

    let table = Arc::new(RwLock::new(HashMap::new()));
    thread::scope(|s| {
        for w in 0..4 {
            let table = &table;
            s.spawn(move || {
                for i in 0..50 {
                    table.write().unwrap().insert(w * 100 + i, i);
                    assert!(table.read().unwrap().contains_key(&(w * 100 + i)));
                }
            });
        }
    });
    println!("table: {}", table.read().unwrap().len());

    static ONCE: Once = Once::new();
    static RAN: AtomicUsize = AtomicUsize::new(0);
    let barrier = Barrier::new(8);
    let leaders = AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..8 {
            s.spawn(|| {
                ONCE.call_once(|| {
                    RAN.fetch_add(1, Ordering::SeqCst);
                });
                for _ in 0..10 {
                    if barrier.wait().is_leader() {
                        leaders.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    println!("barrier: {} once: {}", leaders.into_inner(), RAN.load(Ordering::SeqCst));
}

fn ends() {
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let poisoned = Arc::new(Mutex::new(1));
    let other = Arc::clone(&poisoned);
    let result = thread::Builder::new()
        .name("doomed".into())
        .stack_size(64 * 1024)
        .spawn(move || {
            let _held = other.lock().unwrap();
            panic!("thread {}", thread::current().name().unwrap_or("?"));
        })
        .unwrap()
        .join();
    std::panic::set_hook(quiet);
    let text = result.unwrap_err().downcast_ref::<String>().cloned();
    println!("panic: {:?} poisoned: {}", text, poisoned.is_poisoned());

    for i in 0..20 {
        thread::spawn(move || {
            OWN.with(|own| own.set(i));
            LOCAL.with(|_| ());
            OWN.with(|own| assert_eq!(own.get(), i));
        })
        .join()
        .unwrap();
    }
    println!("dropped: {} own: {}", DROPPED.load(Ordering::SeqCst), OWN.with(|own| own.get()));

    let parked = thread::spawn(|| {
        thread::park();
        thread::park_timeout(Duration::from_millis(5));
        "unparked"
    });
    parked.thread().unpark();
    println!("{}", parked.join().unwrap());
}

fn main() {
    channels();
    locks();
    ends();
    println!("parallelism: {}", thread::available_parallelism().is_ok());
}
