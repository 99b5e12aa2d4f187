// Run: the one kind of Replay there is. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "earlier_deliveries.h"
#include "replay/replay.h"
#include "source.h"

namespace vouch::replay {

class Run final : public Replay, private EventSink {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `taken` is false again when the run ends. The rest must outlive it.
  Run(ReplayOptions options, ReplayRequest request, Storage& storage,
      const std::vector<const publish::Route*>& routes, std::unique_ptr<Source> source,
      HostServices& services, std::shared_ptr<std::atomic<bool>> taken);
  ~Run() override;
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  ReplayProgress work(Time deadline, const std::atomic<bool>& give_up) override;
  [[nodiscard]] Cursor until() const override { return source_->until(); }

 private:
  /// What one route has yet to publish of the page.
  struct Outgoing {
    const publish::Route* route = nullptr;
    std::vector<publish::OutboundEvent> events;
    std::size_t most = 0;  ///< messages in one call; lowered while the broker's buffer is full
    Counter* published = nullptr;
  };
  /// Counts of the page, which is done with as a whole.
  struct Page {
    bool loaded = false;
    std::uint64_t events = 0;
    std::uint64_t counted = 0;  ///< messages, of a dry run
    std::uint64_t held_back = 0;
    std::optional<Timestamp> reached;
  };

  void step(const std::atomic<bool>& give_up);
  void wait_for_delivery();
  void load_page();
  void publish_page(const std::atomic<bool>& give_up);
  void finish_page();
  bool event(const EventView& event) override;
  [[nodiscard]] bool held_back(const publish::Route& route, const EventView& event) const;
  Status read_letters();
  [[nodiscard]] std::uint32_t page_events() const;
  void pause(const std::string& problem);
  void went_on();

  const ReplayOptions options_;
  const ReplayRequest request_;
  Storage& storage_;
  HostServices& services_;
  std::shared_ptr<std::atomic<bool>> taken_;
  std::unique_ptr<Source> source_;
  EarlierDeliveries earlier_;
  std::vector<Outgoing> outgoing_;
  std::map<std::pair<std::string, std::string>, Version> letters_;  ///< by route and stream
  Page page_;
  ReplayProgress progress_;
  std::chrono::milliseconds retry_{0};
  Time next_step_{};
};

}  // namespace vouch::replay
