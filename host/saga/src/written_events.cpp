#include "written_events.h"

#include <utility>

namespace vouch::saga {
namespace {

EventView view_of(const Write& write, const NewEvent& event, Version version) {
  EventView view;
  view.id = event.id;
  view.stream = write.stream.view();
  view.version = version;
  view.type = event.type;
  view.time = event.time;
  view.content_type = event.content_type;
  view.data = event.data;
  view.metadata = event.metadata;
  return view;
}

}  // namespace

void WrittenEvents::keep(std::vector<Append> appends, const StagedGroup& staged) {
  const auto all = std::make_shared<const std::vector<Append>>(std::move(appends));
  std::map<Partition, std::shared_ptr<WrittenDelivery>> parts;
  for (std::size_t i = 0; i < all->size(); ++i) {
    const StageResult& result = staged.results[i];
    const std::vector<Write>& writes = (*all)[i].writes;
    if (result.outcome != StageOutcome::staged || result.ranges.size() != writes.size()) continue;
    for (std::size_t w = 0; w < writes.size(); ++w) {
      std::shared_ptr<WrittenDelivery>& part = parts[writes[w].partition];
      if (part == nullptr) part = std::make_shared<WrittenDelivery>();
      part->appends = all;
      std::uint64_t version = result.ranges[w].first.value;
      for (const NewEvent& event : writes[w].events) {
        part->events.push_back(view_of(writes[w], event, Version{version++}));
        part->bytes += event.data.size() + event.metadata.size() + sizeof(EventView);
      }
    }
  }
  const std::lock_guard lock(mutex_);
  for (const Delivery& delivery : staged.deliveries) {
    const auto part = parts.find(delivery.id.partition);
    if (part == parts.end()) continue;
    bytes_ += part->second->bytes;
    kept_[delivery.id] = part->second;
    order_.push_back(delivery.id);
  }
  while (bytes_ > most_bytes_ && !order_.empty()) {
    const auto oldest = kept_.find(order_.front());
    order_.pop_front();
    if (oldest == kept_.end()) continue;
    bytes_ -= oldest->second->bytes;
    kept_.erase(oldest);
  }
}

std::shared_ptr<const WrittenDelivery> WrittenEvents::find(const Delivery& delivery) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(delivery.id);
  if (found == kept_.end() || found->second->events.size() != delivery.events) return nullptr;
  return found->second;
}

void WrittenEvents::forget(const DeliveryId& delivery) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(delivery);
  if (found == kept_.end()) return;
  bytes_ -= found->second->bytes;
  kept_.erase(found);
  while (!order_.empty() && !kept_.contains(order_.front())) order_.pop_front();
}

}  // namespace vouch::saga
