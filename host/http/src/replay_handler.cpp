// POST /v1/delivery:replay
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "accept.h"
#include "format/json_text.h"
#include "format/text_codec.h"
#include "handlers.h"
#include "parameters.h"
#include "problem.h"

namespace vouch::http {
namespace {

using format::JsonKind;
using format::JsonSlice;
using replay::ReplayProgress;
using replay::ReplayRequest;
using replay::ReplayState;

/// Between two lines of the answer: how soon a client that is gone is noticed.
constexpr std::chrono::seconds kBetweenLines{1};
constexpr std::uint64_t kMostRate = 1'000'000'000;

std::string text_of(const std::string& name, const JsonSlice& value) {
  if (value.kind != JsonKind::string) bad(name + " must be a string");
  return format::json_string(value);
}

std::uint64_t number_of(const std::string& name, const JsonSlice& value, std::uint64_t least,
                        std::uint64_t most) {
  const auto number = value.kind == JsonKind::number ? format::json_unsigned(value) : std::nullopt;
  if (!number || *number < least || *number > most) {
    bad(name + " must be a whole number from " + std::to_string(least) + " to " +
        std::to_string(most));
  }
  return *number;
}

Cursor cursor_of(const std::string& name, const JsonSlice& value) {
  const std::string text = text_of(name, value);
  if (text == "start" && name == "after") return {};
  auto cursor = format::cursor_from_text(text);
  if (!cursor) {
    bad(name + " must be a cursor that this API gave out" +
        (name == "after" ? ", or \"start\"" : ""));
  }
  return *std::move(cursor);
}

Timestamp time_of(const std::string& name, const JsonSlice& value) {
  const auto time = format::time_from_text(text_of(name, value));
  if (!time) bad(name + " must be a time such as 2026-11-23T16:06:11Z (RFC 3339)");
  return *time;
}

std::string category_of(const JsonSlice& value) {
  std::string category = text_of("category", value);
  if (!is_category(category)) {
    bad("category must be the part of a stream name before its first \"-\"");
  }
  return category;
}

StreamName stream_of(const JsonSlice& value) {
  auto stream = StreamName::parse(text_of("stream", value));
  if (!stream.ok()) bad("stream: " + stream.status().message());
  return *std::move(stream);
}

std::string word_of(const std::string& name, const JsonSlice& value) {
  std::string word = text_of(name, value);
  if (word.empty()) bad(name + " must not be empty");
  return word;
}

/// Reads one member. Errors: rejected; false when there is none of that name.
bool read_member(ReplayRequest& wish, const std::string& name, const JsonSlice& value) {
  if (name == "after") {
    wish.after = cursor_of(name, value);
  } else if (name == "until") {
    wish.until = cursor_of(name, value);
  } else if (name == "stream") {
    wish.stream = stream_of(value);
  } else if (name == "from") {
    wish.from = {number_of(name, value, 1, std::numeric_limits<std::int64_t>::max())};
  } else if (name == "category") {
    wish.category = category_of(value);
  } else if (name == "type") {
    wish.type = word_of(name, value);
  } else if (name == "since") {
    wish.since = time_of(name, value);
  } else if (name == "before") {
    wish.before = time_of(name, value);
  } else if (name == "route") {
    wish.route = word_of(name, value);
  } else if (name == "rate") {
    wish.rate = static_cast<std::uint32_t>(number_of(name, value, 0, kMostRate));
  } else if (name == "dry_run") {
    if (value.kind != JsonKind::boolean) bad("dry_run must be true or false");
    wish.dry_run = value.text == "true";
  } else {
    return false;
  }
  return true;
}

ReplayRequest read_wish(const Request& request) {
  demand_json(request, "what to replay comes");
  const auto document = format::parse_json(request.body);
  if (!document.ok()) bad("the body is not JSON: " + document.status().message());
  if (document->kind != JsonKind::object) bad("the body must be an object");
  const auto members = format::json_members(*document);
  if (!members.ok()) bad(members.status().message());
  ReplayRequest wish;
  std::map<std::string, bool, std::less<>> given;
  for (const auto& [name, value] : *members) {
    if (!read_member(wish, name, value)) {
      bad(name +
          " is unknown; known here: after until stream from category type since before "
          "route rate dry_run");
    }
    given[name] = true;
  }
  if (wish.stream) {
    for (const char* name : {"after", "until", "category"}) {
      if (given.contains(name)) {
        bad(std::string(name) + " does not go with stream, which is read from a version on (from)");
      }
    }
  } else if (given.contains("from")) {
    bad("from is a version of a stream, and needs stream");
  } else if (!given.contains("after")) {
    bad("after or stream is missing: what to begin at (\"after\":\"start\" is the first event "
        "ever)");
  }
  return wish;
}

std::string_view kind_of(const ReplayProgress& progress) {
  switch (progress.state) {
    case ReplayState::waiting:
      return "waiting";
    case ReplayState::running:
      return "progress";
    default:
      return "done";
  }
}

/// One line. Where to go on from is told by the names that the request has.
std::string line_of(std::string_view kind, const ReplayProgress& progress, bool of_stream) {
  std::string line = R"({"kind":")" + std::string(kind) + '"';
  if (of_stream) {
    line += R"(,"from":)" + std::to_string(progress.from.value);
  } else {
    line += R"(,"after":")" + format::cursor_text(progress.after) + '"';
  }
  line += R"(,"events":)" + std::to_string(progress.events);
  line += R"(,"published":)" + std::to_string(progress.published);
  line += R"(,"held_back":)" + std::to_string(progress.held_back);
  line += R"(,"refused":)" + std::to_string(progress.refused);
  if (progress.reached) line += R"(,"reached":")" + format::time_text(*progress.reached) + '"';
  if (!progress.problem.empty()) {
    line += R"(,"problem":)";
    format::append_json_string(line, progress.problem);
  }
  return line + "}\n";
}

