#include "check.h"

#include <fnmatch.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "broker_trial.h"
#include "storage_trial.h"

namespace vouch::conformance {
namespace {

/// Which section makes the promises of the cases whose ids begin so.
constexpr std::pair<std::string_view, std::string_view> kSections[] = {
    {"binary.", "the-library"},
    {"settings.", "settings"},
    {"lifecycle.", "life-of-a-plugin"},
    {"storage.migrate.", "opening-a-storage"},
    {"storage.check.", "opening-a-storage"},
    {"storage.close.", "opening-a-storage"},
    {"storage.payload.", "what-is-kept"},
    {"storage.names.", "what-is-kept"},
    {"storage.lane.", "lanes"},
    {"storage.append.", "lanes"},
    {"storage.group.", "lanes"},
    {"storage.race.", "lanes"},
    {"storage.idempotency.", "retries"},
    {"storage.event_id.", "retries"},
    {"storage.resolve.", "resolving"},
    {"storage.ledger.", "the-ledger"},
    {"storage.purge.", "the-ledger"},
    {"storage.read.", "reading"},
    {"storage.streams.", "reading"},
    {"storage.feed.", "the-feed"},
    {"storage.snapshot.", "optional-abilities"},
    {"storage.dead_letters.", "optional-abilities"},
    {"storage.hosts.", "optional-abilities"},
    {"storage.erase.", "optional-abilities"},
    {"broker.ensure.", "topics"},
    {"broker.publish.", "publishing"},
    {"broker.subscribe.", "subscribing"},
    {"broker.fault.", "faults-of-a-broker"},
    {"broker.close.", "closing-a-broker"},
};

/// Cases that need something to break, beside those of broker.fault.
constexpr std::string_view kFaults[] = {
    "broker.close.gives_unknown",
    "broker.publish.deadline_is_unknown",
    "broker.publish.overloaded",
    "storage.erase.survives_a_crash",
    "storage.ledger.claim_ends_with_a_crash",
    "storage.ledger.undelivered_survives_crash",
    "storage.resolve.after_crash",
};

/// A failure here is not one of the case's promise, and must not read as if it were.
template <typename Trialled>
std::unique_ptr<Trialled> made_ready(Trial& trial) {
  constexpr const char* kBefore = "before the case itself: ";
  try {
    return std::make_unique<Trialled>(trial);
  } catch (const ConformanceFailure& failure) {
    throw ConformanceFailure(kBefore + failure.done(), failure.expected(), failure.came_back());
  } catch (const CaseSkipped&) {
    throw;
  } catch (const std::exception& error) {
    throw ConformanceFailure(kBefore + std::string("made the plugin ready"), "no exception",
                             std::string("one: ") + error.what());
  }
}

template <typename Trialled, typename Case>
Check of_suite(const Case& one) {
  return {one.id, one.sentence, [run = one.run](const Options& options, const CasePlace& place) {
            Trial trial(options, place);
            run(*made_ready<Trialled>(trial));
          }};
}

}  // namespace

std::string_view Check::level() const {
  const std::string_view name = id;
  if (name.starts_with("broker.fault.") || std::ranges::find(kFaults, name) != std::end(kFaults)) {
    return "faults";
  }
  const std::string_view suite = name.substr(0, name.find('.'));
  return suite == "storage" || suite == "broker" ? "semantics" : suite;
}

std::string Check::contract() const {
  const auto* const found = std::ranges::find_if(
      kSections, [this](const auto& section) { return id.starts_with(section.first); });
  return "docs/plugin-authoring.md" +
         (found == std::end(kSections) ? std::string() : "#" + std::string(found->second));
}

std::vector<Check> checks_of(PluginKind kind) {
  std::vector<Check> all = settings_checks();
  std::ranges::move(lifecycle_checks(kind), std::back_inserter(all));
  if (kind == PluginKind::storage) {
    std::ranges::transform(storage_cases(), std::back_inserter(all),
                           of_suite<StorageTrial, StorageCase>);
  } else {
    std::ranges::transform(broker_cases(), std::back_inserter(all),
                           of_suite<BrokerTrial, BrokerCase>);
  }
  return all;
}

bool fits(const std::string& id, const std::vector<std::string>& patterns) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const std::string& pattern) {
           return ::fnmatch(pattern.c_str(), id.c_str(), 0) == 0;
         });
}

}  // namespace vouch::conformance
