#include "writer.h"

#include <algorithm>

#include "json_object_view.h"

namespace vouch::prove {
namespace {

constexpr std::chrono::milliseconds kPatience{10'000};
constexpr Seconds kBetweenTries = 0.02;
constexpr std::uint64_t kEventCounts[] = {1, 1, 1, 1, 2, 2, 5, 20};
constexpr const char* kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 27 digits of base62 that stay below 2^160: the first one is small.
std::string draw_id(SeededRandom& random) {
  std::string id(1, '0');
  while (id.size() < 27) id += kBase62[random.below(62)];
  return id;
}

}  // namespace

std::string request_body(const Append& append) {
  std::string body = "[";
  for (std::size_t i = 0; i < append.marks.size(); ++i) {
    if (i > 0) body += ',';
    body += R"({"type":")" + std::string(kEventType) + '"';
    if (!append.ids.empty()) body += R"(,"id":")" + append.ids[i] + '"';
    // From little to a kilobyte.
    const std::size_t pad = append.marks[i].size() * (i == 3 ? 100 : 5);
    body +=
        R"(,"data":{"mark":")" + append.marks[i] + R"(","pad":")" + std::string(pad, 'x') + "\"}}";
  }
  return body + "]";
}

std::vector<std::pair<std::string, std::string>> request_headers(const Append& append) {
  std::vector<std::pair<std::string, std::string>> headers{{"Content-Type", "application/json"}};
  if (!append.key.empty()) headers.emplace_back("Idempotency-Key", append.key);
  switch (append.expected.kind) {
    case Expected::Kind::any:
      break;
    case Expected::Kind::none:
      headers.emplace_back("If-None-Match", "*");
      break;
    case Expected::Kind::exists:
      headers.emplace_back("If-Match", "*");
      break;
    case Expected::Kind::version:
      headers.emplace_back("If-Match", '"' + std::to_string(append.expected.version) + '"');
      break;
  }
  return headers;
}

Attempt attempt_of(const HttpAnswer& answer) {
  Attempt attempt;
  attempt.status = answer.status;
  const JsonObjectView told(answer.body);
  const std::string type = told.text("type");
  if (answer.status == 201 || answer.status == 202) {
    attempt.outcome = Outcome::committed;
    attempt.first_version = told.number("first_version").value_or(0);
    for (const format::JsonSlice& id : told.list("ids")) {
      attempt.ids.push_back(format::json_string(id));
    }
    attempt.replayed = answer.replayed;
  } else if (told.valid() && type != "urn:vouch:problem:commit-unknown" &&
             type != "urn:vouch:problem:idempotency-in-flight" &&
             type != "urn:vouch:problem:internal") {
    attempt.outcome = Outcome::refused;
    attempt.actual = told.number("actual");
  }
  attempt.tx = told.text("tx");
  return attempt;
}

Writer::Writer(const WriterContext& context, std::string name, std::uint64_t seed, Seconds period,
               std::vector<std::string> own)
    : context_(context),
      name_(std::move(name)),
      random_(seed),
      period_(period),
      own_(std::move(own)) {}

Writer::~Writer() {
  end(0);
  if (thread_.joinable()) thread_.join();
}

void Writer::start() {
  thread_ = std::thread([this] { work(); });
}

void Writer::end(Seconds patience) {
  last_moment_ = std::min(last_moment_.load(), context_.clock.now() + patience);
  over_ = true;
}

bool Writer::out_of_time() const {
  return over_ && context_.clock.now() > last_moment_;
}

void Writer::work() {
  Seconds due = context_.clock.now() + random_.between(0, period_);
  while (!over_) {
    const Seconds now = context_.clock.now();
    if (due > now) {
      pause_for(std::min(due - now, 0.1));
      continue;
    }
    // What could not be sent in time is not sent later on.
    due = std::max(due + period_, now - period_);
    std::vector<std::size_t> again;
    for (std::size_t i = appends_.size() - std::min<std::size_t>(appends_.size(), 40);
         i < appends_.size(); ++i) {
      if (appends_[i].repeatable()) again.push_back(i);
    }
    if (!again.empty() && random_.chance(0.05)) {
      // A client that did not trust its answer.
      carry_out(appends_[again[random_.below(again.size())]]);
    } else {
      appends_.push_back(plan());
      carry_out(appends_.back());
    }
  }
  client_.reset();
  ended_ = true;
}

Append Writer::plan() {
  Append append;
  const bool shared = own_.empty() || random_.chance(0.5);
  const auto& streams = shared ? context_.shared : own_;
  append.stream = streams[random_.below(streams.size())];
  const std::uint64_t count = kEventCounts[random_.below(std::size(kEventCounts))];
  const std::string mark = name_ + "-" + std::to_string(appends_.size()) + "-";
  for (std::uint64_t i = 0; i < count; ++i) append.marks.push_back(mark + std::to_string(i));
  if (random_.chance(0.5)) {
    const std::uint64_t known = context_.heads.of(append.stream);
    append.expected = known == 0             ? Expected{Expected::Kind::none}
                      : random_.chance(0.67) ? Expected{Expected::Kind::version, known}
                                             : Expected{Expected::Kind::exists};
  }
  const std::uint64_t protection = random_.below(4);
  if (protection == 1 || protection == 3) append.key = "key-" + mark + "k";
  if (protection >= 2) {
    for (std::uint64_t i = 0; i < count; ++i) append.ids.push_back(draw_id(random_));
  }
  return append;
}

void Writer::carry_out(Append& append) {
  while (!out_of_time()) {
    const std::optional<Attempt> made = attempt(append);
    if (!made) {
      pause_for(kBetweenTries);
      continue;
    }
    append.attempts.push_back(*made);
    if (made->outcome == Outcome::committed) {
      context_.heads.at_least(append.stream, made->first_version + append.marks.size() - 1);
      ++context_.counts.committed;
      return;
    }
    ++(made->status == 0 ? context_.counts.unanswered : context_.counts.refused);
    if (made->actual) {
      context_.heads.set(append.stream, *made->actual);
      return;
    }
    if (made->outcome == Outcome::open && !append.repeatable()) return;
    if (made->status >= 400 && made->status < 500 && made->status != 409 && made->status != 429 &&
        made->status != 408) {
      complaints_.push_back(append.text());
      return;
    }
    if (over_ && !append.repeatable()) return;
    pause_for(kBetweenTries);
  }
}

bool Writer::connected() {
  if (client_) return true;
  const std::uint16_t port = context_.hosts.port(random_.below(context_.hosts.count()));
  if (port == 0) return false;
  auto client = std::make_unique<HttpClient>(port, kPatience);
  if (!client->connect()) return false;
  client_ = std::move(client);
  return true;
}

std::optional<Attempt> Writer::attempt(const Append& append) {
  if (!connected()) return std::nullopt;
  HttpRequest request;
  request.method = "POST";
  request.path = "/v1/streams/" + append.stream + "/events";
  request.headers = request_headers(append);
  request.body = request_body(append);
  const Seconds began = context_.clock.now();
  const std::optional<HttpAnswer> answer = client_->send(request);
  Attempt made = answer ? attempt_of(*answer) : Attempt{};
  made.began = began;
  made.ended = context_.clock.now();
  // Another host now and then.
  if (!answer || random_.chance(0.01)) client_.reset();
  return made;
}

}  // namespace vouch::prove
