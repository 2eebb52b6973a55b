/* SPDX-License-Identifier: GPL-2.0-only */
/* C++ as its runtime needs it: unwinding, containers, streams, static objects, an end by exception. */
#include <algorithm>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Loud {
	const char *name;
	explicit Loud(const char *n) : name(n) { std::cout << "+" << name << "\n"; }
	~Loud() { std::cout << "-" << name << "\n"; }
};

Loud everywhere("static");

int deep(int n)
{
	Loud here("frame");

	if (n == 0)
		throw std::out_of_range("bottom");
	return deep(n - 1) + 1;
}

}

int main(int argc, char **)
{
	std::map<std::string, std::vector<int>> words;

	for (int i = 0; i < 20000; i++)
		words[std::to_string(i % 101)].push_back(i);
	std::cout << words["7"].size() << " " << *std::max_element(words["7"].begin(), words["7"].end()) << "\n";
	try {
		deep(3);
	} catch (const std::exception &e) {
		std::cout << "caught " << e.what() << "\n";
	}
	try {
		std::vector<int>().at(1);
	} catch (...) {
		std::cout << "caught again\n";
	}
	if (argc > 1)
		throw std::runtime_error("nobody catches this");
	return 3;
}
