// HttpClient: one connection to a host of the run. Whatever goes wrong is "no answer". One
// thread.
#pragma once

#include <Poco/Net/HTTPClientSession.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vouch::prove {

struct HttpRequest {
  std::string method = "GET";
  std::string path;  ///< with the query
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpAnswer {
  int status = 0;
  std::string body;
  bool replayed = false;  ///< header Idempotent-Replayed
};

class HttpClient {
 public:
  /// Connects to 127.0.0.1 with the first request. `patience`: how long nothing may come.
  HttpClient(std::uint16_t port, std::chrono::milliseconds patience);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Connects, if that was not done. False: nobody listens, and nothing was sent.
  bool connect();
  /// Nothing if the connection broke or the time ran out; the client is of no use then.
  std::optional<HttpAnswer> send(const HttpRequest& request);
  /// The same; the body of a 200 goes to `line` line by line until it returns false. Nothing also
  /// if the body did not come to its end.
  std::optional<HttpAnswer> lines(const HttpRequest& request,
                                  const std::function<bool(std::string_view)>& line);

 private:
  std::optional<HttpAnswer> exchange(const HttpRequest& request,
                                     const std::function<bool(std::string_view)>* line);

  const std::uint16_t port_;
  const std::chrono::milliseconds patience_;
  std::unique_ptr<Poco::Net::HTTPClientSession> session_;  ///< null: not connected
};

}  // namespace vouch::prove
