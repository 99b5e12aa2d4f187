#include "postgres_fixture.h"

#include <atomic>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <thread>

namespace vouch::postgres::test {
namespace {

Options options_for(const PostgresAddress& address, const std::string& schema, MoreSettings more) {
  more.push_back({"uri", address.uri()});
  more.push_back({"schema", schema});
  return options_from(testkit::make_settings(kSettings, std::move(more)));
}

template <typename T>
T demand(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().to_string());
  return *std::move(result);
}

class Deliveries final : public DeliverySink {
 public:
  bool delivery(const Delivery& delivery) override {
    found.push_back(delivery);
    return true;
  }
  void event(const EventView& /*event*/) override { ++events; }
  std::vector<Delivery> found;
  std::size_t events = 0;
};

}  // namespace

Host::Host(const PostgresAddress& address, const std::string& schema, MoreSettings more)
    : storage_(services_, options_for(address, schema, std::move(more))) {}

Status Host::start() {
  if (Status status = storage_.open(); !status.ok()) return status;
  if (Status status = storage_.check(); !status.ok()) return status;
  return storage_.migrate({"test", kPartitions});
}

Host& Host::started() {
  if (const Status status = start(); !status.ok()) throw std::runtime_error(status.to_string());
  return *this;
}

std::unique_ptr<Lane> Host::lane(std::uint32_t number) {
  return demand(storage_.lane({number}, std::chrono::seconds(10)));
}

Verdict Host::resolve(const Token& token) {
  return demand(storage_.resolve(std::span<const Token>(&token, 1))).at(0);
}

std::vector<Delivery> Host::ready() {
  std::vector<Partition> all;
  for (std::uint32_t i = 0; i < kPartitions; ++i) all.push_back({i});
  Deliveries sink;
  const Status status = storage_.ledger().ready(all, {}, 1'000'000, sink);
  if (!status.ok()) throw std::runtime_error(status.to_string());
  return sink.found;
}

Version Host::head(const std::string& stream) {
  const StreamName name = StreamName::unchecked(stream);
  return demand(storage_.reader().heads(std::span<const StreamName>(&name, 1))).at(0);
}

std::unique_ptr<SharedServer> shared_server() {
  const auto address = PostgresAddress::of_environment();
  if (address) return std::make_unique<SharedServer>(*address);
  std::puts(tests::kNoPostgres);
  return nullptr;
}

bool no_programs() {
  if (PrivatePostgres::installed()) return false;
  std::puts(PrivatePostgres::kNoPrograms);
  return true;
}

EventId fresh_id() {
  static const std::uint64_t random = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) | device();
  }();
  static std::atomic<std::uint64_t> count{0};
  const std::uint64_t number = ++count;
  EventId id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[4 + i] = static_cast<std::uint8_t>(random >> (56 - 8 * i));
    id.bytes[12 + i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  }
  return id;
}

Append append_to(const std::string& stream, std::size_t events, ExpectedVersion expected) {
  Write write;
  write.stream = StreamName::unchecked(stream);
  write.partition = partition_of(stream, kPartitions);
  write.expected = expected;
  for (std::size_t i = 0; i < events; ++i) {
    write.events.push_back(
        {fresh_id(), "happened", {1'700'000'000'000'000}, "text/plain", "x", ""});
  }
  Append append;
  append.writes.push_back(std::move(write));
  return append;
}

StagedGroup stage_one(Lane& lane, const Append& append) {
  StagedGroup group = demand(lane.stage(std::span<const Append>(&append, 1)));
  if (group.results.at(0).outcome != StageOutcome::staged) throw std::runtime_error("not staged");
  return group;
}

StagedGroup commit_one(Lane& lane, const Append& append) {
  StagedGroup group = stage_one(lane, append);
  const CommitResult result = lane.commit();
  if (result.outcome == CommitOutcome::committed) return group;
  throw std::runtime_error("not committed: " + result.reason.to_string());
}

bool eventually(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < deadline) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return done();
}

}  // namespace vouch::postgres::test
