// What a run comes to, and how it is shown.
#include "prove/report.h"

#include <catch2/catch.hpp>

#include "repeat_command.h"
#include "small_history.h"

namespace vouch::prove::test {
namespace {

Report small_report() {
  Report report;
  report.config = "vouch.yaml";
  report.time = "2026-11-25T20:00:00.000000Z";
  report.version = "1.2.3";
  report.repeat = "vouch prove --config vouch.yaml --seed 7";
  report.seed = 7;
  report.hosts = 2;
  report.lasted = 6;
  InjectedFault fault;
  fault.fault.kind = FaultKind::kill;
  fault.on = "h1";
  fault.began = 2.2;
  fault.ended = 2.9;
  report.faults = {fault};
  return report;
}

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_CASE("A run without violations held, with its figures") {
  Report report = small_report();
  evaluate(report, good_history());
  CHECK(report.verdict == Verdict::held);
  CHECK(report.appends == 3);
  CHECK(report.committed == 2);
  CHECK(report.refused == 1);
  CHECK(report.unanswered == 1);
  CHECK(report.events == 3);
  CHECK(report.repeated_messages == 1);
  CHECK(report.seconds.at(1).committed == 1);
  CHECK(report.seconds.at(1).p50_ms == Approx(10).margin(0.5));
  CHECK(report.histories.empty());
  const std::string text = report_text(report);
  CHECK(text.ends_with("\nthe promise held\n"));
  CHECK(text.find("kill -9") != std::string::npos);
  CHECK(text.find(report.repeat) != std::string::npos);
}

TEST_CASE("A request counts for the fault that went on meanwhile") {
  Report report = small_report();
  History history = good_history();
  history.appends[1].attempts.back().replayed = false;
  history.appends[1].attempts.back().began = 2.8;
  evaluate(report, history);
  REQUIRE(report.measured.size() == 2);
  CHECK(report.measured[0].when == "calm");
  CHECK(report.measured[0].committed == 1);
  CHECK(report.measured[0].lasted == Approx(5.3));
  CHECK(report.measured[1].when == "kill -9");
  CHECK(report.measured[1].committed == 1);
}

TEST_CASE("A violation breaks the verdict and brings the history of its stream") {
  Report report = small_report();
  History history = good_history();
  history.outbound.push_back({"events.account", event(4, "phantom-0")});
  evaluate(report, history);
  CHECK(report.verdict == Verdict::broken);
  REQUIRE(report.histories.size() == 1);
  CHECK(report.histories[0].first == std::string(kStream) + " (invariant 1)");
  const std::string text = report_text(report);
  CHECK(text.ends_with("\nthe promise was broken\n"));
  CHECK(text.find("phantom-0") != std::string::npos);
  CHECK(report_html(report).find("phantom-0") != std::string::npos);
}

TEST_CASE(
    "A run that broke off held as far as it came, and a violation in it breaks it all the same") {
  Report report = small_report();
  report.broke_off = true;
  evaluate(report, good_history());
  CHECK(report.verdict == Verdict::unfinished);
  CHECK(report_text(report).ends_with("\nthe promise held as far as the trial came\n"));
  History history = good_history();
  history.outbound.clear();
  evaluate(report, history);
  CHECK(report.verdict == Verdict::broken);
}

TEST_CASE("The command that repeats a trial can be given to a shell") {
  ProveOptions options;
  options.config = "it's mine.yaml";
  options.seed = 7;
  options.lasts = 90;
  options.rate = 20;
  options.scratch = {"storage.settings.schema=trial_{id}"};
  options.plugin_directories = {"/opt/plugins"};
  CHECK(repeat_command(options, 1) ==
        "vouch prove --config 'it'\\''s mine.yaml' --seed 7 --minutes 1.5 --hosts 1 --rate 20 "
        "--scratch 'storage.settings.schema=trial_{id}' --plugin-dir /opt/plugins");
}

TEST_CASE("A run in which nothing was committed shows nothing") {
  Report report = small_report();
  evaluate(report, History{});
  CHECK(report.verdict == Verdict::nothing_shown);
  CHECK(report_text(report).ends_with("\nnothing was shown\n"));
}

TEST_CASE("The page is one file that loads nothing") {
  Report report = small_report();
  evaluate(report, good_history());
  const std::string page = report_html(report);
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.ends_with("</html>\n"));
  CHECK(page.find("@media print") != std::string::npos);
  CHECK(times(page, "<svg") == 2);
  for (const char* part : {"src=", "href=", "<script", "@import", "url("}) {
    INFO(part);
    CHECK(page.find(part) == std::string::npos);
  }
}

TEST_CASE("Nothing of what a run brings becomes a part of the page's structure") {
  Report report = small_report();
  report.config = "<a>&\"'.yaml";
  report.notes = {"<script>alert(1)</script>"};
  report.guarantees = {"<b>"};
  History history = good_history();
  history.outbound.push_back({"<i>", event(9, "<u>")});
  evaluate(report, history);
  const std::string page = report_html(report);
  for (const char* part : {"<a>", "<script", "<b>", "<i>", "<u>"}) {
    INFO(part);
    CHECK(page.find(part) == std::string::npos);
  }
  CHECK(page.find("&lt;a&gt;&amp;&quot;&#39;.yaml") != std::string::npos);
}

}  // namespace
}  // namespace vouch::prove::test
