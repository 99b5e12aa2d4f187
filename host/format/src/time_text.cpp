// Times in the text form of RFC 3339. Stateless, any thread.
#include "time_text.h"

#include <algorithm>
#include <chrono>

#include "format/text_codec.h"
#include "text_bytes.h"

namespace vouch::format {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
/// 0000-01-01T00:00:00Z and the last microsecond of the year 9999.
constexpr std::int64_t kFirstMicros = -62'167'219'200 * kMicrosPerSecond;
constexpr std::int64_t kLastMicros = 253'402'300'800 * kMicrosPerSecond - 1;

void put_digits(char* to, std::size_t count, std::uint64_t number) {
  for (std::size_t i = count; i-- > 0; number /= 10) to[i] = static_cast<char>('0' + number % 10);
}

/// Takes fixed pieces from the front of a text; once one is missing, `ok` stays false.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] char front() const { return rest_.empty() ? '\0' : rest_.front(); }

  int number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (!is_digit(front())) return fail();
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  char one_of(std::string_view choices) {
    const char c = front();
    if (rest_.empty() || choices.find(c) == std::string_view::npos)
      return static_cast<char>(fail());
    rest_.remove_prefix(1);
    return c;
  }

  /// A fraction of a second, cut to microseconds; 0 when there is none.
  std::int64_t fraction() {
    if (front() != '.') return 0;
    rest_.remove_prefix(1);
    if (!is_digit(front())) return fail();
    std::int64_t micros = 0;
    for (std::int64_t unit = kMicrosPerSecond / 10; is_digit(front()); unit /= 10) {
      micros += unit * (front() - '0');
      rest_.remove_prefix(1);
    }
    return micros;
  }

 private:
  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

/// Days since the Unix epoch, if the date exists.
std::optional<std::int64_t> read_date(Pieces& pieces) {
  const int year = pieces.number(4);
  pieces.one_of("-");
  const int month = pieces.number(2);
  pieces.one_of("-");
  const int day = pieces.number(2);
  const year_month_day date{std::chrono::year{year},
                            std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (!pieces.ok() || !date.ok()) return std::nullopt;
  return sys_days(date).time_since_epoch().count();
}

/// Seconds east of UTC, if the offset is legal.
std::optional<std::int64_t> read_offset(Pieces& pieces) {
  const char sign = pieces.one_of("Zz+-");
  if (!pieces.ok()) return std::nullopt;
  if (sign == 'Z' || sign == 'z') return 0;
  const int hours = pieces.number(2);
  pieces.one_of(":");
  const int minutes = pieces.number(2);
  if (!pieces.ok() || hours > 23 || minutes > 59) return std::nullopt;
  const std::int64_t seconds = std::int64_t{hours} * 3'600 + std::int64_t{minutes} * 60;
  return sign == '-' ? -seconds : seconds;
}

/// Leap seconds end a month, at midnight in UTC. `seconds` is the one behind it.
bool begins_a_month(std::int64_t seconds) {
  if (seconds % kSecondsPerDay != 0) return false;
  const year_month_day date{sys_days(days(seconds / kSecondsPerDay))};
  return date.day() == std::chrono::day{1};
}

}  // namespace

void append_time(std::string& out, Timestamp time) {
  const std::int64_t micros = std::clamp(time.micros, kFirstMicros, kLastMicros);
  const std::chrono::sys_time<std::chrono::microseconds> point{std::chrono::microseconds(micros)};
  const sys_days day = std::chrono::floor<days>(point);
  const year_month_day date{day};
  const auto in_day = static_cast<std::uint64_t>((point - day).count());
  const std::uint64_t second = in_day / 1'000'000;
  char text[] = "0000-00-00T00:00:00.000000Z";
  put_digits(text, 4, static_cast<std::uint64_t>(static_cast<int>(date.year())));
  put_digits(text + 5, 2, static_cast<unsigned>(date.month()));
  put_digits(text + 8, 2, static_cast<unsigned>(date.day()));
  put_digits(text + 11, 2, second / 3'600);
  put_digits(text + 14, 2, second / 60 % 60);
  put_digits(text + 17, 2, second % 60);
  put_digits(text + 20, 6, in_day % 1'000'000);
  out.append(text, sizeof text - 1);
}

std::string time_text(Timestamp time) {
  std::string out;
  append_time(out, time);
  return out;
}

std::optional<Timestamp> time_from_text(std::string_view text) {
  Pieces pieces(text);
  const std::optional<std::int64_t> day = read_date(pieces);
  if (!day) return std::nullopt;
  pieces.one_of("Tt");
  const int hour = pieces.number(2);
  pieces.one_of(":");
  const int minute = pieces.number(2);
  pieces.one_of(":");
  const int second = pieces.number(2);
  const std::int64_t fraction = pieces.fraction();
  const std::optional<std::int64_t> offset = read_offset(pieces);
  if (!offset || !pieces.ok() || !pieces.empty()) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::int64_t seconds = *day * kSecondsPerDay + std::int64_t{hour} * 3'600 +
                               std::int64_t{minute} * 60 + second - *offset;
  if (second == 60 && !begins_a_month(seconds)) return std::nullopt;
  const std::int64_t micros = seconds * kMicrosPerSecond + fraction;
  if (micros < kFirstMicros || micros > kLastMicros) return std::nullopt;
  return Timestamp{micros};
}

}  // namespace vouch::format
