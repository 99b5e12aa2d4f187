// A free TCP port of 127.0.0.1 for a server of a test's own: below the range from which the kernel
// takes ports for outgoing connections, so that none of those has it when the server comes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <random>
#include <stdexcept>

namespace vouch::tests {

inline std::uint16_t free_port() {
  static std::random_device device;
  for (int attempt = 0; attempt < 1'000; ++attempt) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    place.sin_port = htons(static_cast<std::uint16_t>(12'000 + device() % 20'000));
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool free = ::bind(socket, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0;
    ::close(socket);
    if (free) return ntohs(place.sin_port);
  }
  throw std::runtime_error("no free port");
}

}  // namespace vouch::tests
