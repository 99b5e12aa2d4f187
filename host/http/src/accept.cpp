#include "accept.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "problem.h"

namespace vouch::http {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Splits at `separator` outside of quoted strings.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  bool quoted = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == separator && !quoted) {
      parts.push_back(trim(text.substr(start, i - start)));
      start = i + 1;
    }
  }
  parts.push_back(trim(text.substr(std::min(start, text.size()))));
  return parts;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool media_range(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
         text.find_first_of(" \t\"", 0) == std::string_view::npos &&
         text.find('/', slash + 1) == std::string_view::npos;
}

/// A quality from "0" to "1" in thousandths; nothing when malformed.
std::optional<int> quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int thousandths = (text[0] - '0') * 1000;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int place = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    thousandths += (c - '0') * place;
    place /= 10;
  }
  return thousandths <= 1000 ? std::optional<int>(thousandths) : std::nullopt;
}

struct Range {
  std::string name;
  int quality = 1000;

  /// 2 for the type itself, 1 for "type/*", 0 for "*/*", -1 for others.
  [[nodiscard]] int specificity(std::string_view offered) const {
    if (name == offered) return 2;
    if (name == "*/*") return 0;
    const bool subtypes = name.size() > 2 && name.compare(name.size() - 2, 2, "/*") == 0;
    return subtypes && offered.substr(0, name.size() - 1) == name.substr(0, name.size() - 1) ? 1
                                                                                             : -1;
  }
};

std::vector<Range> parse_accept(std::string_view text) {
  std::vector<Range> ranges;
  for (const std::string_view element : split(text, ',')) {
    if (element.empty()) continue;
    const std::vector<std::string_view> parts = split(element, ';');
    Range range{lower(parts[0])};
    if (!media_range(range.name)) {
      reject(ProblemType::bad_request, "the header Accept is malformed");
    }
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (parts[i].size() < 2 || lower(parts[i].substr(0, 2)) != "q=") continue;
      const auto given = quality(parts[i].substr(2));
      if (!given) {
        reject(ProblemType::bad_request, "the header Accept has a bad q value: 0 to 1 is right");
      }
      range.quality = *given;
    }
    ranges.push_back(std::move(range));
  }
  return ranges;
}

}  // namespace

std::optional<MediaType> parse_media_type(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, ';');
  MediaType type{lower(parts[0]), {}};
  if (!media_range(type.name)) return std::nullopt;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    if (parts[i].empty()) continue;
    if (equals == std::string_view::npos) return std::nullopt;
    if (lower(parts[i].substr(0, equals)) != "charset") continue;
    std::string_view value = parts[i].substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    type.charset = lower(value);
  }
  return type;
}

std::size_t choose_media_type(const Request& request, std::span<const std::string_view> offered) {
  const auto accept = request.fields.joined("Accept");
  if (!accept) return 0;
  const std::vector<Range> ranges = parse_accept(*accept);
  if (ranges.empty()) return 0;
  std::size_t best = 0;
  int best_quality = 0;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    int specificity = -1;
    int given = 0;
    for (const Range& range : ranges) {
      const int matches = range.specificity(offered[i]);
      if (matches > specificity) {
        specificity = matches;
        given = range.quality;
      }
    }
    if (given > best_quality) {
      best = i;
      best_quality = given;
    }
  }
  if (best_quality == 0) {
    std::string detail = "offered here:";
    for (const std::string_view name : offered) detail.append(" ").append(name);
    reject(ProblemType::not_acceptable, std::move(detail));
  }
  return best;
}

}  // namespace vouch::http
