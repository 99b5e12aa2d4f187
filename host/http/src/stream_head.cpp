#include "stream_head.h"

#include "problem.h"

namespace vouch::http {

Version existing_head(const StreamName& stream, Context& context) {
  const auto heads = context.reader().heads({&stream, 1});
  if (!heads.ok()) throw Rejection{storage_problem(heads.status(), "asking for the head")};
  const Version head = heads->at(0);
  if (head.value == 0) reject(ProblemType::not_found, "there is no stream " + stream.str());
  return head;
}

}  // namespace vouch::http
