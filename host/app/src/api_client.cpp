#include "api_client.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

#include <istream>
#include <ostream>

#include "exit_codes.h"
#include "format/json_text.h"
#include "terminal.h"

namespace vouch::app {

namespace net = Poco::Net;

class ApiClient::Impl {
 public:
  explicit Impl(const Poco::URI& url)
      : where_(url.toString()), base_(url.getPath()), session_(url.getHost(), url.getPort()) {
    while (!base_.empty() && base_.back() == '/') base_.pop_back();
  }

  Result<ApiAnswer> send(const ApiRequest& request, LineSink* sink,
                         std::chrono::milliseconds silence) {
    try {
      session_.setTimeout(Poco::Timespan(5, 0), Poco::Timespan(30, 0),
                          Poco::Timespan(silence.count() * 1000));
      net::HTTPRequest head(request.method, base_ + request.path, net::HTTPMessage::HTTP_1_1);
      for (const auto& [name, value] : request.headers) head.set(name, value);
      if (!request.body.empty()) {
        head.setContentLength64(static_cast<Poco::Int64>(request.body.size()));
      }
      session_.sendRequest(head) << request.body << std::flush;
      return receive(sink);
    } catch (const Poco::TimeoutException&) {
      session_.reset();
      return Status(StatusCode::unavailable, where_ + " did not answer in time");
    } catch (const Poco::Exception& error) {
      session_.reset();
      return Status(StatusCode::unavailable, "can't reach " + where_ + ": " + error.displayText());
    }
  }

 private:
  Result<ApiAnswer> receive(LineSink* sink) {
    net::HTTPResponse head;
    std::istream& in = session_.receiveResponse(head);
    ApiAnswer answer;
    answer.status = head.getStatus();
    answer.etag = head.get("ETag", "");
    if (sink == nullptr || answer.status != 200) {
      Poco::StreamCopier::copyToString(in, answer.body);
      return answer;
    }
    // A stream turns what the session throws into badbit: asked for, so that it is heard of.
    in.exceptions(std::ios::badbit);
    std::string line;
    while (std::getline(in, line)) {
      if (line.empty()) continue;
      if (!sink->line(line)) {
        session_.reset();
        break;
      }
    }
    return answer;
  }

  std::string where_;
  std::string base_;
  net::HTTPClientSession session_;
};

Result<ApiClient> ApiClient::make(const std::string& url) {
  try {
    const Poco::URI uri(url);
    if (uri.getScheme() != "http" || uri.getHost().empty()) {
      return Status(StatusCode::invalid_argument,
                    "the URL must look like http://host:port, not " + url);
    }
    return ApiClient(std::make_unique<Impl>(uri));
  } catch (const Poco::Exception& error) {
    return Status(StatusCode::invalid_argument, url + ": " + error.displayText());
  }
}

ApiClient::ApiClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiClient::~ApiClient() = default;
ApiClient::ApiClient(ApiClient&&) noexcept = default;
ApiClient& ApiClient::operator=(ApiClient&&) noexcept = default;

Result<ApiAnswer> ApiClient::request(const ApiRequest& request) {
  // Longer than the server may wait for anything on a request's behalf.
  return impl_->send(request, nullptr, std::chrono::seconds(90));
}

Result<ApiAnswer> ApiClient::lines(const ApiRequest& request, LineSink& sink,
                                   std::chrono::milliseconds silence) {
  return impl_->send(request, &sink, silence);
}

std::string url_escape(std::string_view text) {
  std::string out;
  Poco::URI::encode(std::string(text), "!?#/'\",;:$&()[]*+=@%{}|\\^`<>", out);
  return out;
}

int report_failure(const Status& status) {
  say_error(status.message());
  return exit_code_of(status.code());
}

int report_failure(const ApiAnswer& answer) {
  std::string title = "the server answered " + std::to_string(answer.status);
  std::string detail;
  if (const auto document = format::parse_json(answer.body);
      document.ok() && document->kind == format::JsonKind::object) {
    const auto members = format::json_members(*document);
    for (const auto& member : members.ok() ? *members : std::vector<format::JsonMember>{}) {
      if (member.value.kind != format::JsonKind::string) continue;
      if (member.key == "title") title = format::json_string(member.value);
      if (member.key == "detail") detail = format::json_string(member.value);
    }
  }
  say_error(detail.empty() ? title : title + ": " + detail);
  if (answer.status == 429 || answer.status == 503) return kExitTemporary;
  if (answer.status >= 400 && answer.status < 500) return kExitData;
  return kExitInternal;
}

}  // namespace vouch::app
