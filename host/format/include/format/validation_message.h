// The message on the validation topic: "transaction T has put a delivery into partition P; is it in
// the database?" One for each partition that a group touches. JSON, so that people can read it with
// the broker's own tools. Stateless, any thread.
#pragma once

#include <string>
#include <string_view>

#include "vouch/types.h"

namespace vouch::format {

struct ValidationMessage {
  std::string store;  ///< the store's name; messages of other stores are ignored
  Token token;
  DeliveryId delivery;
  std::uint32_t events = 0;
};

/// {"v":1,"store":"shop","tx":"0-100000001-…","partition":3,"delivery":77,"events":12}
std::string write_validation_message(const ValidationMessage& message);

/// Members that this host does not know are passed over. Errors: invalid_argument, also for a
/// version (`v`) that this host does not know.
Result<ValidationMessage> read_validation_message(std::string_view payload);

}  // namespace vouch::format
