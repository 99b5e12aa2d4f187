#include "runner.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <random>
#include <stdexcept>

#include "child.h"
#include "plugins/elf_look.h"
#include "storage_trial.h"

namespace vouch::conformance {
namespace {

namespace fs = std::filesystem;

/// A directory that is gone afterwards, whatever the case's process did.
class CaseDirectory {
 public:
  CaseDirectory() {
    std::string path = (fs::temp_directory_path() / "vouch-conformance-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) {
      throw std::runtime_error("can't make a directory below " +
                               fs::temp_directory_path().string());
    }
    path_ = path;
  }
  CaseDirectory(const CaseDirectory&) = delete;
  CaseDirectory& operator=(const CaseDirectory&) = delete;
  ~CaseDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

/// Such as no other run has, of letters and digits that names in every backend allow.
std::string fresh_case_id() {
  static std::random_device random;
  std::string id = "c";
  for (int i = 0; i < 12; ++i) id += "0123456789abcdefghijklmnopqrstuvwxyz"[random() % 36];
  return id;
}

Ending run_once(const Options& options, const Check& check, PluginKind kind) {
  const CaseDirectory directory;
  const CasePlace place{fresh_case_id(), directory.path(), {}};
  const auto body = [&] { check.run(options, place); };
  if (options.in_process) return run_here(body);
  Ending ending = run_in_child(body, options.time_limit);
  const bool may_leave_something = kind == PluginKind::storage && check.level() != "binary" &&
                                   ending.kind == Ending::Kind::failed;
  if (may_leave_something) {
    run_in_child(
        [&] {
          Trial trial(options, place);
          remove_place(trial);
        },
        options.time_limit);
  }
  return ending;
}

Result run_check(const Options& options, const Check& check, PluginKind kind) {
  Result result{check, {}, 1, options.repeat};
  for (; result.run <= result.runs; ++result.run) {
    const auto before = result.ending.time;
    result.ending = run_once(options, check, kind);
    result.ending.time += before;
    if (result.ending.kind != Ending::Kind::passed) return result;
  }
  result.run = result.runs;
  return result;
}

PluginKind kind_of(const Options& options) {
  const auto head = plugins::look_into(options.plugin);
  return head.ok() ? head->kind : PluginKind{};
}

/// All checks for plugins of these kinds, each once.
std::vector<ListedCheck> checks_for(const std::vector<PluginKind>& kinds) {
  std::vector<ListedCheck> all;
  for (Check& check : entry_checks()) all.push_back({std::move(check), kinds});
  for (const PluginKind kind : kinds) {
    for (Check& check : checks_of(kind)) {
      const auto known = std::ranges::find(
          all, check.id, [](const ListedCheck& listed) { return listed.check.id; });
      if (known != all.end()) {
        known->kinds.push_back(kind);
      } else {
        all.push_back({std::move(check), {kind}});
      }
    }
  }
  return all;
}

/// A filter that fits nothing is a slip of the pen, and would look like a case that passed.
void must_fit_something(const std::vector<ListedCheck>& all,
                        const std::vector<std::string>& filters) {
  for (const std::string& filter : filters) {
    if (std::ranges::any_of(
            all, [&](const ListedCheck& listed) { return fits(listed.check.id, {filter}); })) {
      continue;
    }
    throw std::runtime_error("no case fits --filter " + filter + "; --list shows all");
  }
}

}  // namespace

std::vector<ListedCheck> asked_for(const Options& options) {
  std::vector<PluginKind> kinds{PluginKind::storage, PluginKind::broker};
  if (!options.plugin.empty()) {
    const auto head = plugins::look_into(options.plugin);
    if (!head.ok()) throw std::runtime_error(head.status().message());
    std::erase_if(kinds, [&](PluginKind kind) { return kind != head->kind; });
  }
  std::vector<ListedCheck> all = checks_for(kinds);
  must_fit_something(all, options.filters);
  std::erase_if(all,
                [&](const ListedCheck& listed) { return !fits(listed.check.id, options.filters); });
  return all;
}

Report run_checks(const Options& options, const std::function<void(const Result&)>& heard) {
  const auto begin = std::chrono::steady_clock::now();
  const PluginKind kind = kind_of(options);
  Report report;
  report.plugin = options.plugin;
  if (kind == PluginKind::storage || kind == PluginKind::broker) {
    report.kind = to_string(kind);
    must_fit_something(checks_for({kind}), options.filters);
    if (kind == PluginKind::storage && options.proxy_port != 0) {
      throw std::runtime_error(
          "--proxy-port is for brokers: the hosts of a storage's case have a proxy each");
    }
  }
  const auto run = [&](const Check& check, bool keep_passed) {
    Result result = run_check(options, check, kind);
    const bool passed = result.ending.kind == Ending::Kind::passed;
    const bool failed = result.ending.kind == Ending::Kind::failed;
    if (passed && !keep_passed) return !failed;
    heard(result);
    report.results.push_back(std::move(result));
    return !failed;
  };
  for (const Check& check : entry_checks()) {
    report.usable = run(check, fits(check.id, options.filters));
    if (!report.usable) break;
  }
  if (report.usable) {
    const std::vector<Check> checks = checks_of(kind);
    const bool opens = std::ranges::any_of(checks, [&](const Check& check) {
      return check.needs_open && fits(check.id, options.filters);
    });
    for (const Check& check : checks) {
      const bool asked = fits(check.id, options.filters);
      if (check.id == kOpens && opens) {
        report.usable = run(check, asked);
        if (!report.usable) break;
      } else if (asked) {
        run(check, true);
      }
    }
  }
  report.time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  return report;
}

}  // namespace vouch::conformance
