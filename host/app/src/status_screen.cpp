#include "status_screen.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace vouch::app {
namespace {

constexpr std::size_t kLeastPartitions = 4;

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string seconds(const std::optional<double>& value) {
  if (!value) return "-";
  char text[32];
  if (*value < 120) {
    std::snprintf(text, sizeof text, *value < 10 ? "%.1f s" : "%.0f s", *value);
  } else if (*value < 2 * 3600) {
    std::snprintf(text, sizeof text, "%.0f min", *value / 60);
  } else {
    std::snprintf(text, sizeof text, "%.1f h", *value / 3600);
  }
  return text;
}

/// As wide as it is, or filled up; numbers stand right.
std::string left(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}
std::string right(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

class Screen {
 public:
  Screen(const StatusSample& before, const StatusSample& now, const ScreenOptions& options)
      : before_(before), now_(now), options_(options) {}

  std::string draw() {
    head();
    checks();
    rates();
    if (!now_.delivery_problem.empty()) {
      line();
      line(coloured(kRed, "delivery is not told: ") + now_.delivery_problem);
      return std::move(out_);
    }
    routes();
    hosts();
    partitions();
    return std::move(out_);
  }

 private:
  static constexpr const char* kRed = "\033[31m";
  static constexpr const char* kYellow = "\033[33m";
  static constexpr const char* kGreen = "\033[32m";
  static constexpr const char* kBold = "\033[1m";

  void line(const std::string& text = {}) {
    out_ += text;
    out_ += '\n';
    ++lines_;
  }
  [[nodiscard]] std::string coloured(const char* colour, const std::string& text) const {
    return options_.colours ? colour + text + "\033[0m" : text;
  }
  void title(const std::string& text) {
    line();
    line(coloured(kBold, text));
  }

  void head() {
    line(coloured(kBold, "Store " + now_.store) + " at " + options_.url + "   Vouch " +
         now_.version + "   " +
         (now_.ready ? coloured(kGreen, "ready") : coloured(kRed, "NOT READY")));
    line();
  }

  [[nodiscard]] std::string plugin_of(const std::string& check) const {
    if (check == "storage") return now_.storage_plugin;
    for (const auto& [name, plugin] : now_.brokers) {
      if (check == "broker " + name) return plugin;
    }
    return "";
  }

  void checks() {
    for (const CheckStatus& check : now_.checks) {
      const bool quiet = check.ok && !check.warning;
      const std::string plugin = plugin_of(check.name);
      if (quiet && plugin.empty()) continue;
      const std::string state = quiet           ? coloured(kGreen, "ok     ")
                                : check.warning ? coloured(kYellow, "warning")
                                                : coloured(kRed, "failed ");
      line("  " + state + "  " + check.name + (plugin.empty() ? "" : " (" + plugin + ")") +
           (check.detail.empty() ? "" : ": " + check.detail));
    }
  }

  [[nodiscard]] std::string rate(double before, double now, const char* unit = "") const {
    const double time = std::chrono::duration<double>(now_.taken - before_.taken).count();
    if (time <= 0 || now < before) return "-";
    return grouped(static_cast<std::uint64_t>(std::llround((now - before) / time))) + unit + "/s";
  }

  void rates() {
    line();
    line("this host: appended " + rate(before_.appended, now_.appended, " events") +
         ", delivered " + rate(before_.delivered, now_.delivered, " events") +
         ", refused for their version " + rate(before_.conflicts, now_.conflicts, " appends") +
         ", failed " + rate(before_.failures, now_.failures, " appends") + ", followers " +
         grouped(static_cast<std::uint64_t>(now_.followers)));
    if (!now_.delivery_problem.empty()) return;
    const BacklogStatus& total = now_.total;
    line("the store: undelivered " + grouped(total.undelivered) + ", the oldest for " +
         seconds(total.oldest_seconds) + "; this host: delivered again " +
         grouped(total.redelivered) + ", phantoms dropped " + grouped(total.phantoms) +
         ", recovered by the sweep " + grouped(total.recovered));
  }

  void routes() {
    std::size_t width = 5;
    for (const RouteStatus& route : now_.routes) width = std::max(width, route.name.size());
    title(left("ROUTE", width) + "  " + right("DELIVERED", 14) + right("RATE", 12) +
          right("WAITS FOR", 11) + right("DEAD LETTERS", 14));
    for (std::size_t i = 0; i < now_.routes.size(); ++i) {
      const RouteStatus& route = now_.routes[i];
      const double earlier = i < before_.routes.size()
                                 ? static_cast<double>(before_.routes[i].delivered)
                                 : static_cast<double>(route.delivered);
      const std::string letters = right(grouped(route.dead_letters), 14);
      line(left(route.name, width) + "  " + right(grouped(route.delivered), 14) +
           right(rate(earlier, static_cast<double>(route.delivered)), 12) +
           right(seconds(route.oldest_waiting_seconds), 11) +
           (route.dead_letters > 0 ? coloured(kYellow, letters) : letters));
      if (!route.problem.empty()) line("  " + coloured(kYellow, route.problem));
    }
  }

  void hosts() {
    std::size_t width = 4;
    for (const HostStatus& host : now_.hosts) width = std::max(width, host.name.size() + 2);
    title(left("HOST", width) + "  " + right("PARTITIONS", 10) + right("HEARD OF", 12) +
          "  STARTED");
    for (const HostStatus& host : now_.hosts) {
      const std::string words = left(host.name + (host.self ? " *" : ""), width) + "  " +
                                right(grouped(host.partitions), 10) +
                                right(seconds(host.heard_of_seconds_ago), 12) + "  " +
                                host.started.substr(0, 19) + "Z";
      line(host.here ? words : coloured(kRed, words + "  gone"));
    }
  }

  [[nodiscard]] std::string name_of(const std::string& id) const {
    for (const HostStatus& host : now_.hosts) {
      if (host.id == id) return host.name;
    }
    return id.empty() ? "nobody" : id;
  }

  void partitions() {
    std::size_t width = 5;
    for (const PartitionStatus& one : now_.partitions) {
      width = std::max(width, name_of(one.owner).size());
    }
    title("PARTITION  " + left("OWNER", width) + right("UNDELIVERED", 13) + right("OLDEST", 11));
    // Those that wait longest first, as many as there is room for.
    std::vector<const PartitionStatus*> order;
    for (const PartitionStatus& one : now_.partitions) order.push_back(&one);
    std::stable_sort(order.begin(), order.end(), [](const auto* one, const auto* other) {
      return one->backlog.oldest_seconds.value_or(-1) > other->backlog.oldest_seconds.value_or(-1);
    });
    std::size_t room = order.size();
    if (options_.rows > 0 && lines_ + order.size() > options_.rows - 1) {
      room =
          std::max(kLeastPartitions, options_.rows > lines_ + 2 ? options_.rows - lines_ - 2 : 0);
      room = std::min(room, order.size());
    }
    for (std::size_t i = 0; i < room; ++i) {
      const PartitionStatus& one = *order[i];
      line(right(std::to_string(one.number), 9) + "  " + left(name_of(one.owner), width) +
           right(grouped(one.backlog.undelivered), 13) +
           right(seconds(one.backlog.oldest_seconds), 11) +
           (one.problem.empty() ? "" : "  " + coloured(kYellow, one.problem)));
    }
    if (room < order.size()) line("(" + std::to_string(order.size() - room) + " more partitions)");
  }

  const StatusSample& before_;
  const StatusSample& now_;
  const ScreenOptions& options_;
  std::string out_;
  std::size_t lines_ = 0;
};

}  // namespace

std::string status_screen(const StatusSample& before, const StatusSample& now,
                          const ScreenOptions& options) {
  return Screen(before, now, options).draw();
}

}  // namespace vouch::app
