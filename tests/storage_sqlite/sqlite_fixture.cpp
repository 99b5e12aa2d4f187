#include "sqlite_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>

namespace vouch::sqlite::test {

namespace {

void demand(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "vouch-sqlite-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Options options_for(const std::string& path) {
  Options options;
  options.path = path;
  options.busy_timeout = std::chrono::milliseconds(300);
  return options;
}

OpenStore::OpenStore(const Options& options) : storage_(services_, options) {
  demand(storage_.open());
  demand(storage_.check());
  demand(storage_.migrate({"shop", kPartitions}));
}

std::unique_ptr<Lane> OpenStore::lane(std::uint32_t number) {
  auto lane = storage_.lane({number}, std::chrono::milliseconds(0));
  demand(lane.status());
  return std::move(*lane);
}

EventId fresh_id() {
  static std::atomic<std::uint64_t> last{0};
  EventId id;
  std::uint64_t number = ++last;
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[EventId::kBytes - 1 - i] = static_cast<std::uint8_t>(number);
    number >>= 8U;
  }
  return id;
}

NewEvent event_with(const EventId& id, const std::string& data) {
  return {id, "noted", {1'700'000'000'000'000}, "application/json", data, ""};
}

Append append_to(const std::string& stream, std::size_t events, ExpectedVersion expected) {
  Append append;
  Write write;
  write.stream = StreamName::unchecked(stream);
  write.partition = partition_of(stream, kPartitions);
  write.expected = expected;
  for (std::size_t i = 0; i < events; ++i) write.events.push_back(event_with(fresh_id()));
  append.writes.push_back(std::move(write));
  return append;
}

StagedGroup commit_one(Lane& lane, const Append& append) {
  auto group = lane.stage({&append, 1});
  demand(group.status());
  if (group->results[0].outcome != StageOutcome::staged) {
    throw std::runtime_error("not staged: outcome " +
                             std::to_string(static_cast<int>(group->results[0].outcome)));
  }
  const CommitResult result = lane.commit();
  if (result.outcome != CommitOutcome::committed) {
    throw std::runtime_error("not committed: " + result.reason.to_string());
  }
  return std::move(*group);
}

std::vector<ReadyDelivery> ready(SqliteStorage& storage, std::uint32_t max_events) {
  class Sink final : public DeliverySink {
   public:
    bool delivery(const Delivery& delivery) override {
      found.push_back({delivery, {}});
      return true;
    }
    void event(const EventView& event) override { found.back().events.emplace_back(event); }
    std::vector<ReadyDelivery> found;
  };
  std::vector<Partition> partitions;
  for (std::uint32_t i = 0; i < kPartitions; ++i) partitions.push_back({i});
  Sink sink;
  demand(storage.ledger().ready(partitions, {}, max_events, sink));
  return std::move(sink.found);
}

std::vector<Event> read_stream(SqliteStorage& storage, const std::string& name) {
  class Sink final : public EventSink {
   public:
    bool event(const EventView& event) override {
      events.emplace_back(event);
      return true;
    }
    std::vector<Event> events;
  };
  Sink sink;
  demand(storage.reader().stream(StreamName::unchecked(name), {}, Direction::forward, 1'000'000,
                                 sink));
  return std::move(sink.events);
}

ForeignSession::ForeignSession(const std::string& path) {
  if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) {
    throw std::runtime_error("the foreign session can't open " + path);
  }
}

ForeignSession::~ForeignSession() {
  sqlite3_close(handle_);
}

void ForeignSession::execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sqlite3_errmsg(handle_));
  }
}

std::int64_t ForeignSession::integer(const std::string& sql) {
  Statement statement(handle_, sql);
  Rows rows = statement.run();
  return rows.next() ? rows.integer(0) : 0;
}

int in_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    try {
      body();
    } catch (...) {
      ::_exit(99);
    }
    ::_exit(98);
  }
  int how = 0;
  if (::waitpid(child, &how, 0) != child) throw std::runtime_error("waitpid failed");
  return how;
}

}  // namespace vouch::sqlite::test
