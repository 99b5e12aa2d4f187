#include "signal_book.h"

#include <catch2/catch.hpp>
#include <thread>

namespace vouch::saga {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Token token(std::uint64_t batch) {
  return {LaneNumber{1}, BatchNumber{batch}, ""};
}

format::ValidationMessage signal(std::uint64_t batch, std::uint32_t partition = 0) {
  return {"shop", token(batch), {Partition{partition}, LedgerNumber{batch}}, 1};
}

SignalBook::Time later(int ms) {
  return steady_clock::now() + milliseconds(ms);
}

TEST_CASE("a signal is settled by its writer's word, whichever comes first") {
  SignalBook book;
  book.ended(token(1), true);
  book.add(signal(1));
  book.add(signal(2));
  CHECK(book.waits_for(token(2)));
  book.ended(token(2), false);
  const auto settled = book.take_settled();
  REQUIRE(settled.size() == 2);
  CHECK(settled[0].verdict == Verdict::committed);
  CHECK(settled[1].verdict == Verdict::aborted);
  CHECK_FALSE(book.waits_for(token(2)));
  CHECK(book.take_settled().empty());
}

TEST_CASE("the word of a writer without a signal settles nothing") {
  SignalBook book;
  book.ended(token(1), true);
  CHECK(book.take_settled().empty());
}

TEST_CASE("one transaction's signals of several partitions are settled together") {
  SignalBook book;
  book.add(signal(1, 0));
  book.add(signal(1, 1));
  book.ended(token(1), true);
  CHECK(book.take_settled().size() == 2);
}

TEST_CASE("what nobody tells is asked of the database, again while it is in progress") {
  SignalBook book;
  book.add(signal(1));
  CHECK(book.take_questions(steady_clock::now() - milliseconds(1)).empty());
  const auto now = later(100);
  REQUIRE(book.take_questions(now) == std::vector<Token>{token(1)});
  const Verdict not_yet = Verdict::in_progress;
  book.answer(std::vector{token(1)}, {&not_yet, 1}, now);
  CHECK(book.take_questions(now).empty());
  REQUIRE(book.take_questions(now + milliseconds(10)).size() == 1);
  const Verdict committed = Verdict::committed;
  book.answer(std::vector{token(1)}, {&committed, 1}, now);
  const auto settled = book.take_settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].verdict == Verdict::committed);
}

TEST_CASE("a transaction stays in progress for as long as the database says so") {
  SignalBook book;
  book.add(signal(1));
  auto now = later(100);
  const Verdict not_yet = Verdict::in_progress;
  for (int i = 0; i < 1'000; ++i) {
    REQUIRE(book.take_questions(now) == std::vector<Token>{token(1)});
    book.answer(std::vector{token(1)}, {&not_yet, 1}, now);
    REQUIRE(book.take_settled().empty());
    now += std::chrono::seconds(10);
  }
  CHECK(book.waits_for(token(1)));
}

TEST_CASE("an answer that comes after the writer's word is ignored") {
  SignalBook book;
  book.add(signal(1));
  book.ended(token(1), true);
  const Verdict aborted = Verdict::aborted;
  book.answer(std::vector{token(1)}, {&aborted, 1}, steady_clock::now());
  const auto settled = book.take_settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].verdict == Verdict::committed);
}

TEST_CASE("questions are put off while the database can't be asked") {
  SignalBook book;
  book.add(signal(1));
  const auto now = later(100);
  const auto questions = book.take_questions(now);
  book.postpone(questions, now + milliseconds(500));
  CHECK(book.take_questions(now + milliseconds(400)).empty());
  CHECK(book.take_questions(now + milliseconds(500)).size() == 1);
}

TEST_CASE("waiting ends for a signal that becomes due, a settled one, a wake-up, and by time") {
  SignalBook book;
  const auto start = steady_clock::now();
  book.wait(later(20));
  CHECK(steady_clock::now() - start >= milliseconds(20));
  book.wake();
  book.wait(later(60'000));
  std::thread broker([&] {
    std::this_thread::sleep_for(milliseconds(20));
    book.add(signal(1));
  });
  book.wait(later(60'000));
  broker.join();
  CHECK(book.take_questions(steady_clock::now()).size() == 1);
  std::thread lane([&] {
    std::this_thread::sleep_for(milliseconds(5));
    book.ended(token(1), true);
  });
  book.postpone(std::vector{token(1)}, later(60'000));
  book.wait(later(60'000));
  lane.join();
  CHECK(book.take_settled().size() == 1);
  CHECK(steady_clock::now() - start < std::chrono::seconds(30));
}

}  // namespace
}  // namespace vouch::saga