std::string first_line(const replay::Replay& replay, const ReplayRequest& wish) {
  std::string line = R"({"kind":"begin","dry_run":)" + std::string(wish.dry_run ? "true" : "false");
  if (!wish.stream) line += R"(,"until":")" + format::cursor_text(replay.until()) + '"';
  return line + R"(,"rate":)" + std::to_string(wish.rate) + "}\n";
}

Response refusal(const Status& status) {
  switch (status.code()) {
    case StatusCode::already_exists:
      return to_response({ProblemType::conflict, status.message(), {}, {}});
    case StatusCode::not_found:
      return to_response({ProblemType::unprocessable, status.message(), {}, {}});
    default:
      return to_response(storage_problem(status, "beginning the replay"));
  }
}

}  // namespace

Response replay_history(const Request& request, Context& context) {
  choose_media_type(request, std::span(&kNdjson, 1));
  const ReplayRequest wish = read_wish(request);
  auto begun = context.backends.replays.begin(wish);
  if (!begun.ok()) return refusal(begun.status());
  const std::shared_ptr<replay::Replay> replay = *std::move(begun);
  Response response = answer(200, std::string(kNdjson), {});
  // The first line goes out before the work begins: from then on the client knows where it ends.
  response.source = [replay, first = first_line(*replay, wish), of_stream = wish.stream.has_value(),
                     &context]() mutable -> Result<BodyPart> {
    if (!first.empty()) return BodyPart{std::exchange(first, {}), false};
    const ReplayProgress progress =
        replay->work(std::chrono::steady_clock::now() + kBetweenLines, context.stopping);
    const bool done = progress.state == ReplayState::done;
    const bool stopped = !done && context.stopping;
    return BodyPart{line_of(stopped ? "stopped" : kind_of(progress), progress, of_stream),
                    done || stopped};
  };
  return response;
}

}  // namespace vouch::http
