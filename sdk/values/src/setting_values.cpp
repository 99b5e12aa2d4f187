#include "vouch/values/setting_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "units.h"

namespace vouch::values {
namespace {

using Text = std::variant<std::string, TextList, TextMap>;

bool is_secret(const SettingSpec& spec) {
  return (spec.flags & kSettingSecret) != 0;
}

/// ", but is "…"", which a secret's message must not say.
std::string but_is(const SettingSpec& spec, std::string_view text) {
  return is_secret(spec) ? std::string() : ", but is " + quoted_text(text);
}

const char* wanted_form(SettingType type) {
  switch (type) {
    case SettingType::boolean:
      return "must be true or false";
    case SettingType::integer:
      return "must be a whole number";
    case SettingType::number:
      return "must be a number";
    case SettingType::duration:
      return "must be a duration such as 250ms, 5s, 2m, 1h or 7d";
    case SettingType::size:
      return "must be a size such as 512, 64KiB, 1MiB or 2GiB";
    case SettingType::list:
      return "must be a list";
    case SettingType::map:
      return "must be a map";
    default:
      return "must be one text";
  }
}

template <typename T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return value;
}

bool in_range(const SettingSpec& spec, double value) {
  return spec.min > spec.max ||
         (value >= static_cast<double>(spec.min) && value <= static_cast<double>(spec.max));
}

bool in_range(const SettingSpec& spec, std::int64_t value) {
  return spec.min > spec.max || (value >= spec.min && value <= spec.max);
}

bool in_range(const SettingSpec& spec, std::uint64_t value) {
  if (spec.min > spec.max) return true;
  return std::cmp_greater_equal(value, spec.min) && std::cmp_less_equal(value, spec.max);
}

bool in_range(const SettingSpec& spec, std::chrono::microseconds value) {
  if (spec.min > spec.max) return true;
  const std::int64_t millis = value.count() / 1000;  // rounded down: exact against `min`
  const bool rest = value.count() % 1000 != 0;
  return millis >= spec.min && (millis < spec.max || (millis == spec.max && !rest));
}

bool holds_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

std::string absolute_path(const std::string& text, const std::string& base_directory) {
  if (text.empty() || base_directory.empty()) return text;
  const std::filesystem::path path(text);
  if (path.is_absolute()) return text;
  return (std::filesystem::path(base_directory) / path).lexically_normal().string();
}

std::string choices_problem(const SettingSpec& spec, const std::string& text) {
  const std::vector<std::string> choices = split(spec.choices, '|');
  std::string message = "must be one of ";
  for (std::size_t i = 0; i < choices.size(); ++i) message += (i > 0 ? ", " : "") + choices[i];
  message += but_is(spec, text);
  const std::vector<std::string_view> known(choices.begin(), choices.end());
  const auto near = is_secret(spec) ? std::nullopt : nearest(text, known);
  return near ? message + "; did you mean " + *near + "?" : message;
}

/// Turns one text into a value by the table's row, or says what is wrong.
template <typename Value>
class Reader {
 public:
  Reader(const SettingSpec& spec, const std::string& base_directory)
      : spec_(spec), base_directory_(base_directory) {}

  std::optional<Value> read(const Text& given, std::string& problem) {
    const bool wants_list = spec_.type == SettingType::list;
    const bool wants_map = spec_.type == SettingType::map;
    if (const auto* list = std::get_if<TextList>(&given)) {
      if (!wants_list) return fail(problem, std::string(wanted_form(spec_.type)) + ", not a list");
      return checked_list(*list, problem);
    }
    if (const auto* map = std::get_if<TextMap>(&given)) {
      if (!wants_map) return fail(problem, std::string(wanted_form(spec_.type)) + ", not a map");
      return checked_map(*map, problem);
    }
    const auto& text = std::get<std::string>(given);
    if (wants_list || wants_map) return fail(problem, form(text));
    return scalar(text, problem);
  }

