// The commands of `vouch`, one source file for each (command_NAME.cpp). Each returns an exit code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vouch::app {

struct ServeCommand {
  std::string config;
  std::vector<std::string> plugin_directories;
  double lost_validation = 0;  ///< the share of validation messages that is not heard; for trials
};
int run(const ServeCommand& command);

struct CheckCommand {
  std::string config;
  std::vector<std::string> plugin_directories;
  bool connect = false;
  bool quiet = false;  ///< no effective settings
};
int run(const CheckCommand& command);

struct PluginsCommand {
  std::vector<std::string> plugin_directories;
  bool json = false;
};
int run(const PluginsCommand& command);

struct DescribeCommand {
  std::vector<std::string> plugin_directories;
  std::string name;
  bool json = false;
  bool markdown = false;
};
int run(const DescribeCommand& command);

struct AppendCommand {
  std::string url;
  std::string stream;
  std::string type;
  std::string data;  ///< JSON, "@file" or "-"
  std::string expected;
  std::string id;
  std::string key;
  std::string metadata;
  std::string ack;
};
int run(const AppendCommand& command);

struct ReadCommand {
  std::string url;
  std::string stream;
  std::uint64_t from = 0;
  std::uint64_t limit = 0;  ///< 0: all
  bool backward = false;
};
int run(const ReadCommand& command);

struct FollowCommand {
  std::string url;
  std::string after;
  std::string category;
  std::string type;
  std::string stream;
  std::uint64_t count = 0;  ///< 0: without an end
};
int run(const FollowCommand& command);

struct ReplayCommand {
  std::string url;
  std::string after;
  std::string until;
  std::string stream;
  std::uint64_t from = 0;  ///< 0: the stream's first
  std::string category;
  std::string type;
  std::string since;
  std::string before;
  std::string route;
  std::optional<std::uint64_t> rate;  ///< the server's default if not given
  bool dry_run = false;
};
int run(const ReplayCommand& command);

struct ProveCommand {
  std::string config;
  std::vector<std::string> plugin_directories;
  double minutes = 5;
  std::uint32_t hosts = 2;
  double rate = 200;  ///< appends a second
  std::optional<std::uint64_t> seed;
  std::vector<std::string> scratch;  ///< storage.settings.KEY=VALUE
  std::string report;                ///< file; empty: none
  bool keep = false;
};
int run(const ProveCommand& command);

struct StatusCommand {
  std::string url;
  bool watch = false;
  double interval = 1;  ///< seconds
};
int run(const StatusCommand& command);

struct EraseCommand {
  std::string url;
  std::string stream;
  std::string reason;
  std::uint64_t from = 0;  ///< 0: the first
  std::uint64_t to = 0;    ///< 0: the newest
  bool yes = false;        ///< confirmed; otherwise the server says what it would do
};
int run(const EraseCommand& command);

struct VersionCommand {
  bool json = false;
};
int run(const VersionCommand& command);

}  // namespace vouch::app
