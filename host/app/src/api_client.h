// ApiClient: the command line's side of the HTTP API. One request at a time; one thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vouch/status.h"

namespace vouch::app {

struct ApiRequest {
  std::string method = "GET";
  std::string path;  ///< with the query
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct ApiAnswer {
  int status = 0;
  std::string etag;  ///< as it came, with its quotes
  std::string body;  ///< empty when lines were taken
};

/// Takes the lines of a streamed answer.
class LineSink {
 public:
  /// Returns false to end the reading.
  virtual bool line(std::string_view line) = 0;

 protected:
  ~LineSink() = default;
};

class ApiClient {
 public:
  /// Errors: invalid_argument for a URL that can't be used. Connects to nothing yet.
  static Result<ApiClient> make(const std::string& url);
  ~ApiClient();
  ApiClient(ApiClient&&) noexcept;
  ApiClient& operator=(ApiClient&&) noexcept;

  /// Errors: unavailable in words (no connection, or it broke).
  Result<ApiAnswer> request(const ApiRequest& request);

  /// The same; the body of a 200 goes to `sink` line by line as it comes. `silence`: how long the
  /// server may say nothing before the connection counts as dead.
  Result<ApiAnswer> lines(const ApiRequest& request, LineSink& sink,
                          std::chrono::milliseconds silence);

 private:
  class Impl;
  explicit ApiClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// `text` for use in a path segment or query value.
std::string url_escape(std::string_view text);

/// Says what the server refused or could not do (problem details, RFC 9457) on standard error;
/// returns the exit code that stands for it.
int report_failure(const ApiAnswer& answer);
int report_failure(const Status& status);

}  // namespace vouch::app
