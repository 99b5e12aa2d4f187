#include "delivery_round.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>

#include "format/cloud_event.h"
#include "publish/publish_call.h"

namespace vouch::saga {
namespace {

using std::chrono::steady_clock;

/// Payload in one round; a delivery that is larger goes alone.
constexpr std::uint64_t kMostBytes = 16U << 20U;
constexpr std::array<double, 10> kSizes = {1, 5, 10, 50, 100, 250, 500, 1000, 2000, 5000};
constexpr std::array<double, 14> kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                             0.1,    0.25,  0.5,    1,     2.5,  10,    60};

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return list.empty() || std::find(list.begin(), list.end(), text) != list.end();
}

bool matches(const Route& route, const EventView& event) {
  return contains(route.categories, StreamName::category_of(event.stream)) &&
         contains(route.types, event.type);
}

}  // namespace

/// The deliveries of a round with their messages, for each broker apart.
class DeliveryRound::Load final : public DeliverySink {
 public:
  struct Item {
    Delivery delivery;
    bool all_acked = true;
    std::string problem;
  };
  /// An event in one of the two formats.
  struct Envelope {
    std::string payload;
    std::vector<std::pair<std::string, std::string>> attributes;
    std::vector<Header> headers;  ///< views of `attributes`
  };
  struct OutboundMessage {
    std::size_t item;
    std::string topic;
    std::string key;
    std::shared_ptr<const Envelope> envelope;  ///< shared by an event's routes
  };
  struct Batch {
    Broker* broker;
    std::vector<OutboundMessage> messages;
  };

  Load(const SagaOptions& options, const std::vector<Route>& routes, const WrittenEvents& written,
       std::uint32_t max_events)
      : options_(options), routes_(routes), written_(written), max_events_(max_events) {
    for (const Route& route : routes_) {
      const auto known = std::find_if(batches_.begin(), batches_.end(), [&](const Batch& batch) {
        return batch.broker == route.broker;
      });
      if (known == batches_.end()) batches_.push_back({route.broker, {}});
    }
  }

  bool must_be_read(const Delivery& delivery) override {
    auto here = written_.find(delivery);
    if (here == nullptr) return true;
    here_.emplace(delivery.id, std::move(here));
    return false;
  }

  bool delivery(const Delivery& delivery) override {
    // Once full, everything behind waits for the next round, so that order holds.
    full_ = full_ || bytes_ >= kMostBytes || events_ >= max_events_;
    if (full_) return false;
    items_.push_back({delivery, true, {}});
    const auto here = here_.find(delivery.id);
    if (here == here_.end()) return true;
    for (const EventView& event : here->second->events) take(event);
    here_.erase(here);
    return false;
  }

  void event(const EventView& event) override {
    ++read_back_;
    take(event);
  }

  [[nodiscard]] std::vector<Item>& items() { return items_; }
  [[nodiscard]] std::vector<Batch>& batches() { return batches_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }
  /// Events that came from the database.
  [[nodiscard]] std::uint64_t read_back() const { return read_back_; }
  /// Whether deliveries were left out to bound the memory.
  [[nodiscard]] bool full() const { return full_; }

 private:
  void take(const EventView& event) {
    ++events_;
    bytes_ += event.data.size() + event.metadata.size();
    std::shared_ptr<const Envelope> structured;
    std::shared_ptr<const Envelope> binary;
    for (const Route& route : routes_) {
      if (!matches(route, event)) continue;
      std::shared_ptr<const Envelope>& envelope = route.binary ? binary : structured;
      if (!envelope) envelope = route.binary ? binary_of(event) : structured_of(event);
      batch_of(route).messages.push_back(
          {items_.size() - 1, route.topic.expand(event), std::string(event.stream), envelope});
    }
  }

  [[nodiscard]] std::shared_ptr<const Envelope> structured_of(const EventView& event) const {
    static constexpr Header kMediaType{"content-type", format::kCloudEventMediaType};
    auto envelope = std::make_shared<Envelope>();
    envelope->payload.reserve(event.data.size() + event.metadata.size() + 512);
    format::append_cloud_event(envelope->payload, event, options_.store);
    envelope->headers.push_back(kMediaType);
    return envelope;
  }

  [[nodiscard]] std::shared_ptr<const Envelope> binary_of(const EventView& event) const {
    auto envelope = std::make_shared<Envelope>();
    envelope->payload = event.data;
    envelope->attributes = format::cloud_event_attributes(event, options_.store);
    for (const auto& [name, value] : envelope->attributes) {
      envelope->headers.push_back({name, value});
    }
    return envelope;
  }

  Batch& batch_of(const Route& route) {
    return *std::find_if(batches_.begin(), batches_.end(),
                         [&](const Batch& batch) { return batch.broker == route.broker; });
  }

  const SagaOptions& options_;
  const std::vector<Route>& routes_;
  const WrittenEvents& written_;
  const std::uint32_t max_events_;
  std::map<DeliveryId, std::shared_ptr<const WrittenDelivery>> here_;
  std::vector<Item> items_;
  std::vector<Batch> batches_;
  std::uint64_t events_ = 0;
  std::uint64_t read_back_ = 0;
  std::uint64_t bytes_ = 0;
  bool full_ = false;
};

