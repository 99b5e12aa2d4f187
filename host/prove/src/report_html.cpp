#include "prove/report.h"
namespace vouch::prove {
std::string report_html(const Report& report) {
  return report_text(report);
}
}  // namespace vouch::prove
