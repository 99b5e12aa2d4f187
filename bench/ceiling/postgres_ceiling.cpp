// ceiling-postgres: the rows that Vouch writes, written straight into the same schema by one thread
// for each lane, in groups of a fixed size: one round trip with BEGIN, the ledger rows and the
// events, one with COMMIT. No HTTP, no broker, no saga, no look at what is there. With --plugin the
// same groups go through the plugin's `stage` and `commit`. Prints one JSON object.
#include "lane_writers.h"
#include "postgres_storage.h"
#include "session.h"
#include "vouch/testkit/test_services.h"

namespace {

using vouch::bench::CeilingOptions;
using vouch::bench::demand;
using vouch::bench::kPartitions;
using vouch::bench::WriteGroup;
using vouch::postgres::Array;
using vouch::postgres::ArrayType;
using vouch::postgres::Parameters;
using vouch::postgres::Sql;

// The plugin's own insert without its guard and without its answer.
constexpr Sql kBegin{"begin", "BEGIN"};
constexpr Sql kCommit{"commit", "COMMIT"};
constexpr Sql kInsert{
    "insert_group",
    "WITH d AS (INSERT INTO deliveries (partition, lane, batch, native, first_place, last_place, "
    "events, written) SELECT p, $1, $2, '', f, l, (l - f + 1)::integer, $3 "
    "FROM unnest($4, $5, $6) AS t(p, f, l) RETURNING number, partition), "
    "n AS (SELECT array_agg(number ORDER BY partition) AS numbers FROM d) "
    "INSERT INTO events (stream, version, id, type, time, content_type, data, metadata, lane, "
    "place, delivery) SELECT e.stream, e.version, e.id, 'deposited', $3, 'application/json', "
    "e.data, '', $1, e.place, (SELECT numbers FROM n)[e.part] "
    "FROM unnest($7, $8, $9, $10, $11, $12) AS e(part, stream, version, id, data, place)"};

/// What the plugin would send for the group, sorted as it would.
Parameters insert_of(const std::vector<vouch::Append>& group, std::uint32_t lane,
                     std::int64_t batch, std::int64_t& place) {
  const std::vector<const vouch::Write*> writes = vouch::bench::by_partition(group);
  Array parts(ArrayType::int4);
  Array firsts(ArrayType::int8);
  Array lasts(ArrayType::int8);
  Array part_of_row(ArrayType::int4);
  Array streams(ArrayType::text);
  Array versions(ArrayType::int8);
  Array ids(ArrayType::bytes);
  Array data(ArrayType::bytes);
  Array places(ArrayType::int8);
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const vouch::Write& write = *writes[i];
    if (i == 0 || writes[i - 1]->partition != write.partition) {
      parts.add4(static_cast<std::int32_t>(write.partition.value));
      firsts.add(place + 1);
    }
    std::uint64_t version = write.known_head->value;
    for (const vouch::NewEvent& event : write.events) {
      part_of_row.add4(static_cast<std::int32_t>(parts.size()));
      streams.add(write.stream.view());
      versions.add(static_cast<std::int64_t>(++version));
      ids.add(event.id.view());
      data.add(event.data);
      places.add(++place);
    }
    if (i + 1 == writes.size() || writes[i + 1]->partition != write.partition) lasts.add(place);
  }
  Parameters parameters;
  parameters.number4(lane).number8(batch).number8(1);
  parameters.array(std::move(parts)).array(std::move(firsts)).array(std::move(lasts));
  parameters.array(std::move(part_of_row)).array(std::move(streams)).array(std::move(versions));
  parameters.array(std::move(ids)).array(std::move(data)).array(std::move(places));
  return parameters;
}

WriteGroup straight(const vouch::postgres::Options& options, std::uint32_t lane) {
  auto session = std::make_shared<vouch::postgres::Session>(options, "ceiling");
  auto place = std::make_shared<std::int64_t>(0);
  auto batch = std::make_shared<std::int64_t>(0);
  return [=](const std::vector<vouch::Append>& group) {
    std::vector<vouch::postgres::Step> steps;
    steps.push_back({&kBegin, {}});
    steps.push_back({&kInsert, insert_of(group, lane, ++*batch, *place)});
    session->run(std::move(steps));
    session->run(kCommit);
  };
}

void measure(const CeilingOptions& options, const std::string& schema) {
  vouch::testkit::TestServices services;
  const auto settings = vouch::postgres::options_from(vouch::testkit::make_settings(
      vouch::postgres::kSettings, {{"uri", options.uri}, {"schema", schema}}));
  vouch::postgres::Session admin(settings, "ceiling");
  const std::string drop = "DROP SCHEMA IF EXISTS \"" + schema + "\" CASCADE";
  admin.execute("SET client_min_messages = warning; " + drop);
  // The plugin makes the tables, so that they are the same.
  vouch::postgres::PostgresStorage storage(services, settings);
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
  admin.execute(drop);
}

}  // namespace

int main(int argc, char** argv) {
  CeilingOptions options;
  std::string schema = "vouch_ceiling";
  CLI::App app("Writes Vouch's rows into PostgreSQL in groups; prints one JSON object.");
  app.add_option("--uri", options.uri, "the database, as libpq takes it")->required();
  app.add_option("--schema", schema, "dropped before and after")->capture_default_str();
  vouch::bench::add_options(app, options);
  return vouch::bench::ceiling_main(argc, argv, app, "ceiling-postgres",
                                    [&] { measure(options, schema); });
}
