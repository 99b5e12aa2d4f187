// ceiling-mysql: the rows that Vouch writes, written straight into the same tables by one thread
// for each lane, in groups of a fixed size: one statement for the ledger rows, one for the events,
// in as many rows as the plugin's largest statement has, and COMMIT. No HTTP, no broker, no saga,
// no look at what is there. With --plugin the same groups go through the plugin's `stage` and
// `commit`. Prints one JSON object.
#include "lane_writers.h"
#include "mysql_storage.h"
#include "session.h"
#include "size_classes.h"
#include "vouch/testkit/test_services.h"

namespace {

using vouch::bench::CeilingOptions;
using vouch::bench::demand;
using vouch::bench::kPartitions;
using vouch::bench::WriteGroup;
using vouch::mysql::Param;
using vouch::mysql::repeated;
using vouch::mysql::Session;
using vouch::mysql::SessionRole;

constexpr std::size_t kMostEvents = 512;  // in one statement, as in the plugin

/// One lane's session, and what the plugin counts for it.
class BareLane {
 public:
  BareLane(const vouch::mysql::Options& options, std::uint32_t lane)
      : session_(options, SessionRole::lane), lane_(lane) {}

  void write(const std::vector<vouch::Append>& group) {
    const std::vector<const vouch::Write*> writes = vouch::bench::by_partition(group);
    ++batch_;
    std::uint64_t number = insert_deliveries(writes);
    std::vector<Param> params;
    for (std::size_t i = 0; i < writes.size(); ++i) {
      if (i > 0 && writes[i - 1]->partition != writes[i]->partition) ++number;
      std::uint64_t version = writes[i]->known_head->value;
      for (const vouch::NewEvent& event : writes[i]->events) {
        params.insert(
            params.end(),
            {writes[i]->stream.view(), ++version, event.id.view(), lane_, ++place_, number,
             event.time.micros, std::string_view(event.type), std::string_view(event.content_type),
             std::string_view(event.data), std::string_view(event.metadata)});
        if (params.size() == kMostEvents * kColumns) insert_events(params);
      }
    }
    if (!params.empty()) insert_events(params);
    session_.execute("COMMIT");
  }

 private:
  static constexpr std::size_t kColumns = 11;

  /// Returns the number of the first row; the next ones follow it.
  std::uint64_t insert_deliveries(const std::vector<const vouch::Write*>& writes) {
    std::vector<Param> params;
    std::uint64_t rows = 0;
    std::uint64_t last = place_;
    for (std::size_t from = 0; from < writes.size(); ++rows) {
      const std::uint64_t first = last + 1;
      const vouch::Partition partition = writes[from]->partition;
      for (; from < writes.size() && writes[from]->partition == partition; ++from) {
        last += writes[from]->events.size();
      }
      params.insert(params.end(), {partition.value, lane_, batch_, first, last, last - first + 1,
                                   std::int64_t{1}});
    }
    auto& insert = session_.prepared(
        "INSERT INTO vouch_deliveries (partition_number, lane, batch, first_place, last_place, "
        "events, written) VALUES " +
        repeated("(?,?,?,?,?,?,?)", rows, ","));
    insert.execute(params);
    return insert.first_drawn();
  }

  void insert_events(std::vector<Param>& params) {
    session_
        .prepared(
            "INSERT INTO vouch_events (stream, version, id, lane, place, number, time, type, "
            "content_type, data, metadata) VALUES " +
            repeated("(?,?,?,?,?,?,?,?,?,?,?)", params.size() / kColumns, ","))
        .execute(params);
    params.clear();
  }

  Session session_;
  const std::uint32_t lane_;
  std::uint64_t batch_ = 0;
  std::uint64_t place_ = 0;
};

WriteGroup straight(const vouch::mysql::Options& options, std::uint32_t lane) {
  const auto bare = std::make_shared<BareLane>(options, lane);
  return [bare](const std::vector<vouch::Append>& group) { bare->write(group); };
}

void measure(const CeilingOptions& options) {
  vouch::testkit::TestServices services;
  const auto settings = vouch::mysql::options_from(
      vouch::testkit::make_settings(vouch::mysql::kSettings, {{"uri", options.uri}}));
  // The plugin makes the tables, so that they are the same.
  vouch::mysql::MysqlStorage storage(services, settings);
  demand(storage.open());
  demand(storage.check());
  demand(storage.migrate({"bench", kPartitions}));
  std::vector<WriteGroup> writers;
  for (std::uint32_t lane = 0; lane < options.lanes; ++lane) {
    if (options.plugin) {
      auto opened = storage.lane({lane}, std::chrono::seconds(5));
      demand(opened.status());
      writers.push_back(vouch::bench::through(*std::move(opened)));
    } else {
      writers.push_back(straight(settings, lane));
    }
  }
  vouch::bench::run_lanes(options, writers);
  writers.clear();
  storage.close();
}

}  // namespace

int main(int argc, char** argv) {
  CeilingOptions options;
  CLI::App app("Writes Vouch's rows into MariaDB or MySQL in groups; prints one JSON object.");
  app.add_option("--uri", options.uri, "mysql://user:password@host:port/database, an empty one")
      ->required();
  vouch::bench::add_options(app, options);
  return vouch::bench::ceiling_main(argc, argv, app, "ceiling-mysql", [&] { measure(options); });
}
