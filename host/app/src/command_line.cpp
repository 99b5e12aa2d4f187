#include "command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>

#include "commands.h"
#include "exit_codes.h"
#include "signals.h"
#include "terminal.h"

namespace vouch::app {
namespace {

constexpr const char* kAbout =
    "Vouch: an event store server. Keeps events in your database, hands them on through your "
    "broker,\nand never publishes an event that the database does not vouch for.";

constexpr const char* kFooter =
    "Exit codes: 0 done, 64 wrong usage, 65 refused for good, 66 no input, 69 unavailable,\n"
    "70 defect, 74 no output, 75 try again later, 77 no permission, 78 wrong configuration.";

/// What the command line turned out to ask for.
using Action = std::function<int()>;

void add_plugin_directories(CLI::App& command, std::vector<std::string>& directories) {
  command
      .add_option("--plugin-dir", directories,
                  "Look for plugins here first; may be given several times")
      ->type_name("DIR")
      ->allow_extra_args(false);
}

void add_url(CLI::App& command, std::string& url) {
  command.add_option("--url", url, "Where the server listens")
      ->type_name("URL")
      ->envname("VOUCH_URL")
      ->default_str("http://127.0.0.1:7070");
  url = "http://127.0.0.1:7070";
}

void add_serve(CLI::App& app, Action& action) {
  auto& command = *app.add_subcommand("serve", "Run the server");
  auto options = std::make_shared<ServeCommand>();
  command.add_option("--config", options->config, "The configuration file")
      ->required()
      ->type_name("FILE");
  add_plugin_directories(command, options->plugin_directories);
  // Of hosts of a trial (prove); no help shows it.
  command.add_option("--lose-validation", options->lost_validation)
      ->check(CLI::Range(0.0, 1.0))
      ->group("");
  command.footer(
      "SIGTERM or SIGINT drains and stops, a second one skips the waiting, a third ends at once.\n"
      "SIGHUP opens the log file anew, takes log.level over from the configuration, and says what "
      "else\n"
      "changed there and waits for a restart. Says READY=1 to systemd (Type=notify).");
  command.callback([&action, options] { action = [options] { return run(*options); }; });
}

void add_check(CLI::App& app, Action& action) {
  auto& command = *app.add_subcommand(
      "check", "Check a configuration file; print every problem, or the effective settings");
  auto options = std::make_shared<CheckCommand>();
  command.add_option("--config", options->config, "The configuration file")
      ->required()
      ->type_name("FILE");
  command.add_flag("--connect", options->connect,
                   "Open and close the database and the brokers as well");
  command.add_flag("--quiet", options->quiet, "Print problems only");
  add_plugin_directories(command, options->plugin_directories);
  command.callback([&action, options] { action = [options] { return run(*options); }; });
}

void add_plugins(CLI::App& app, Action& action) {
  auto& command = *app.add_subcommand("plugins", "List the plugins that can be found");
  auto options = std::make_shared<PluginsCommand>();
  command.add_flag("--json", options->json, "One JSON object a line");
  add_plugin_directories(command, options->plugin_directories);

  auto& describe = *command.add_subcommand("describe", "Print what a plugin is and its settings");
  auto described = std::make_shared<DescribeCommand>();
  describe.add_option("name", described->name, "Name, or absolute path ending in .so")
      ->required()
      ->type_name("NAME");
  auto* json = describe.add_flag("--json", described->json, "As JSON");
  describe.add_flag("--markdown", described->markdown, "As a Markdown table")->excludes(json);
  add_plugin_directories(describe, described->plugin_directories);

  command.callback([&action, &describe, options, described] {
    if (!describe.parsed()) {
      action = [options] { return run(*options); };
      return;
    }
    described->plugin_directories.insert(described->plugin_directories.end(),
                                         options->plugin_directories.begin(),
                                         options->plugin_directories.end());
    described->json = described->json || options->json;
    action = [described] { return run(*described); };
  });
}

void add_append(CLI::App& app, Action& action) {
  auto& command = *app.add_subcommand("append", "Append an event to a stream");
  auto options = std::make_shared<AppendCommand>();
  command.add_option("stream", options->stream, "Name of the stream")
      ->required()
      ->type_name("STREAM");
  command.add_option("--type", options->type, "Type of the event")->required()->type_name("TYPE");
  command.add_option("--data", options->data, "JSON, @FILE, or - for standard input")
      ->required()
      ->type_name("JSON");
  command.add_option("--metadata", options->metadata, "A JSON object")->type_name("JSON");
  command
      .add_option("--expected", options->expected,
                  "The version that the stream must be at, or: none, exists")
      ->type_name("VERSION");
  command.add_option("--id", options->id, "The event's id; drawn by the server otherwise")
      ->type_name("KSUID");
  command
      .add_option("--key", options->key, "Idempotency key: the same append again is stored once")
      ->type_name("KEY");
  command.add_option("--ack", options->ack, "Answer when the event is committed or delivered")
      ->check(CLI::IsMember({"committed", "delivered"}))
      ->type_name("WHEN");
  add_url(command, options->url);
  command.footer("Example: vouch append account-42 --type opened --data '{\"owner\":\"Ada\"}'");
  command.callback([&action, options] { action = [options] { return run(*options); }; });
}

void add_read(CLI::App& app, Action& action) {
  auto& command = *app.add_subcommand("read", "Read a stream, one event a line");
  auto options = std::make_shared<ReadCommand>();
  command.add_option("stream", options->stream, "Name of the stream")
      ->required()
      ->type_name("STREAM");
  command.add_option("--from", options->from, "First version; the newest when backward")
      ->type_name("VERSION");
  command.add_option("--limit", options->limit, "At most so many events")->type_name("COUNT");
  command.add_flag("--backward", options->backward, "Newest first");
  add_url(command, options->url);
  command.callback([&action, options] { action = [options] { return run(*options); }; });
}

void add_follow(CLI::App& app, Action& action) {
  auto& command = *app.add_subcommand(
      "follow", "Follow the feed of all events, one a line; reconnects by itself");
  auto options = std::make_shared<FollowCommand>();
  command
      .add_option("--after", options->after,
                  "A cursor to read on from, or: start; from now on otherwise")
      ->type_name("CURSOR");
  command.add_option("--category", options->category, "Only streams of this category")
      ->type_name("NAME");
  command.add_option("--type", options->type, "Only events of this type")->type_name("TYPE");
  command.add_option("--stream", options->stream, "Only this stream")->type_name("STREAM");
  command.add_option("--count", options->count, "End after so many events")->type_name("COUNT");
  add_url(command, options->url);
  command.callback([&action, options] { action = [options] { return run(*options); }; });
}

void add_replay(CLI::App& app, Action& action) {
  auto& command = *app.add_subcommand(
      "replay", "Publish history again on the outbound topics; reconnects by itself");
  auto options = std::make_shared<ReplayCommand>();
  auto* after = command
                    .add_option("--after", options->after,
                                "A cursor to begin behind, or: start (the first event ever)")
                    ->type_name("CURSOR");
  command
      .add_option("--until", options->until, "A cursor to end at; what is committed now otherwise")
      ->type_name("CURSOR")
      ->needs(after);
  auto* stream = command.add_option("--stream", options->stream, "One stream, instead of --after")
                     ->type_name("STREAM")
                     ->excludes(after);
  command.add_option("--from", options->from, "The stream's version to begin at")
      ->type_name("VERSION")
      ->check(CLI::PositiveNumber)
      ->needs(stream);
  command.add_option("--category", options->category, "Only streams of this category")
      ->type_name("NAME")
      ->excludes(stream);
  command.add_option("--type", options->type, "Only events of this type")->type_name("TYPE");
  command.add_option("--since", options->since, "Only events of this time or later (RFC 3339)")
      ->type_name("TIME");
  command.add_option("--before", options->before, "Only events of an earlier time (RFC 3339)")
      ->type_name("TIME");
  command.add_option("--route", options->route, "Only on this outbound route")->type_name("NAME");
  command
      .add_option("--rate", options->rate,
                  "Messages a second at most; 0 for no bound (default 2000)")
      ->type_name("NUMBER");
  command.add_flag("--dry-run", options->dry_run, "Count, and publish nothing");
  add_url(command, options->url);
  command.footer(
      "Consumers see the mark redelivered=true. Example, after a broker lost what it had:\n"
      "  vouch replay --after start --since 2026-11-23T16:00:00Z --dry-run");
  command.callback([&action, options] {
    if (options->after.empty() && options->stream.empty()) {
      throw CLI::ValidationError("--after or --stream", "one of them says what to begin at");
    }
    action = [options] { return run(*options); };
  });
}

void add_prove(CLI::App& app, Action& action) {
  auto& command = *app.add_subcommand(
      "prove",
      "Try the promise on your own backends: hosts, load and faults on a store of its own");
  auto options = std::make_shared<ProveCommand>();
  command.add_option("--config", options->config, "The configuration file to try")
      ->required()
      ->type_name("FILE");
  command.add_option("--minutes", options->minutes, "How long load and faults go on (default 5)")
      ->type_name("NUMBER")
      ->check(CLI::Range(0.05, 10'080.0));
  command.add_option("--hosts", options->hosts, "Hosts that share the store (default 2)")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 16));
  command.add_option("--rate", options->rate, "Appends a second, in all (default 200)")
      ->type_name("NUMBER")
      ->check(CLI::Range(1.0, 20'000.0));
  command.add_option("--seed", options->seed, "Of the faults and the load; drawn otherwise")
      ->type_name("NUMBER");
  command.add_option("--report", options->report, "Write a report in HTML here")->type_name("FILE");
  command
      .add_option("--scratch", options->scratch,
                  "storage.settings.KEY=VALUE: a setting that keeps the trial apart from your own "
                  "data, for plugins that are not known here; VALUE may hold {id}, {directory} and "
                  "{host}. May be given several times")
      ->type_name("SETTING")
      ->allow_extra_args(false);
  command.add_flag("--keep", options->keep, "Do not remove the trial's store and files");
  add_plugin_directories(command, options->plugin_directories);
  command.footer(
      "Your store and topics are not touched: the trial has a schema, database or file and topics\n"
      "of its own, named vouch-prove-…, and removes them. Exit codes: 0 the promise held, 1 it\n"
      "was broken, 75 nothing was shown; the others as always. Ctrl-C ends it early, with\n"
      "a verdict on what was seen until then; a second Ctrl-C only cleans up.");
  command.callback([&action, options] { action = [options] { return run(*options); }; });
}

void add_status(CLI::App& app, Action& action) {
  auto& command = *app.add_subcommand(
      "status", "Show how a server is: backends, rates, backlog, routes, hosts, partitions");
  auto options = std::make_shared<StatusCommand>();
  command.add_flag("--watch", options->watch, "Again and again, until interrupted");
  command
      .add_option("--interval", options->interval,
                  "Over how many seconds rates are measured (default 1)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 3600.0));
  add_url(command, options->url);
  command.footer("Exit codes: 0 ready, 69 not ready or not there.");
  command.callback([&action, options] { action = [options] { return run(*options); }; });
}

void add_erase(CLI::App& app, Action& action) {
  auto& command = *app.add_subcommand(
      "erase", "Erase data and metadata of a stream's events, for ever; ids, types, times stay");
  auto options = std::make_shared<EraseCommand>();
  command.add_option("stream", options->stream, "Name of the stream")
      ->required()
      ->type_name("STREAM");
  command.add_option("--reason", options->reason, "Why; kept with the record of the erasure")
      ->required()
      ->type_name("TEXT");
  command.add_option("--from", options->from, "First version to erase; 1 otherwise")
      ->type_name("VERSION")
      ->check(CLI::PositiveNumber);
  command.add_option("--to", options->to, "Last version to erase; the newest otherwise")
      ->type_name("VERSION")
      ->check(CLI::PositiveNumber);
  command.add_flag("--yes", options->yes, "Do it; otherwise only say how many events it would hit");
  add_url(command, options->url);
  command.footer("Example: vouch erase account-42 --reason \"request 1178 of the owner\" --yes");
  command.callback([&action, options] { action = [options] { return run(*options); }; });
}

void add_version(CLI::App& app, Action& action) {
  auto& command = *app.add_subcommand("version", "Print the version");
  auto options = std::make_shared<VersionCommand>();
  command.add_flag("--json", options->json, "As JSON");
  command.callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace

int run_command_line(int argc, char** argv) {
  ignore_broken_pipes();
  CLI::App app{kAbout, "vouch"};
  app.require_subcommand(1);
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  bool version = false;
  app.add_flag("--version", version, "Print the version")->trigger_on_parse();

  Action action;
  add_serve(app, action);
  add_check(app, action);
  add_plugins(app, action);
  add_append(app, action);
  add_read(app, action);
  add_follow(app, action);
  add_replay(app, action);
  add_prove(app, action);
  add_status(app, action);
  add_erase(app, action);
  add_version(app, action);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);  // of the command that was named, if one was
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    if (version) return run(VersionCommand{});
    say_error(error.what());
    say("try: vouch --help");
    return kExitUsage;
  }
  if (version) return run(VersionCommand{});
  return action();
}

}  // namespace vouch::app
