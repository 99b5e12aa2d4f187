#include "completion.h"

#include <array>

namespace vouch::saga {
namespace {

constexpr std::array<double, 14> kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                             0.1,    0.25,  0.5,    1,     2.5,  10,    60};

}  // namespace

Completion::Completion(std::size_t routes, const SagaOptions& options, Storage& storage,
                       PartitionTable& partitions, DeliveredWaiters& waiters,
                       WrittenEvents& written, HostServices& services)
    : routes_(routes),
      storage_(storage),
      partitions_(partitions),
      waiters_(waiters),
      written_(written),
      services_(services),
      lag_seconds_(services.metrics().histogram(
          "vouch_delivery_lag_seconds",
          "Time from writing a delivery to its acknowledgement on all outbound topics.", {},
          kSeconds)),
      incomplete_(options.partitions) {}

void Completion::add(const Delivery& delivery, std::size_t others) {
  std::uint64_t& incomplete = incomplete_[delivery.id.partition.value];
  if (others + 1 < routes_) {
    if (others == 0) ++incomplete;
    return;
  }
  if (others > 0 && incomplete > 0) --incomplete;
  unmarked_.push_back(delivery.id);
  written_.forget(delivery.id);
  partitions_.delivered(delivery.id, delivery.events);
  const std::int64_t lag = services_.clock().now().micros - delivery.written.micros;
  lag_seconds_.observe(static_cast<double>(lag) / 1e6);
}

Status Completion::flush() {
  if (unmarked_.empty()) return {};
  const Status marked = storage_.ledger().complete(unmarked_);
  if (!marked.ok()) return marked.with_context("mark events delivered");
  waiters_.delivered(unmarked_);
  unmarked_.clear();
  return {};
}

}  // namespace vouch::saga
