#include "source.h"

#include <utility>

namespace vouch::replay {
namespace {

/// Data and metadata of a page; an event that is larger goes alone.
constexpr std::uint64_t kPageBytes = 4U << 20U;

/// What a filter of the storage does not know.
class Window {
 public:
  explicit Window(const ReplayRequest& request) : since_(request.since), before_(request.before) {}
  [[nodiscard]] bool has(Timestamp time) const {
    return (!since_ || time >= *since_) && (!before_ || time < *before_);
  }

 private:
  std::optional<Timestamp> since_;
  std::optional<Timestamp> before_;
};

class FeedSource final : public Source, private FeedSink {
 public:
  FeedSource(Reader& reader, const ReplayRequest& request, Cursor until)
      : reader_(reader), window_(request) {
    query_.after = request.after;
    query_.until = std::move(until);
    query_.filter.category = request.category;
    query_.filter.type = request.type;
  }

  /// Whether the place to begin at is the end already.
  Status start() {
    const Result<bool> reached = reader_.reached(query_.after, *query_.until);
    if (!reached.ok()) return reached.status();
    ended_ = *reached;
    return {};
  }

  Status page(std::uint32_t limit, EventSink& sink) override {
    query_.limit = limit;
    sink_ = &sink;
    bytes_ = 0;
    Result<FeedPage> page = reader_.feed(query_, *this);
    if (!page.ok()) return page.status();
    next_ = *std::move(page);
    return {};
  }

  void advance() override {
    query_.after = next_.next;
    ended_ = next_.at_end;
  }
  [[nodiscard]] bool ended() const override { return ended_; }
  void place(ReplayProgress& progress) const override { progress.after = query_.after; }
  [[nodiscard]] Cursor until() const override { return *query_.until; }

 private:
  bool event(const EventView& event, std::string_view /*after*/) override {
    if (window_.has(event.time)) sink_->event(event);
    bytes_ += event.data.size() + event.metadata.size();
    return bytes_ < kPageBytes;
  }

  Reader& reader_;
  const Window window_;
  FeedQuery query_;
  FeedPage next_;
  EventSink* sink_ = nullptr;
  std::uint64_t bytes_ = 0;
  bool ended_ = false;
};

class StreamSource final : public Source, private EventSink {
 public:
  StreamSource(Reader& reader, const ReplayRequest& request, Version head)
      : reader_(reader),
        window_(request),
        stream_(*request.stream),
        type_(request.type),
        from_(request.from),
        head_(head) {}

  Status page(std::uint32_t limit, EventSink& sink) override {
    sink_ = &sink;
    bytes_ = 0;
    next_ = from_;
    Status status = reader_.stream(stream_, from_, Direction::forward, limit, *this);
    if (status.ok() && next_ == from_) {
      status = Status(StatusCode::corrupt, "version " + std::to_string(from_.value) +
                                               " of stream " + stream_.str() + " is missing");
    }
    return status;
  }

  void advance() override { from_ = next_; }
  [[nodiscard]] bool ended() const override { return from_ > head_; }
  void place(ReplayProgress& progress) const override { progress.from = from_; }
  [[nodiscard]] Cursor until() const override { return {}; }

 private:
  bool event(const EventView& event) override {
    if (event.version > head_) return false;
    if (window_.has(event.time) && (type_.empty() || event.type == type_)) sink_->event(event);
    next_ = event.version.next();
    bytes_ += event.data.size() + event.metadata.size();
    return bytes_ < kPageBytes && event.version < head_;
  }

  Reader& reader_;
  const Window window_;
  const StreamName stream_;
  const std::string type_;
  Version from_;
  const Version head_;
  Version next_;
  EventSink* sink_ = nullptr;
  std::uint64_t bytes_ = 0;
};

Result<std::unique_ptr<Source>> stream_source(Reader& reader, const ReplayRequest& request) {
  const Result<std::vector<Version>> heads = reader.heads({&*request.stream, 1});
  if (!heads.ok()) return heads.status();
  return std::unique_ptr<Source>(std::make_unique<StreamSource>(reader, request, heads->front()));
}

}  // namespace

Result<std::unique_ptr<Source>> source_of(Reader& reader, const ReplayRequest& request) {
  if (request.stream) return stream_source(reader, request);
  Result<Cursor> until = reader.feed_end();
  if (!until.ok()) return until.status();
  if (request.until) {
    const Result<bool> committed = reader.reached(*until, *request.until);
    if (!committed.ok()) return committed.status();
    if (*committed) until = *request.until;
  }
  auto source = std::make_unique<FeedSource>(reader, request, *std::move(until));
  if (Status status = source->start(); !status.ok()) return status;
  return std::unique_ptr<Source>(std::move(source));
}

}  // namespace vouch::replay
