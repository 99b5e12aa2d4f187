#include <utility>

#include "replay/replay.h"
#include "run.h"
#include "source.h"

namespace vouch::replay {
namespace {

/// Gives the place back unless somebody took it over.
class Place {
 public:
  explicit Place(std::shared_ptr<std::atomic<bool>> taken) : taken_(std::move(taken)) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (taken_) taken_->store(false);
  }
  std::shared_ptr<std::atomic<bool>> hand_over() { return std::move(taken_); }

 private:
  std::shared_ptr<std::atomic<bool>> taken_;
};

}  // namespace

Replays::Replays(ReplayOptions options, Storage& storage, std::vector<publish::Route> routes,
                 HostServices& services)
    : options_(std::move(options)),
      storage_(storage),
      routes_(std::move(routes)),
      services_(services),
      taken_(std::make_shared<std::atomic<bool>>(false)) {}

Replays::~Replays() = default;

Result<std::unique_ptr<Replay>> Replays::begin(const ReplayRequest& request) {
  std::vector<const publish::Route*> routes;
  std::string known;
  for (const publish::Route& route : routes_) {
    if (request.route.empty() || request.route == route.name) routes.push_back(&route);
    known += (known.empty() ? "" : ", ") + route.name;
  }
  if (routes.empty()) {
    return Status(StatusCode::not_found,
                  request.route.empty()
                      ? "the configuration has no outbound routes to publish on"
                      : "there is no route \"" + request.route + "\"; there are: " + known);
  }
  if (taken_->exchange(true)) {
    return Status(StatusCode::already_exists, "another replay is under way on this host");
  }
  Place place(taken_);
  Result<std::unique_ptr<Source>> source = source_of(storage_.reader(), request);
  if (!source.ok()) return source.status();
  return std::unique_ptr<Replay>(std::make_unique<Run>(
      options_, request, storage_, routes, *std::move(source), services_, place.hand_over()));
}

}  // namespace vouch::replay
