#include "record.h"

#include <array>

namespace vouch::kafka {

rd_kafka_resp_err_t hand_over(rd_kafka_t* client, std::uint64_t number, const Record& record) {
  rd_kafka_headers_t* headers = nullptr;
  if (!record.headers.empty()) {
    headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers) {
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    }
  }
  const std::array<rd_kafka_vu_t, 6> fields = [&] {
    std::array<rd_kafka_vu_t, 6> all{};
    all[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    all[0].u.cstr = record.topic.c_str();
    all[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    all[1].u.i32 = record.partition;
    all[2].vtype = RD_KAFKA_VTYPE_KEY;
    all[2].u.mem.ptr = record.key.empty() ? nullptr : const_cast<char*>(record.key.data());
    all[2].u.mem.size = record.key.size();
    all[3].vtype = RD_KAFKA_VTYPE_VALUE;
    all[3].u.mem.ptr = const_cast<char*>(record.payload.data());
    all[3].u.mem.size = record.payload.size();
    all[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
    all[4].u.ptr = reinterpret_cast<void*>(number);
    all[5].vtype = RD_KAFKA_VTYPE_HEADERS;
    all[5].u.headers = headers;
    return all;
  }();
  const std::size_t count = headers == nullptr ? 5 : 6;
  rd_kafka_error_t* const error = rd_kafka_produceva(client, fields.data(), count);
  if (error == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  if (headers != nullptr) rd_kafka_headers_destroy(headers);
  return code;
}

}  // namespace vouch::kafka