DeliveryRound::DeliveryRound(const SagaOptions& options, Storage& storage,
                             const std::vector<Route>& routes, PartitionTable& partitions,
                             SignalBook& signals, DeliveredWaiters& waiters, WrittenEvents& written,
                             HostServices& services, const std::atomic<bool>& give_up)
    : options_(options),
      storage_(storage),
      routes_(routes),
      partitions_(partitions),
      signals_(signals),
      waiters_(waiters),
      written_(written),
      services_(services),
      give_up_(give_up),
      read_back_(services.metrics().counter(
          "vouch_delivery_read_back_events_total",
          "Events that were read from the database in order to be published.", {})),
      round_events_(services.metrics().histogram("vouch_delivery_round_events",
                                                 "Events published in one round.", {}, kSizes)),
      publish_seconds_(services.metrics().histogram(
          "vouch_delivery_publish_duration_seconds",
          "Time until every message of a round was acknowledged.", {}, kSeconds)),
      lag_seconds_(services.metrics().histogram(
          "vouch_delivery_lag_seconds",
          "Time from writing a delivery to its acknowledgement on all outbound topics.", {},
          kSeconds)),
      max_events_(options.max_round_events) {}

void DeliveryRound::run(const std::vector<Partition>& due) {
  if (const Status marked = mark_delivered(); !marked.ok()) return fail_all(due, marked);

  Load load(options_, routes_, written_, max_events_);
  const Status loaded = storage_.ledger().ready(due, {}, max_events_, load);
  if (!loaded.ok()) return fail_all(due, loaded.with_context("load undelivered events"));
  if (load.items().empty()) {
    for (const Partition partition : due) partitions_.succeeded(partition);
    return;
  }
  if (load.full() || load.events() >= max_events_) {
    for (const Partition partition : due) partitions_.mark_due(partition);
  }
  settle(load);
  ignore_status(mark_delivered(), "kept in unmarked_ and written before the next load");
}

/// Publishes a load, waits for the outcomes, and sorts deliveries into delivered and failed.
void DeliveryRound::settle(Load& load) {
  const auto start = steady_clock::now();
  std::map<Partition, std::uint64_t> again;
  for (const Load::Item& item : load.items()) {
    const bool here = signals_.waits_for(item.delivery.token);
    if (partitions_.loaded(item.delivery.id, here, start)) {
      again[item.delivery.id.partition] += item.delivery.events;
    }
  }
  for (const auto& [partition, events] : again) partitions_.count_redelivered(partition, events);

  struct Call {
    const Load::Batch* batch;
    publish::PublishCall call;
  };
  std::deque<Call> calls;
  bool overloaded = false;
  for (const Load::Batch& batch : load.batches()) {
    std::vector<Message> messages;
    messages.reserve(batch.messages.size());
    for (const Load::OutboundMessage& message : batch.messages) {
      messages.push_back({message.topic, std::nullopt, message.key, message.envelope->headers,
                          message.envelope->payload});
    }
    calls.push_back(
        {&batch, publish::PublishCall(*batch.broker, messages, options_.publish_timeout)});
  }
  for (Call& call : calls) {
    const publish::PublishReport report = call.call.wait(give_up_);
    overloaded = overloaded || report.problem.code() == StatusCode::overloaded;
    for (std::size_t i = 0; i < report.outcomes.size(); ++i) {
      if (report.outcomes[i] == PublishOutcome::acked) continue;
      Load::Item& item = load.items()[call.batch->messages[i].item];
      item.all_acked = false;
      item.problem = call.batch->messages[i].topic + ": " + report.problem.to_string();
    }
  }
  publish_seconds_.observe(std::chrono::duration<double>(steady_clock::now() - start).count());
  round_events_.observe(static_cast<double>(load.events()));
  read_back_.add(static_cast<double>(load.read_back()));
  max_events_ = overloaded ? std::max(max_events_ / 2, 1U)
                           : std::min(max_events_ * 2, options_.max_round_events);

  std::map<Partition, std::string> outcome;  // empty: everything of the partition was acknowledged
  const Timestamp now = services_.clock().now();
  for (const Load::Item& item : load.items()) {
    std::string& problem = outcome[item.delivery.id.partition];
    if (!item.all_acked) {
      if (problem.empty()) problem = item.problem;
      continue;
    }
    unmarked_.push_back(item.delivery.id);
    written_.forget(item.delivery.id);
    partitions_.delivered(item.delivery.id, item.delivery.events);
    lag_seconds_.observe(static_cast<double>(now.micros - item.delivery.written.micros) / 1e6);
  }
  for (const auto& [partition, problem] : outcome) {
    if (problem.empty()) {
      partitions_.succeeded(partition);
    } else {
      partitions_.failed(partition, problem, steady_clock::now());
    }
  }
}

/// Writes the marks of what is delivered; what can't be marked now stays for the next time.
Status DeliveryRound::mark_delivered() {
  if (unmarked_.empty()) return {};
  const Status marked = storage_.ledger().complete(unmarked_);
  if (!marked.ok()) return marked.with_context("mark events delivered");
  waiters_.delivered(unmarked_);
  unmarked_.clear();
  return {};
}

void DeliveryRound::fail_all(const std::vector<Partition>& partitions, const Status& why) {
  for (const Partition partition : partitions) {
    partitions_.failed(partition, why.to_string(), steady_clock::now());
  }
}

}  // namespace vouch::saga