  /// A default is one text: "a, b" for a list, "a=1, b=2" for a map.
  std::optional<Value> read_default(std::string& problem) {
    if (spec_.type == SettingType::list) return read(split(spec_.default_text, ','), problem);
    if (spec_.type != SettingType::map) return read(std::string(spec_.default_text), problem);
    TextMap map;
    for (const std::string& part : split(spec_.default_text, ',')) {
      const auto equals = part.find('=');
      if (equals == std::string::npos) return fail(problem, "must be written as key=value");
      map.emplace_back(part.substr(0, equals), part.substr(equals + 1));
    }
    return read(map, problem);
  }

 private:
  std::optional<Value> fail(std::string& problem, std::string message) {
    problem = std::move(message);
    return std::nullopt;
  }

  [[nodiscard]] std::string form(std::string_view text) const {
    return wanted_form(spec_.type) + but_is(spec_, text);
  }

  template <typename T>
  std::optional<Value> ranged(std::optional<T> value, const std::string& text,
                              std::string& problem) {
    if (!value) return fail(problem, form(text));
    if (in_range(spec_, *value)) return Value(*value);
    return fail(problem, "must be " + range_text(spec_) + but_is(spec_, text));
  }

  std::optional<Value> scalar(const std::string& text, std::string& problem) {
    switch (spec_.type) {
      case SettingType::boolean:
        if (text == "true" || text == "false") return Value(text == "true");
        return fail(problem, form(text));
      case SettingType::integer:
        return ranged(parse_whole<std::int64_t>(text), text, problem);
      case SettingType::number: {
        auto value = parse_whole<double>(text);
        if (value && !std::isfinite(*value)) value.reset();
        return ranged(value, text, problem);
      }
      case SettingType::duration:
        return ranged(parse_duration(text), text, problem);
      case SettingType::size:
        return ranged(parse_size(text), text, problem);
      case SettingType::choice: {
        const std::vector<std::string> choices = split(spec_.choices, '|');
        if (std::ranges::find(choices, text) != choices.end()) return Value(text);
        return fail(problem, choices_problem(spec_, text));
      }
      default:
        break;
    }
    if (holds_nul(text)) return fail(problem, "must not hold a zero byte");
    if (spec_.type == SettingType::path) return Value(absolute_path(text, base_directory_));
    return Value(text);
  }

  std::optional<Value> checked_list(const TextList& list, std::string& problem) {
    if (std::ranges::any_of(list, holds_nul)) return fail(problem, "must not hold a zero byte");
    return Value(list);
  }

  std::optional<Value> checked_map(const TextMap& map, std::string& problem) {
    std::set<std::string_view> seen;
    for (const auto& [key, value] : map) {
      if (holds_nul(key) || holds_nul(value)) return fail(problem, "must not hold a zero byte");
      if (!seen.insert(key).second) {
        return fail(problem, "holds the key " + quoted_text(key) + " twice");
      }
    }
    return Value(map);
  }

  const SettingSpec& spec_;
  const std::string& base_directory_;
};

std::string unknown_key(const std::string& key, std::span<const SettingSpec> table) {
  std::vector<std::string_view> known;
  known.reserve(table.size());
  for (const SettingSpec& spec : table) known.emplace_back(spec.key);
  if (const auto near = nearest(key, known)) {
    return "there is no such setting; did you mean " + *near + "?";
  }
  std::string message = "there is no such setting";
  for (std::size_t i = 0; i < known.size(); ++i) {
    message += (i == 0 ? "; there are " : ", ") + std::string(known[i]);
  }
  return message;
}

std::string missing_key(const SettingSpec& spec) {
  std::string message = spec.doc != nullptr ? spec.doc : spec.key;
  if (message.ends_with('.')) message.pop_back();
  message.insert(0, "is required: ");
  if (spec.example != nullptr) message += " (for example " + std::string(spec.example) + ")";
  return message;
}

/// As it can be read on one line, and told from no text at all.
std::string one_line(const std::string& text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  const bool plain = !text.empty() && text.front() != ' ' && text.back() != ' ' &&
                     std::ranges::none_of(text, control);
  return plain ? text : quoted_text(text, text.size());
}

std::string shown_text(const Text& text) {
  if (const auto* one = std::get_if<std::string>(&text)) return one_line(*one);
  std::string out;
  if (const auto* list = std::get_if<TextList>(&text)) {
    for (const std::string& part : *list) out += (out.empty() ? "" : ", ") + one_line(part);
    return "[" + out + "]";
  }
  for (const auto& [key, value] : std::get<TextMap>(text)) {
    out += (out.empty() ? "" : ", ") + one_line(key) + ": " + one_line(value);
  }
  return "{" + out + "}";
}

}  // namespace

