// GET /v1/transactions/{tx}
#include "accept.h"
#include "format/text_codec.h"
#include "handlers.h"
#include "problem.h"

namespace vouch::http {
namespace {

std::string_view state_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::committed:
      return "committed";
    case Verdict::in_progress:
      return "in_progress";
    case Verdict::aborted:
      return "aborted";
    case Verdict::forgotten:
      break;
  }
  return "unknown";
}

}  // namespace

Response read_transaction(const Request& request, Context& context) {
  choose_media_type(request, std::span(&kJson, 1));
  const auto token = format::token_from_text(request.captures.at(0));
  if (!token) reject(ProblemType::bad_request, "this is not a transaction that this API gave out");
  const auto verdicts = context.backends.storage.resolve({&*token, 1});
  if (!verdicts.ok()) {
    return to_response(storage_problem(verdicts.status(), "asking about the transaction"));
  }
  return answer(200, std::string(kJson),
                R"({"tx":")" + format::token_text(*token) + R"(","state":")" +
                    std::string(state_name(verdicts->at(0))) + R"("})");
}

}  // namespace vouch::http
