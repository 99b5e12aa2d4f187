// What the kernel says of this process, read anew at each call. Any thread.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace vouch::observe {

/// process_cpu_seconds_total, process_resident_memory_bytes and their like, under the names that
/// all Prometheus clients use. What can't be read is left out.
std::vector<prometheus::MetricFamily> process_metrics();

}  // namespace vouch::observe
