// Prints the layout of everything that crosses the plugin boundary. Compiled against today's
// headers and against those of each frozen ABI; tests/abi/test_layout.py compares. A header that
// came after 1.0 is asked for with __has_include.
#include "layout_print.h"
#include "vouch/abi.h"
#include "vouch/dead_letter_store.h"
#include "vouch/erasure_store.h"
#include "vouch/host_registry.h"
#include "vouch/host_services.h"
#include "vouch/plugin.h"
#include "vouch/scratch.h"

namespace vouch {
namespace {

void constants() {
  std::printf("constant kPluginMagic: %u\n", kPluginMagic);
  std::printf("constant kDescriptorSymbol: %s\n", kDescriptorSymbol);
  std::printf("constant kBuildTagSize: %zu\n", kBuildTagSize);
  std::printf("constant kScratchPrefix: %s\n", kScratchPrefix.data());
  std::printf("constant kMaxErasureReason: %zu\n", kMaxErasureReason);
  std::printf("constant kTombstoneData: %s\n", kTombstoneData);
  std::printf("constant kTombstoneContentType: %s\n", kTombstoneContentType);
  std::printf("constant StreamName::kMaxBytes: %zu\n", StreamName::kMaxBytes);
}

void values() {
  STRUCT(Timestamp, FIELD(micros))
  STRUCT(Version, FIELD(value))
  STRUCT(Partition, FIELD(value))
  STRUCT(LaneNumber, FIELD(value))
  STRUCT(BatchNumber, FIELD(value))
  STRUCT(LedgerNumber, FIELD(value))
  STRUCT(StreamName)
  STRUCT(EventId, FIELD(bytes))
  STRUCT(ExpectedVersion, FIELD(kind), FIELD(version))
  ENUM(ExpectedVersion::Kind)
  STRUCT(Token, FIELD(lane), FIELD(batch), FIELD(native))
  STRUCT(Cursor, FIELD(bytes))
  STRUCT(DeliveryId, FIELD(partition), FIELD(number))
  STRUCT(Health, FIELD(ok), FIELD(detail))
  ENUM(StatusCode)
  STRUCT(Status)
  STRUCT(Result<bool>)
  STRUCT(Result<std::string>)
  STRUCT(Result<std::unique_ptr<Lane>>)
}

void events() {
  STRUCT(NewEvent, FIELD(id), FIELD(type), FIELD(time), FIELD(content_type), FIELD(data),
         FIELD(metadata))
  STRUCT(EventView, FIELD(id), FIELD(stream), FIELD(version), FIELD(type), FIELD(time),
         FIELD(content_type), FIELD(data), FIELD(metadata))
  STRUCT(Event, FIELD(id), FIELD(stream), FIELD(version), FIELD(type), FIELD(time),
         FIELD(content_type), FIELD(data), FIELD(metadata))
  INTERFACE(EventSink, METHOD(event))
}

void appends() {
  STRUCT(Write, FIELD(stream), FIELD(partition), FIELD(expected), FIELD(known_head), FIELD(events))
  STRUCT(Precondition, FIELD(stream), FIELD(expected))
  STRUCT(Idempotency, FIELD(scope), FIELD(key), FIELD(digest))
  STRUCT(Append, FIELD(writes), FIELD(preconditions), FIELD(idempotency))
  ENUM(StageOutcome)
  STRUCT(VersionRange, FIELD(first), FIELD(last))
  STRUCT(StageResult, FIELD(outcome), FIELD(ranges), FIELD(failed), FIELD(actual), FIELD(ids),
         FIELD(token), FIELD(deliveries))
  STRUCT(Delivery, FIELD(id), FIELD(token), FIELD(events), FIELD(written))
  STRUCT(StagedGroup, FIELD(token), FIELD(results), FIELD(deliveries))
  ENUM(CommitOutcome)
  STRUCT(CommitResult, FIELD(outcome), FIELD(reason))
  ENUM(Verdict)
}

void storage() {
  STRUCT(StoreIdentity, FIELD(name), FIELD(partitions))
  STRUCT(StorageCapabilities, FIELD(max_lanes), FIELD(several_hosts), FIELD(change_notification),
         FIELD(online_schema_change), FIELD(max_event_bytes))
  INTERFACE(Plugin, METHOD(query))
  INTERFACE(Storage, METHOD(open), METHOD(check), METHOD(migrate), METHOD(close), METHOD(health),
            METHOD(capabilities), METHOD(guarantees), METHOD(lane), METHOD(resolve), METHOD(fence),
            METHOD(ledger), METHOD(reader))
  INTERFACE(Lane, METHOD(number), METHOD(stage), METHOD(commit), METHOD(rollback))
  INTERFACE(DeliverySink, METHOD(must_be_read), METHOD(delivery), METHOD(event))
  STRUCT(Backlog, FIELD(partition), FIELD(deliveries), FIELD(events), FIELD(oldest))
  INTERFACE(Claim, METHOD(partition), METHOD(held))
  INTERFACE(Ledger, METHOD(ready), METHOD(complete), METHOD(delivered), METHOD(backlog),
            METHOD(purge), METHOD(claim))
}

void reading() {
  ENUM(Direction)
  STRUCT(FeedFilter, FIELD(category), FIELD(type), FIELD(stream))
  STRUCT(FeedQuery, FIELD(after), FIELD(until), FIELD(filter), FIELD(limit))
  INTERFACE(FeedSink, METHOD(event))
  STRUCT(FeedPage, FIELD(next), FIELD(at_end))
  INTERFACE(StreamSink, METHOD(stream))
  INTERFACE(Reader, METHOD(stream), METHOD(heads), METHOD(event), METHOD(feed), METHOD(reached),
            METHOD(feed_end), METHOD(streams))
}

void optional_of_storages() {
  INTERFACE_ID(SnapshotStore)
  STRUCT(Snapshot, FIELD(stream), FIELD(version), FIELD(time), FIELD(content_type), FIELD(data))
  INTERFACE(SnapshotStore, METHOD(save), METHOD(newest), METHOD(remove), METHOD(prune))
  INTERFACE_ID(DeadLetterStore)
  STRUCT(DeadLetterKey, FIELD(route), FIELD(stream))
  STRUCT(DeadLetter, FIELD(key), FIELD(partition), FIELD(version), FIELD(last), FIELD(released),
         FIELD(event), FIELD(topic), FIELD(reason), FIELD(since), FIELD(attempts), FIELD(revision))
  INTERFACE(DeadLetterStore, METHOD(put), METHOD(list), METHOD(find), METHOD(replace),
            METHOD(remove))
  INTERFACE_ID(HostRegistry)
  STRUCT(HostEntry, FIELD(id), FIELD(name), FIELD(owned), FIELD(started))
  STRUCT(SeenHost, FIELD(host), FIELD(age))
  INTERFACE(HostRegistry, METHOD(announce), METHOD(list), METHOD(leave))
  INTERFACE_ID(ErasureStore)
  STRUCT(Erasure, FIELD(stream), FIELD(first), FIELD(last), FIELD(time), FIELD(reason),
         FIELD(metadata))
  STRUCT(ErasureOutcome, FIELD(last), FIELD(events), FIELD(snapshots))
  STRUCT(ErasureRecord, FIELD(stream), FIELD(first), FIELD(last), FIELD(time), FIELD(reason),
         FIELD(events))
  INTERFACE(ErasureStore, METHOD(erase), METHOD(recorded))
  INTERFACE_ID(ScratchPlace)
  INTERFACE(ScratchPlace, METHOD(make), METHOD(remove))
}

void broker() {
  STRUCT(Header, FIELD(name), FIELD(value))
  STRUCT(Message, FIELD(topic), FIELD(partition), FIELD(key), FIELD(headers), FIELD(payload))
  ENUM(PublishOutcome)
  INTERFACE(PublishSink, METHOD(published))
  INTERFACE(MessageSink, METHOD(message), METHOD(gap))
  INTERFACE(Subscription, METHOD(stop))
  STRUCT(TopicSpec, FIELD(name), FIELD(partitions))
  STRUCT(BrokerCapabilities, FIELD(survives_crash), FIELD(several_hosts), FIELD(headers),
         FIELD(ordered_by_key), FIELD(max_message_bytes))
  INTERFACE(Broker, METHOD(open), METHOD(close), METHOD(health), METHOD(capabilities),
            METHOD(guarantees), METHOD(ensure), METHOD(publish), METHOD(subscribe))
  INTERFACE_ID(ScratchTopics)
  INTERFACE(ScratchTopics, METHOD(remove))
  INTERFACE_ID(ServerEndpoints)
  STRUCT(ServerEndpoint, FIELD(address), FIELD(reached_at))
  INTERFACE(ServerEndpoints, METHOD(endpoints), METHOD(redirects))
}

void services() {
  ENUM(LogLevel)
  STRUCT(LogField, FIELD(key), FIELD(value))
  INTERFACE(Logger, METHOD(enabled), METHOD(log))
  INTERFACE(Clock, METHOD(now), METHOD(steady))
  INTERFACE(Counter, METHOD(add))
  INTERFACE(Gauge, METHOD(set), METHOD(add))
  INTERFACE(Histogram, METHOD(observe))
  STRUCT(Label, FIELD(name), FIELD(value))
  INTERFACE(Metrics, METHOD(counter), METHOD(gauge), METHOD(histogram))
  INTERFACE(HostServices, METHOD(logger), METHOD(clock), METHOD(metrics), METHOD(stopping))
}

void descriptor() {
  ENUM(PluginKind)
  STRUCT(PluginDescriptor, FIELD(magic), FIELD(struct_size), FIELD(abi_major), FIELD(abi_minor),
         FIELD(kind), FIELD(build_tag), FIELD(name), FIELD(version), FIELD(vendor), FIELD(license),
         FIELD(summary), FIELD(settings), FIELD(setting_count), FIELD(setting_size),
         FIELD(validate), FIELD(create), FIELD(destroy))
  ENUM(SettingType)
  ENUM(SettingFlags)
  STRUCT(SettingSpec, FIELD(key), FIELD(type), FIELD(default_text), FIELD(min), FIELD(max),
         FIELD(choices), FIELD(flags), FIELD(doc), FIELD(example))
  INTERFACE(Settings, METHOD(has), METHOD(boolean), METHOD(integer), METHOD(number), METHOD(text),
            METHOD(duration), METHOD(size), METHOD(list), METHOD(map))
  INTERFACE(SettingProblems, METHOD(problem))
}

}  // namespace
}  // namespace vouch

int main() {
  std::printf("abi %u.%u\n", unsigned{vouch::kAbiMajor}, unsigned{vouch::kAbiMinor});
  std::printf("build tag %s\n", vouch::build_tag().data());
  vouch::constants();
  vouch::values();
  vouch::events();
  vouch::appends();
  vouch::storage();
  vouch::reading();
  vouch::optional_of_storages();
  vouch::broker();
  vouch::services();
  vouch::descriptor();
  return 0;
}
