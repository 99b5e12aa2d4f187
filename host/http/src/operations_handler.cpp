// GET /livez, /readyz, /metrics, /v1/info, /openapi.yaml
#include <algorithm>

#include "accept.h"
#include "handlers.h"
#include "problem.h"

namespace vouch::http {
namespace {

constexpr const char* kPlainText = "text/plain; charset=utf-8";

/// "[+]storage ok", "[-]broker main failed: reason" or "[!]route a: reason", one line.
std::string check_line(const ReadinessCheck& check) {
  if (check.ok && check.warning) {
    std::string line = "[!]" + check.name + ": " + check.detail;
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line + '\n';
  }
  std::string line = check.ok ? "[+]" + check.name + " ok" : "[-]" + check.name + " failed";
  if (!check.ok && !check.detail.empty()) line += ": " + check.detail;
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line + '\n';
}

}  // namespace

Response live_probe(const Request& /*request*/, Context& /*context*/) {
  return std::move(answer(200, kPlainText, "ok\n").with("Cache-Control", "no-store"));
}

Response ready_probe(const Request& request, Context& context) {
  std::vector<ReadinessCheck> checks = context.readiness.checks();
  if (context.stopping) checks.push_back({"draining", false, "the server is stopping"});
  const bool ready =
      std::all_of(checks.begin(), checks.end(), [](const auto& check) { return check.ok; });
  std::string body;
  const bool verbose = request.query.find("verbose").has_value();
  for (const ReadinessCheck& check : checks) {
    if (verbose || !check.ok || check.warning) body += check_line(check);
  }
  body += ready ? "ready\n" : "not ready\n";
  Response response = answer(ready ? 200 : 503, kPlainText, std::move(body));
  response.with("Cache-Control", "no-store");
  if (!ready) response.with("Retry-After", "1");
  return response;
}

Response show_metrics(const Request& /*request*/, Context& context) {
  return answer(200, "text/plain; version=0.0.4; charset=utf-8",
                context.backends.metrics ? context.backends.metrics() : std::string());
}

Response show_info(const Request& request, Context& context) {
  choose_media_type(request, std::span(&kJson, 1));
  return answer(200, std::string(kJson),
                context.backends.info ? context.backends.info() : std::string("{}"));
}

Response show_openapi(const Request& /*request*/, Context& /*context*/) {
  return answer(200, "application/yaml", std::string(openapi_yaml()));
}

}  // namespace vouch::http
