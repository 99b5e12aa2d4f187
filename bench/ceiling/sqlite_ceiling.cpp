// ceiling-sqlite: the rows that Vouch writes, written straight into the same schema by one thread,
// in groups of a fixed size with one COMMIT each: no HTTP, no broker, no saga. What a host on the
// same disk could reach at best. Prints one JSON object.
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "sqlite_storage.h"
#include "vouch/testkit/test_services.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kPartitions = 8;

struct CeilingOptions {
  std::string directory = ".";
  double seconds = 5;
  std::uint32_t group = 500;
  std::uint32_t events = 1;  ///< on one stream, as one request has them
  std::uint32_t streams = 100'000;
  std::uint32_t payload = 256;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void demand(const vouch::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

/// The plugin makes the tables, so that they are the same.
void make_store(const std::string& path) {
  vouch::testkit::TestServices services;
  vouch::sqlite::Options options;
  options.path = path;
  vouch::sqlite::SqliteStorage storage(services, options);
  demand(storage.open());
  demand(storage.migrate({"bench", kPartitions}));
  storage.close();
}

class Writer {
 public:
  Writer(const std::string& path, const CeilingOptions& options)
      : options_(options), versions_(options.streams) {
    check(sqlite3_open(path.c_str(), &handle_));
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("PRAGMA cache_size = -32768");
    begin_ = prepare("BEGIN IMMEDIATE");
    commit_ = prepare("COMMIT");
    event_ = prepare(
        "INSERT INTO events (stream, version, id, type, time, content_type, data, metadata) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    delivery_ = prepare(
        "INSERT INTO deliveries (partition, lane, batch, first_seq, last_seq, written) "
        "VALUES (?1, 0, ?2, ?3, ?4, ?5)");
    data_ = R"({"sent":1234567890123456,"pad":")" + std::string(options.payload - 34, 'x') + "\"}";
  }

  ~Writer() {
    for (sqlite3_stmt* statement : {begin_, commit_, event_, delivery_}) {
      sqlite3_finalize(statement);
    }
    sqlite3_close(handle_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void write_group() {
    // Sorted by partition, as the deliveries want it.
    std::multimap<std::uint32_t, std::uint32_t> streams;
    for (std::uint32_t i = 0; i < options_.group; i += options_.events) {
      const auto stream = static_cast<std::uint32_t>(random_() % options_.streams);
      streams.emplace(vouch::partition_of(name_of(stream), kPartitions).value, stream);
    }
    const std::int64_t now =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch())
            .count();
    step(begin_);
    std::map<std::uint32_t, std::pair<std::int64_t, std::int64_t>> places;
    for (const auto& [partition, stream] : streams) {
      for (std::uint32_t i = 0; i < options_.events; ++i) {
        const std::int64_t place = insert_event(stream, now);
        places.try_emplace(partition, place, place).first->second.second = place;
      }
    }
    ++batch_;
    for (const auto& [partition, range] : places) {
      bind(delivery_, 1, partition);
      bind(delivery_, 2, batch_);
      bind(delivery_, 3, range.first);
      bind(delivery_, 4, range.second);
      bind(delivery_, 5, now);
      step(delivery_);
    }
    step(commit_);
  }

 private:
  static std::string name_of(std::uint32_t stream) { return "account-" + std::to_string(stream); }

  std::int64_t insert_event(std::uint32_t stream, std::int64_t now) {
    const std::string name = name_of(stream);
    text(event_, 1, name);
    bind(event_, 2, ++versions_[stream]);
    std::string id(20, '\0');
    const std::uint64_t high = ++ids_;
    for (std::size_t i = 0; i < 8; ++i) id[i] = static_cast<char>(high >> (56 - 8 * i));
    blob(event_, 3, id);
    text(event_, 4, "deposited");
    bind(event_, 5, now);
    text(event_, 6, "application/json");
    blob(event_, 7, data_);
    blob(event_, 8, "");
    step(event_);
    return sqlite3_last_insert_rowid(handle_);
  }

  void check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
      throw std::runtime_error(sqlite3_errmsg(handle_));
    }
  }
  void run(const char* sql) const { check(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr)); }
  [[nodiscard]] sqlite3_stmt* prepare(const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr));
    return statement;
  }
  void bind(sqlite3_stmt* statement, int at, std::int64_t value) const {
    check(sqlite3_bind_int64(statement, at, value));
  }
  void text(sqlite3_stmt* statement, int at, const std::string& value) const {
    check(sqlite3_bind_text(statement, at, value.data(), static_cast<int>(value.size()),
                            SQLITE_TRANSIENT));
  }
  void blob(sqlite3_stmt* statement, int at, const std::string& value) const {
    check(sqlite3_bind_blob(statement, at, value.data(), static_cast<int>(value.size()),
                            SQLITE_TRANSIENT));
  }
  void step(sqlite3_stmt* statement) const {
    check(sqlite3_step(statement));
    check(sqlite3_reset(statement));
  }

  const CeilingOptions& options_;
  sqlite3* handle_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  sqlite3_stmt* event_ = nullptr;
  sqlite3_stmt* delivery_ = nullptr;
  std::vector<std::int64_t> versions_;
  std::string data_;
  std::mt19937 random_{42};
  std::int64_t batch_ = 0;
  std::uint64_t ids_ = 0;
};

void measure(const CeilingOptions& options) {
  const std::string path =
      std::filesystem::absolute(std::filesystem::path(options.directory) / "ceiling.db").string();
  make_store(path);
  Writer writer(path, options);
  std::uint64_t groups = 0;
  const auto start = Clock::now();
  while (seconds_since(start) < options.seconds) {
    writer.write_group();
    ++groups;
  }
  const double took = seconds_since(start);
  std::printf(
      "{\"group\":%u,\"events_per_request\":%u,\"payload\":%u,\"seconds\":%.1f,\"events_per_"
      "second\":%.0f}\n",
      options.group, options.events, options.payload, took,
      static_cast<double>(groups * options.group) / took);
}

}  // namespace

int main(int argc, char** argv) {
  CeilingOptions options;
  CLI::App app(
      "Writes Vouch's rows into SQLite in groups, and nothing else; prints one JSON object.");
  app.add_option("--directory", options.directory, "an empty directory")->capture_default_str();
  app.add_option("--seconds", options.seconds)->capture_default_str();
  app.add_option("--group", options.group, "events in one transaction")->capture_default_str();
  app.add_option("--events", options.events, "events in a row on one stream; divides the group")
      ->capture_default_str();
  app.add_option("--streams", options.streams)->capture_default_str();
  app.add_option("--payload", options.payload, "bytes of data in one event")
      ->check(CLI::Range(34, 1 << 20))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    measure(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ceiling-sqlite: %s\n", error.what());
    return 1;
  }
  return 0;
}
