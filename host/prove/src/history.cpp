#include "prove/history.h"

#include <algorithm>

namespace vouch::prove {
namespace {

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

std::string category_of(const std::string& stream) {
  return stream.substr(0, stream.find('-'));
}

std::string EventSeen::text() const {
  return stream + " version " + std::to_string(version) + " (" + mark + ", " + id + ")";
}

bool Expected::met_by(std::uint64_t actual) const {
  switch (kind) {
    case Kind::any:
      return true;
    case Kind::none:
      return actual == 0;
    case Kind::exists:
      return actual > 0;
    case Kind::version:
      return actual == version;
  }
  return false;
}

std::string Expected::text() const {
  switch (kind) {
    case Kind::any:
      return "any version";
    case Kind::none:
      return "no stream";
    case Kind::exists:
      return "a stream";
    case Kind::version:
      return "version " + std::to_string(version);
  }
  return "";
}

std::vector<const Attempt*> Append::committed() const {
  std::vector<const Attempt*> found;
  for (const Attempt& attempt : attempts) {
    if (attempt.outcome == Outcome::committed) found.push_back(&attempt);
  }
  return found;
}

bool Append::refused_for_good() const {
  if (attempts.empty() || !committed().empty()) return false;
  const auto refused = [](const Attempt& each) { return each.outcome == Outcome::refused; };
  if (std::ranges::all_of(attempts, refused)) return true;
  return repeatable() && attempts.back().status == 412;
}

std::string Append::text() const {
  std::string told;
  for (const Attempt& attempt : attempts) {
    if (!told.empty()) told += ", ";
    told += attempt.status == 0 ? "no answer" : std::to_string(attempt.status);
  }
  return "append of " + (marks.empty() ? std::string("nothing") : marks.front()) + " to " + stream +
         " (answers: " + told + ")";
}

bool Route::takes(const std::string& stream) const {
  return categories.empty() ||
         std::ranges::find(categories, category_of(stream)) != categories.end();
}

std::string Route::topic_of(const std::string& stream) const {
  std::string name = topic;
  replace_all(name, "{category}", category_of(stream));
  replace_all(name, "{stream}", stream);
  replace_all(name, "{type}", kEventType);
  return name;
}

}  // namespace vouch::prove