SettingValues SettingValues::make(std::span<const SettingSpec> table,
                                  std::vector<GivenSetting> given,
                                  std::vector<SettingProblem>& problems,
                                  const std::string& base_directory) {
  std::vector<std::optional<std::size_t>> given_at(table.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto row = std::ranges::find_if(
        table, [&](const SettingSpec& spec) { return given[i].key == spec.key; });
    if (row == table.end()) {
      problems.push_back({given[i].key, unknown_key(given[i].key, table), i});
      continue;
    }
    auto& at = given_at[static_cast<std::size_t>(row - table.begin())];
    if (at) problems.push_back({given[i].key, "is given twice", i});
    at = i;
  }

  SettingValues values;
  values.entries_.reserve(table.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    const SettingSpec& spec = table[row];
    Entry& made = values.entries_.emplace_back();
    made.spec = spec;
    made.is_default = !given_at[row];
    Reader<Value> reader(spec, base_directory);
    std::string problem;
    if (given_at[row]) {
      const auto& written = given[*given_at[row]].value;
      made.value = reader.read(written, problem);
      made.written = shown_text(written);
    } else if (spec.default_text != nullptr) {
      made.value = reader.read_default(problem);
      made.written = spec.type == SettingType::list  ? "[" + std::string(spec.default_text) + "]"
                     : spec.type == SettingType::map ? "{" + std::string(spec.default_text) + "}"
                                                     : shown_text(std::string(spec.default_text));
      if (!made.value) problem.insert(0, "the table's own default is wrong: ");
    } else if ((spec.flags & kSettingRequired) != 0) {
      problem = missing_key(spec);
    }
    if (!problem.empty()) problems.push_back({spec.key, std::move(problem), given_at[row]});
    const bool shows_path = spec.type == SettingType::path && made.value;
    if (shows_path) made.written = one_line(std::get<std::string>(*made.value));
  }
  return values;
}

const SettingValues::Entry& SettingValues::entry(std::string_view key) const {
  for (const Entry& candidate : entries_) {
    if (key == candidate.spec.key) return candidate;
  }
  throw std::logic_error("the settings table has no key " + std::string(key));
}

template <typename T>
const T& SettingValues::get(std::string_view key) const {
  const Entry& found = entry(key);
  if (!found.value) throw std::logic_error("the setting " + std::string(key) + " has no value");
  if (const T* value = std::get_if<T>(&*found.value)) return *value;
  throw std::logic_error("the setting " + std::string(key) + " is of another type");
}

bool SettingValues::has(std::string_view key) const {
  return entry(key).value.has_value();
}

bool SettingValues::boolean(std::string_view key) const {
  return get<bool>(key);
}

std::int64_t SettingValues::integer(std::string_view key) const {
  return get<std::int64_t>(key);
}

double SettingValues::number(std::string_view key) const {
  return get<double>(key);
}

std::string SettingValues::text(std::string_view key) const {
  return get<std::string>(key);
}

std::chrono::microseconds SettingValues::duration(std::string_view key) const {
  return get<std::chrono::microseconds>(key);
}

std::uint64_t SettingValues::size(std::string_view key) const {
  return get<std::uint64_t>(key);
}

std::vector<std::string> SettingValues::list(std::string_view key) const {
  return get<TextList>(key);
}

std::vector<std::pair<std::string, std::string>> SettingValues::map(std::string_view key) const {
  return get<TextMap>(key);
}

std::vector<SettingValues::Shown> SettingValues::shown() const {
  std::vector<Shown> out;
  out.reserve(entries_.size());
  for (const Entry& row : entries_) {
    Shown line{row.spec.key, row.written, row.is_default};
    if (!row.value) {
      line.value = "(not set)";
    } else if (is_secret(row.spec)) {
      line.value = "[secret]";
    }
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace vouch::values
