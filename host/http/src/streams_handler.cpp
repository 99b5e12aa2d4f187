// GET /v1/streams
#include <algorithm>

#include "accept.h"
#include "handlers.h"
#include "parameters.h"
#include "problem.h"

namespace vouch::http {
namespace {

constexpr std::uint64_t kDefaultLimit = 500;

/// Writes up to `limit` streams, and sees whether there is one more.
class StreamLister final : public StreamSink {
 public:
  StreamLister(std::string& out, std::uint64_t limit) : out_(out), limit_(limit) {}

  bool stream(std::string_view name, Version head) override {
    if (listed_ == limit_) {
      more_ = true;
      return false;
    }
    if (listed_ > 0) out_ += ',';
    // Legal names need no escapes.
    out_.append(R"({"stream":")").append(name).append(R"(","version":)");
    out_ += std::to_string(head.value) + '}';
    last_ = name;
    ++listed_;
    return true;
  }

  [[nodiscard]] bool more() const { return more_; }
  [[nodiscard]] const std::string& last() const { return last_; }

 private:
  std::string& out_;
  std::uint64_t limit_;
  std::uint64_t listed_ = 0;
  std::string last_;
  bool more_ = false;
};

}  // namespace

Response list_streams(const Request& request, Context& context) {
  choose_media_type(request, std::span(&kJson, 1));
  const FeedFilter filter = query_filter(request);
  const auto after = request.query.find("after");
  if (after && !StreamName::valid(*after)) {
    reject(ProblemType::bad_request, "the query parameter \"after\" must be a stream name");
  }
  const std::uint64_t limit =
      query_number(request, "limit", 1, context.options.page)
          .value_or(std::min<std::uint64_t>(kDefaultLimit, context.options.page));
  std::string body = R"({"streams":[)";
  StreamLister lister(body, limit);
  const Status read = context.reader().streams(filter.category, after.value_or(std::string_view()),
                                               static_cast<std::uint32_t>(limit) + 1, lister);
  if (!read.ok()) return to_response(storage_problem(read, "listing streams"));
  body += ']';
  if (lister.more()) body += R"(,"next":")" + lister.last() + '"';
  body += '}';
  Response response = answer(200, std::string(kJson), std::move(body));
  if (lister.more()) {
    std::string link =
        "</v1/streams?after=" + percent_encode(lister.last()) + "&limit=" + std::to_string(limit);
    if (!filter.category.empty()) link += "&category=" + percent_encode(filter.category);
    response.with("Link", link + ">; rel=\"next\"");
  }
  return response;
}

}  // namespace vouch::http
