#include "vouch/staging/stored_result.h"

#include <cstdint>

namespace vouch::staging {
namespace {

constexpr std::uint64_t kFormat = 1;

class Encoder {
 public:
  explicit Encoder(std::string& out) : out_(out) {}
  void number(std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      out_.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> shift)));
    }
  }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }

 private:
  std::string& out_;
};

class Decoder {
 public:
  explicit Decoder(std::string_view in) : in_(in) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (const char c : take(8)) value = (value << 8U) | static_cast<std::uint8_t>(c);
    return value;
  }
  /// A number of items of which each takes at least `size` bytes.
  std::uint64_t count(std::size_t size) {
    const std::uint64_t value = number();
    if (value > in_.size() / size) damaged();
    return value;
  }
  std::uint32_t number32() { return static_cast<std::uint32_t>(number()); }
  std::string_view take(std::size_t size) {
    if (size > in_.size()) damaged();
    const std::string_view taken = in_.substr(0, size);
    in_.remove_prefix(size);
    return taken;
  }
  void end() const {
    if (!in_.empty()) damaged();
  }

  struct Damaged {};
  [[noreturn]] static void damaged() { throw Damaged{}; }

 private:
  std::string_view in_;
};

StageResult decode(std::string_view bytes) {
  Decoder in(bytes);
  if (in.number() != kFormat) Decoder::damaged();
  StageResult result;
  result.outcome = StageOutcome::duplicate;
  result.ranges.resize(in.count(16));
  for (VersionRange& range : result.ranges) {
    range.first.value = in.number();
    range.last.value = in.number();
  }
  result.ids.resize(in.count(EventId::kBytes));
  for (EventId& id : result.ids) id = *EventId::from_bytes(in.take(EventId::kBytes));
  result.token.lane.value = in.number32();
  result.token.batch.value = in.number();
  result.token.native = std::string(in.take(in.count(1)));
  result.deliveries.resize(in.count(16));
  for (DeliveryId& delivery : result.deliveries) {
    delivery.partition.value = in.number32();
    delivery.number.value = in.number();
  }
  in.end();
  return result;
}

}  // namespace

std::string encode_result(const StageResult& result) {
  std::string bytes;
  bytes.reserve(48 + 16 * (result.ranges.size() + result.deliveries.size()) +
                EventId::kBytes * result.ids.size());
  Encoder out(bytes);
  out.number(kFormat);
  out.number(result.ranges.size());
  for (const VersionRange& range : result.ranges) {
    out.number(range.first.value);
    out.number(range.last.value);
  }
  out.number(result.ids.size());
  for (const EventId& id : result.ids) bytes.append(id.view());
  out.number(result.token.lane.value);
  out.number(result.token.batch.value);
  out.text(result.token.native);
  out.number(result.deliveries.size());
  for (const DeliveryId& delivery : result.deliveries) {
    out.number(delivery.partition.value);
    out.number(delivery.number.value);
  }
  return bytes;
}

Result<StageResult> decode_result(std::string_view bytes) {
  try {
    return decode(bytes);
  } catch (const Decoder::Damaged&) {
    return Status(StatusCode::corrupt, "the result kept with an idempotency key is damaged");
  }
}

}  // namespace vouch::staging
