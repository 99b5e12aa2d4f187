#include "durability.h"

namespace broker_redis {

using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

namespace {

std::string value_in(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 2) return {};
  return std::string(text_of(*reply.element[1]));
}

}  // namespace

bool Durability::meets(Demand demand) const {
  if (demand == Demand::unchecked) return true;
  if (!known || !appends || evicts) return false;
  return fsync == "always" || (demand == Demand::everysec && fsync == "everysec");
}

std::string Durability::words() const {
  if (!known) {
    return "An acknowledged message is in the memory of Redis; what it survives is up to the "
           "server's settings, which it does not tell.";
  }
  if (evicts) {
    return "An acknowledged message is in the memory of Redis, which may evict whole streams when "
           "memory is short (maxmemory-policy).";
  }
  if (!appends) {
    return "An acknowledged message is in the memory of Redis (appendonly is off): a crash or a "
           "restart of Redis loses what was acknowledged since its last snapshot.";
  }
  if (fsync == "always") {
    return "An acknowledged message is on the disk of Redis (appendfsync always): it survives a "
           "crash and a power cut, not the loss of the disk.";
  }
  return "An acknowledged message is in the append-only file of Redis (appendfsync " + fsync +
         "): a crash or a power cut may lose what was acknowledged in the last seconds.";
}

Result<Durability> read_durability(Connection& connection, Deadline deadline) {
  constexpr std::string_view kParameters[] = {"appendonly", "appendfsync", "maxmemory",
                                              "maxmemory-policy"};
  for (const std::string_view parameter : kParameters) connection.add({"CONFIG", "GET", parameter});
  if (Status status = connection.flush(deadline); !status.ok()) return status;
  Durability found;
  std::vector<std::string> values;
  for ([[maybe_unused]] const std::string_view parameter : kParameters) {
    auto answer = connection.reply(deadline);
    if (!answer.ok()) return answer.status();
    if (is_error(**answer)) found.why_unknown = text_of(**answer);
    values.push_back(value_in(**answer));
  }
  found.known = found.why_unknown.empty() && !values[0].empty() && !values[1].empty();
  found.appends = values[0] == "yes";
  found.fsync = values[1];
  found.evicts = values[2] != "0" && values[3].starts_with("allkeys");
  return found;
}

Status check(const Durability& found, Demand demand) {
  if (found.meets(demand)) return {};
  const std::string wanted = demand == Demand::always ? "always" : "everysec";
  if (!found.known) {
    return Status(
        StatusCode::failed_precondition,
        "durability is " + wanted + ", but Redis does not tell its settings (" + found.why_unknown +
            "): let the user CONFIG GET (ACL: +config|get), or set durability: unchecked");
  }
  if (found.evicts) {
    return Status(StatusCode::failed_precondition,
                  "durability is " + wanted +
                      ", but Redis may evict streams when memory is short: set its "
                      "maxmemory-policy to noeviction");
  }
  return Status(StatusCode::failed_precondition,
                "durability is " + wanted + ", but Redis has appendonly " +
                    (found.appends ? "yes" : "no") + " and appendfsync " + found.fsync +
                    ": set appendonly yes and appendfsync " + wanted);
}

}  // namespace broker_redis
