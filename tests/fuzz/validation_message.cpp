// Validation messages: what is read can be written and read again as the same.
#include "format/validation_message.h"

#include "format/text_codec.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch;
  const std::string_view payload = fuzz::text_of(data, size);
  const auto read = format::read_validation_message(payload);
  if (!read.ok()) {
    fuzz::demand(read.status().code() == StatusCode::invalid_argument, "a refusal is one", payload);
    return 0;
  }
  const std::string written = format::write_validation_message(*read);
  const auto again = format::read_validation_message(written);
  fuzz::demand(again.ok(), "what is written can be read", written);
  fuzz::demand(again->store == read->store, "the store stays", written);
  fuzz::demand(format::token_text(again->token) == format::token_text(read->token),
               "the transaction stays", written);
  fuzz::demand(again->delivery.partition == read->delivery.partition &&
                   again->delivery.number == read->delivery.number && again->events == read->events,
               "the delivery stays", written);
  fuzz::demand(format::write_validation_message(*again) == written, "one form", written);
  return 0;
}
