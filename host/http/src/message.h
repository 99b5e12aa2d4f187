// Requests and responses as handlers see them: plain values without sockets, so that every handler
// can be tested by calling it. A value is used by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vouch/status.h"
#include "vouch/storage.h"

namespace vouch::http {

/// Whether two ASCII texts are equal, ignoring case.
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Header fields in order; names match whatever their case.
class Fields {
 public:
  void add(std::string name, std::string value) {
    all_.emplace_back(std::move(name), std::move(value));
  }

  /// The first field of that name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
  /// All fields of that name as one list (RFC 9110 section 5.3), or nothing.
  [[nodiscard]] std::optional<std::string> joined(std::string_view name) const;

  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

/// `text` with %XX decoded (and + as a space, if `plus_is_space`); nothing when malformed.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
/// `text` with everything but unreserved characters (RFC 3986 section 2.3) as %XX.
std::string percent_encode(std::string_view text);

/// The parameters behind the "?", decoded.
class Query {
 public:
  /// Errors: invalid_argument for bad escapes, bad UTF-8 and names that occur twice.
  static Result<Query> parse(std::string_view raw);

  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

struct Request {
  std::string method;
  std::string path;  ///< as it was sent, without the query
  std::string raw_query;
  int minor_version = 1;  ///< of HTTP/1.x
  Fields fields;
  Query query;                        ///< filled in by the router
  std::vector<std::string> captures;  ///< the path's variable segments, decoded; by the router
  std::string body;
};

/// One piece of an answer that is made while it is sent.
struct BodyPart {
  std::string bytes;
  bool last = false;
};
/// Makes the next piece. An error before the first piece becomes a problem; a later one breaks the
/// connection, so that what was sent can't be taken for the whole.
using BodySource = std::function<Result<BodyPart>()>;

enum class FollowFormat : std::uint8_t { sse, ndjson };

/// The answer goes on for ever: the connection is given to the follow hub.
struct FollowStart {
  FollowFormat format = FollowFormat::sse;
  Cursor after;
  FeedFilter filter;
};

struct Response {
  int status = 200;
  Fields fields;
  std::string body;
  BodySource source;                  ///< instead of `body`
  std::optional<FollowStart> follow;  ///< instead of both

  Response& with(std::string name, std::string value) {
    fields.add(std::move(name), std::move(value));
    return *this;
  }
};

/// An answer of one media type.
Response answer(int status, std::string content_type, std::string body);

}  // namespace vouch::http
