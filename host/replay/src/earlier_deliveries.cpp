#include "earlier_deliveries.h"

#include <algorithm>

namespace vouch::replay {
namespace {

constexpr std::uint32_t kPageEvents = 10'000;

/// Wants no events: numbers are all that is asked for.
class Numbers final : public DeliverySink {
 public:
  bool must_be_read(const Delivery& /*delivery*/) override { return false; }
  bool delivery(const Delivery& delivery) override {
    first_ = std::min(first_.value_or(delivery.id.number), delivery.id.number);
    last_ = std::max(last_.value_or(delivery.id.number), delivery.id.number);
    return false;
  }
  void event(const EventView& /*event*/) override {}

  [[nodiscard]] std::optional<LedgerNumber> first() const { return first_; }
  [[nodiscard]] std::optional<LedgerNumber> last() const { return last_; }

 private:
  std::optional<LedgerNumber> first_;
  std::optional<LedgerNumber> last_;
};

}  // namespace

EarlierDeliveries::EarlierDeliveries(Ledger& ledger, std::uint32_t partitions) : ledger_(ledger) {
  for (std::uint32_t i = 0; i < partitions; ++i) partitions_.push_back({i});
}

Result<bool> EarlierDeliveries::delivered() {
  if (done_) return true;
  if (!last_) {
    const auto last = last_ready();
    if (!last.ok()) return last.status();
    if (!last->has_value()) return done_ = true;
    last_ = **last;
  }
  const auto first = first_ready();
  if (!first.ok()) return first.status();
  done_ = !first->has_value() || **first > *last_;
  return done_;
}

Result<std::optional<LedgerNumber>> EarlierDeliveries::last_ready() {
  std::optional<LedgerNumber> last;
  for (;;) {
    Numbers page;
    const Status status =
        ledger_.ready(partitions_, last.value_or(LedgerNumber{}), kPageEvents, page);
    if (!status.ok()) return status;
    if (!page.last()) return last;
    last = page.last();
  }
}

Result<std::optional<LedgerNumber>> EarlierDeliveries::first_ready() {
  Numbers page;
  const Status status = ledger_.ready(partitions_, {}, 1, page);
  if (!status.ok()) return status;
  return page.first();
}

}  // namespace vouch::replay
