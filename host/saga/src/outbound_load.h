// OutboundLoad: what the ledger gives for one round of one route, turned into messages. A
// DeliverySink for one call of Ledger::ready; of the saga's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "publish/outbound.h"
#include "saga/saga.h"
#include "written_events.h"

namespace vouch::saga {

using publish::OutboundEvent;

class OutboundLoad final : public DeliverySink {
 public:
  struct Item {
    Delivery delivery;
    bool had = false;     ///< acknowledged on this route before
    std::string problem;  ///< why it is not acknowledged; empty when it is
  };
  /// An event that waits behind a dead letter.
  struct Behind {
    std::size_t item;
    std::string stream;
    Version version;
    EventId id;
  };
  struct Limits {
    std::uint32_t events = 0;
    std::uint64_t bytes = 0;
  };

  /// `route` is null for a store without routes. `had`: whether the route has a delivery;
  /// `blocked`: whether a stream's event waits behind a dead letter.
  OutboundLoad(const Route* route, const std::string& store, const WrittenEvents& written,
               Limits limits, std::function<bool(const Delivery&)> had,
               std::function<bool(std::string_view, Version)> blocked);

  bool must_be_read(const Delivery& delivery) override;
  bool delivery(const Delivery& delivery) override;
  void event(const EventView& event) override;

  [[nodiscard]] std::vector<Item>& items() { return items_; }
  [[nodiscard]] const std::vector<OutboundEvent>& events() const { return events_; }
  [[nodiscard]] const std::vector<Behind>& behind() const { return behind_; }
  /// Events of the deliveries, published or not.
  [[nodiscard]] std::uint64_t seen() const { return seen_; }
  /// Events that came from the database.
  [[nodiscard]] std::uint64_t read_back() const { return read_back_; }
  /// Whether there may be more than was taken.
  [[nodiscard]] bool full() const { return full_ || seen_ >= limits_.events; }

 private:
  void take(const EventView& event);

  const Route* route_;
  const std::string& store_;
  const WrittenEvents& written_;
  const Limits limits_;
  const std::function<bool(const Delivery&)> had_;
  const std::function<bool(std::string_view, Version)> blocked_;
  std::map<DeliveryId, std::shared_ptr<const WrittenDelivery>> here_;
  std::vector<Item> items_;
  std::vector<OutboundEvent> events_;
  std::vector<Behind> behind_;
  std::uint64_t seen_ = 0;
  std::uint64_t read_back_ = 0;
  std::uint64_t bytes_ = 0;
  bool full_ = false;
};

}  // namespace vouch::saga
