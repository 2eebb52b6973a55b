// SPDX-License-Identifier: GPL-2.0-only

// C++: exceptions through many frames, destructors, threads and what they throw,
// futures, condition variables, thread_local objects, atomics, call_once.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <future>
#include <iostream>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace std;

static atomic<int> alive, made;

struct Counted {
	Counted() { alive++; made++; }
	~Counted() { alive--; }
};

static thread_local Counted own;

static int deep(int depth)
{
	Counted here;

	if (depth == 0)
		throw range_error("the bottom");
	return deep(depth - 1) + 1;
}

static void nested(int depth)
{
	try {
		if (depth == 0)
			throw system_error(make_error_code(errc::no_space_on_device), "inner");
		nested(depth - 1);
	} catch (...) {
		throw_with_nested(runtime_error("level " + to_string(depth)));
	}
}

static int levels(const exception &e)
{
	try {
		rethrow_if_nested(e);
	} catch (const exception &inner) {
		return 1 + levels(inner);
	}
	return 1;
}

static void exceptions()
{
	try {
		deep(1000);
	} catch (const exception &e) {
		cout << "deep: " << e.what() << " alive " << alive << " made " << made << endl;
	}
	try {
		nested(10);
	} catch (const exception &e) {
		cout << "nested: " << e.what() << " of " << levels(e) << endl;
	}
	try {
		vector<int>(5).at(5);
	} catch (const out_of_range &) {
		cout << "at: out of range" << endl;
	}
	try {
		// more than an address space has
		vector<char> all(size_t(1) << 60);
		cout << "got " << all.size() << endl;
	} catch (const bad_alloc &) {
		cout << "bad_alloc" << endl;
	}
	// all threads unwind at once
	atomic<int> caught{0};
	vector<thread> throwers;
	for (int i = 0; i < 8; i++)
		throwers.emplace_back([&] {
			for (int k = 0; k < 50; k++)
				try {
					deep(10);
				} catch (const range_error &) {
					caught++;
				}
		});
	for (auto &t : throwers)
		t.join();
	cout << "in threads: " << caught << endl;
}

template <typename T> class Queue {
	mutex lock;
	condition_variable more, room;
	deque<T> list;
public:
	void put(T value)
	{
		unique_lock<mutex> held(lock);
		room.wait(held, [&] { return list.size() < 4; });
		list.push_back(value);
		more.notify_one();
	}
	T take()
	{
		unique_lock<mutex> held(lock);
		more.wait(held, [&] { return !list.empty(); });
		T value = list.front();
		list.pop_front();
		room.notify_one();
		return value;
	}
};

static void threads()
{
	Queue<int> queue;
	vector<future<long>> takers;
	for (int i = 0; i < 4; i++)
		takers.push_back(async(launch::async, [&] {
			long sum = 0;
			while (int n = queue.take())
				sum += n;
			return sum;
		}));
	for (int n = 1; n <= 400; n++)
		queue.put(n);
	for (int i = 0; i < 4; i++)
		queue.put(0);
	long sum = 0;
	for (auto &t : takers)
		sum += t.get();
	cout << "queue: " << sum << endl;

	auto thrown = async(launch::async, [] { return deep(3); });
	try {
		thrown.get();
	} catch (const range_error &e) {
		cout << "future: " << e.what() << endl;
	}
	promise<string> given;
	thread giver([&] { given.set_value("given"); });
	cout << given.get_future().get() << endl;
	giver.join();

	shared_mutex table_lock;
	vector<int> table;
	vector<thread> all;
	for (int w = 0; w < 4; w++)
		all.emplace_back([&, w] {
			(void)&own;
			for (int i = 0; i < 50; i++) {
				unique_lock<shared_mutex> held(table_lock);
				table.push_back(w * i);
				held.unlock();
				shared_lock<shared_mutex> reading(table_lock);
				if (table.empty())
					abort();
			}
		});
	for (auto &t : all)
		t.join();
	cout << "table: " << accumulate(table.begin(), table.end(), 0) << endl;

	timed_mutex busy;
	lock_guard<timed_mutex> held(busy);
	bool got = true;
	thread([&] { got = busy.try_lock_for(chrono::milliseconds(20)); }).join();
	cout << "timed: " << got << endl;

	static once_flag once;
	int ran = 0;
	vector<thread> callers;
	for (int i = 0; i < 4; i++)
		callers.emplace_back([&] { call_once(once, [&] { ran++; }); });
	for (auto &t : callers)
		t.join();
	cout << "once: " << ran << endl;
}

int main(int argc, char **)
{
	exceptions();
	threads();
	cout << "alive at the end: " << alive << endl;
	if (argc > 1) {
		set_terminate([] {
			cout << "terminated" << endl;
			abort();
		});
		thread([] { throw 1; }).join();
	}
	throw logic_error("nobody catches this");
}
