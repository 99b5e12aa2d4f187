#include "http_client.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/StreamCopier.h>

#include <istream>
#include <ostream>

namespace vouch::prove {

namespace net = Poco::Net;

HttpClient::HttpClient(std::uint16_t port, std::chrono::milliseconds patience)
    : port_(port), patience_(patience) {}

HttpClient::~HttpClient() = default;

bool HttpClient::connect() {
  if (session_) return true;
  try {
    net::StreamSocket socket;
    socket.connect(net::SocketAddress("127.0.0.1", port_), Poco::Timespan(2, 0));
    socket.setNoDelay(true);
    session_ = std::make_unique<net::HTTPClientSession>(socket);
    const Poco::Timespan wait(patience_.count() * 1'000);
    session_->setTimeout(wait, wait, wait);
    session_->setKeepAlive(true);
    session_->setKeepAliveTimeout(Poco::Timespan(3'600, 0));
    return true;
  } catch (const Poco::Exception&) {
    return false;
  }
}

std::optional<HttpAnswer> HttpClient::send(const HttpRequest& request) {
  return exchange(request, nullptr);
}

std::optional<HttpAnswer> HttpClient::lines(const HttpRequest& request,
                                            const std::function<bool(std::string_view)>& line) {
  return exchange(request, &line);
}

std::optional<HttpAnswer> HttpClient::exchange(const HttpRequest& request,
                                               const std::function<bool(std::string_view)>* line) {
  if (!connect()) return std::nullopt;
  try {
    net::HTTPRequest head(request.method, request.path, net::HTTPMessage::HTTP_1_1);
    head.setHost("127.0.0.1", port_);
    for (const auto& [name, value] : request.headers) head.set(name, value);
    if (!request.body.empty()) {
      head.setContentLength64(static_cast<Poco::Int64>(request.body.size()));
    }
    session_->sendRequest(head) << request.body << std::flush;
    net::HTTPResponse response;
    std::istream& in = session_->receiveResponse(response);
    // A stream turns what the session throws into badbit: asked for, so that it is heard of.
    in.exceptions(std::ios::badbit);
    HttpAnswer answer;
    answer.status = response.getStatus();
    answer.replayed = response.get("Idempotent-Replayed", "") == "true";
    if (line == nullptr || answer.status != 200) {
      Poco::StreamCopier::copyToString(in, answer.body);
      const bool whole =
          !response.hasContentLength() ||
          static_cast<Poco::Int64>(answer.body.size()) == response.getContentLength64();
      if (!whole) return std::nullopt;
      return answer;
    }
    std::string text;
    while (std::getline(in, text)) {
      // Without its line end it is a part of one.
      if (in.eof()) return std::nullopt;
      if (!text.empty() && !(*line)(text)) return answer;
    }
    return answer;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace vouch::prove
