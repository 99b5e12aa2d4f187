// Status and Result.
#include "vouch/status.h"

#include <catch2/catch.hpp>
#include <memory>

namespace vouch {
namespace {

TEST_CASE("a status is ok unless it was given a code") {
  CHECK(Status().ok());
  CHECK(Status().to_string() == "ok");
  const Status failed(StatusCode::unavailable, "can't reach the database");
  CHECK_FALSE(failed.ok());
  CHECK(failed.to_string() == "unavailable: can't reach the database");
}

TEST_CASE("a status keeps its code when what was being done is put in front") {
  const Status failed(StatusCode::contended, "deadlock");
  const Status more = failed.with_context("stage 3 appends");
  CHECK(more.code() == StatusCode::contended);
  CHECK(more.message() == "stage 3 appends: deadlock");
  CHECK(Status().with_context("anything").ok());
}

TEST_CASE("every status code has the name and the number of the contract") {
  CHECK(to_string(StatusCode::ok) == "ok");
  CHECK(static_cast<int>(StatusCode::unavailable) == 5);
  CHECK(to_string(StatusCode::unavailable) == "unavailable");
  CHECK(static_cast<int>(StatusCode::contended) == 15);
  CHECK(to_string(StatusCode::contended) == "contended");
  CHECK(static_cast<int>(StatusCode::held) == 16);
  CHECK(to_string(StatusCode::held) == "held");
  CHECK(to_string(StatusCode{999}) == "unknown");
}

TEST_CASE("a result holds a value or says why not") {
  Result<std::unique_ptr<int>> good(std::make_unique<int>(7));
  REQUIRE(good.ok());
  CHECK(good.status().ok());
  CHECK(**good == 7);
  const std::unique_ptr<int> taken = std::move(good).value();
  CHECK(*taken == 7);
  const Result<int> bad(Status(StatusCode::not_found, "no"));
  CHECK_FALSE(bad.ok());
  CHECK(bad.status().code() == StatusCode::not_found);
}

TEST_CASE("a result made of an ok status is a defect and says so") {
  const Result<int> made{Status()};
  CHECK_FALSE(made.ok());
  CHECK(made.status().code() == StatusCode::internal);
}

}  // namespace
}  // namespace vouch
