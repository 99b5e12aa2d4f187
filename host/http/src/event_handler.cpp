// GET /v1/events/{id}
#include "accept.h"
#include "format/cloud_event.h"
#include "format/event_json.h"
#include "handlers.h"
#include "problem.h"

namespace vouch::http {
namespace {

class OneEvent final : public EventSink {
 public:
  OneEvent(bool cloud_event, std::string_view store) : cloud_event_(cloud_event), store_(store) {}

  bool event(const EventView& event) override {
    if (cloud_event_) {
      format::append_cloud_event(text_, event, store_);
    } else {
      format::append_event_json(text_, event);
    }
    return false;
  }

  std::string take() { return std::move(text_); }

 private:
  bool cloud_event_;
  std::string_view store_;
  std::string text_;
};

}  // namespace

Response read_event(const Request& request, Context& context) {
  constexpr std::array<std::string_view, 2> kTypes = {kJson, format::kCloudEventMediaType};
  const std::size_t type = choose_media_type(request, kTypes);
  const auto id = EventId::parse(request.captures.at(0));
  if (!id) reject(ProblemType::bad_request, "an event id is a KSUID: 27 digits of base62");
  OneEvent sink(type == 1, context.backends.store);
  const Status read = context.reader().event(*id, sink);
  if (read.code() == StatusCode::not_found) {
    reject(ProblemType::not_found, "there is no event " + id->to_string());
  }
  if (!read.ok()) return to_response(storage_problem(read, "reading the event"));
  Response response = answer(200, std::string(kTypes.at(type)), sink.take());
  response.with("Vary", "Accept");
  return response;
}

}  // namespace vouch::http
