// What the loader says of files that are wrong: the whole message, with line and column.
#include <unistd.h>

#include <catch2/catch.hpp>

#include "config_fixture.h"

namespace vouch::config::test {
namespace {

struct BadConfig {
  const char* what;
  const char* text;      ///< put in front of kRest
  const char* problems;  ///< all of them, one a line
};

constexpr BadConfig kSyntax[] = {
    {"a tab as indentation", "store:\n\tname: x\n",
     "v.yaml:2:1: error: is indented by a tab; YAML allows only spaces there\n"},
    {"a tab behind spaces", "append:\n  lanes: 4\n  \tqueue: 5\n",
     "v.yaml:3:3: error: is indented by a tab; YAML allows only spaces there\n"},
    {"a bracket left open", "append: { lanes: 4\n",
     "v.yaml:2:8: error: is not valid YAML: end of map flow not found\n"},
    {"two keys on a line", "append: lanes: 4\n",
     "v.yaml:1:14: error: is not valid YAML: illegal map value\n"},
    {"a second document", "log: {}\n---\n",
     "v.yaml:2:1: error: is not valid YAML: the file holds more than one document\n"},
    {"a byte at which YAML readers stop", "log: {}\n# \x04\nhtpp: {}\n",
     "v.yaml:2:3: error: holds the control character 0x04; only text can be here\n"},
    {"a colour of a terminal", "log: { level: \x1b[31minfo }\n",
     "v.yaml:1:15: error: holds the control character 0x1b; only text can be here\n"},
    {"Latin-1", "log: {}\n# caf\xe9\n",
     "v.yaml:2:6: error: is not UTF-8 (byte 0xe9); save the file as UTF-8\n"},
    {"UTF-16", "\xff\xfel",
     "v.yaml:1:1: error: is not UTF-8 (byte 0xff); save the file as UTF-8\n"},
    {"a character that is cut", "log: {} # \xe2\x82",
     "v.yaml:1:11: error: is not UTF-8 (byte 0xe2); save the file as UTF-8\n"},
    {"an unknown anchor", "log: *x\n",
     "v.yaml:1:6: error: is not valid YAML: the referenced anchor is not defined\n"},
    {"an alias", "log: { level: &l info, format: *l }\n",
     "v.yaml:1:32: error: log.format: aliases (*name) can't be used; write the value out\n"},
    {"a tag", "append: { lanes: !!int 4 }\n",
     "v.yaml:1:18: error: append.lanes: tags (!name) can't be used\n"},
    {"a list as a key", "? [a]\n: { x: 1 }\n", "v.yaml:1:3: error: a key must be one plain text\n"},
    {"a section twice", "log: {}\nlog: {}\n",
     "v.yaml:2:1: error: log: is given twice, first in line 1\n"},
    {"a key twice", "append:\n  lanes: 4\n  queue: 9\n  lanes: 5\n",
     "v.yaml:4:3: error: append.lanes: is given twice, first in line 2\n"},
    {"a key of a route twice", "outbound:\n  - { topic: a }\n  - topic: b\n    topic: c\n",
     "v.yaml:4:5: error: outbound[1].topic: is given twice, first in line 3\n"},
};

constexpr BadConfig kForms[] = {
    {"an unknown section", "apend: { lanes: 4 }\n",
     "v.yaml:1:1: error: apend: there is no such section; did you mean append?\n"},
    {"a section like no other", "kafka: { x: 4 }\n",
     "v.yaml:1:1: error: kafka: there is no such section; there are store, storage, brokers, "
     "validation, outbound, append, delivery, http, limits, snapshots, log, plugins, shutdown\n"},
    {"an unknown key", "append:\n  lane: 4\n",
     "v.yaml:2:3: error: append.lane: there is no such setting; did you mean lanes?\n"},
    {"a key like no other", "log: { colour: red }\n",
     "v.yaml:1:8: error: log.colour: there is no such setting; there are level, format, file\n"},
    {"a text for a section", "append: fast\n",
     "v.yaml:1:9: error: append: must be a map, not one text\n"},
    {"a list for a section", "append: [4]\n",
     "v.yaml:1:9: error: append: must be a map, not a list\n"},
    {"a map for a value", "append: { lanes: { a: 1 } }\n",
     "v.yaml:1:18: error: append.lanes: must be a whole number, not a map\n"},
    {"no value", "append:\n  lanes:\n  queue: 7\n",
     "v.yaml:2:3: error: append.lanes: has no value\n"},
    {"a text for a list", "outbound: [ { topic: a, types: b } ]\n",
     "v.yaml:1:32: error: outbound[0].types: must be a list, but is \"b\"\n"},
    {"a list in a list", "outbound: [ { topic: a, types: [b, [c]] } ]\n",
     "v.yaml:1:36: error: outbound[0].types[1]: must be one text, not a list\n"},
    {"a map for the routes", "outbound: { topic: a }\n",
     "v.yaml:1:11: error: outbound: must be a list of routes, such as - { topic: "
     "\"events.{category}\" }; [] publishes nothing\n"},
    {"nothing for the routes", "outbound:\n",
     "v.yaml:1:1: error: outbound: must be a list of routes, such as - { topic: "
     "\"events.{category}\" }; [] publishes nothing\n"},
    {"a text for a route", "outbound: [events]\n",
     "v.yaml:1:12: error: outbound[0]: must be a map, not one text\n"},
};

constexpr BadConfig kValues[] = {
    {"a number out of range", "append: { lanes: 65 }\n",
     "v.yaml:1:18: error: append.lanes: must be between 1 and 64, but is \"65\"\n"},
    {"zero partitions", "store:\n  partitions: 0\n",
     "v.yaml:2:15: error: store.partitions: must be between 1 and 1024, but is \"0\"\n"},
    {"a hexadecimal number", "append: { queue: 0x10 }\n",
     "v.yaml:1:18: error: append.queue: must be a whole number, but is \"0x10\"\n"},
    {"a number without a unit", "append: { publish_timeout: 5 }\n",
     "v.yaml:1:28: error: append.publish_timeout: must be a duration such as 250ms, 5s, 2m, 1h or "
     "7d, but is \"5\"\n"},
    {"a duration out of range", "append: { idempotency_wait: 2h }\n",
     "v.yaml:1:29: error: append.idempotency_wait: must be between 0 and 1m, but is \"2h\"\n"},
    {"a size of another unit", "limits: { body_bytes: 8M }\n",
     "v.yaml:1:23: error: limits.body_bytes: must be a size such as 512, 64KiB, 1MiB or 2GiB, but "
     "is \"8M\"\n"},
    {"a size out of range", "snapshots: { queue_bytes: 1 }\n",
     "v.yaml:1:27: error: snapshots.queue_bytes: must be between 1KiB and 16GiB, but is \"1\"\n"},
    {"a level that is none", "log: { level: warn }\n",
     "v.yaml:1:15: error: log.level: must be one of trace, debug, info, warning, error, but is "
     "\"warn\"\n"},
    {"a store's name with a space", "store: { name: my shop }\n",
     "v.yaml:1:16: error: store.name: must be 1 to 64 letters, digits and - _ . only, but is "
     "\"my shop\"\n"},
    {"an address without a port", "http: { listen: localhost }\n",
     "v.yaml:1:17: error: http.listen: must be ADDRESS:PORT such as 127.0.0.1:7070, [::1]:7070 or "
     ":7070, but is \"localhost\"\n"},
    {"an IPv6 address without brackets", "http: { listen: \"::1:7070\" }\n",
     "v.yaml:1:17: error: http.listen: must be ADDRESS:PORT such as 127.0.0.1:7070, [::1]:7070 or "
     ":7070, but is \"::1:7070\"\n"},
    {"a port that is none", "http: { listen: \":70700\" }\n",
     "v.yaml:1:17: error: http.listen: must be ADDRESS:PORT such as 127.0.0.1:7070, [::1]:7070 or "
     ":7070, but is \":70700\"\n"},
    {"a first pause longer than the longest", "delivery: { first_retry: 10s }\n",
     "v.yaml:1:26: error: delivery.first_retry: must not be longer than max_retry (5s), but is "
     "10s\n"},
    {"events larger than bodies", "limits: { event_bytes: 9MiB }\n",
     "v.yaml:1:24: error: limits.event_bytes: must not be larger than body_bytes (8MiB), but is "
     "9MiB\n"},
};

constexpr BadConfig kLines[] = {
    {"a key of two lines", "log: { \"a\\nb\": 1 }\n",
     "v.yaml:1:8: error: log.a\\x0ab: there is no such setting; there are level, format, file\n"},
    {"a section of two lines", "\"a\\nb\": {}\n",
     "v.yaml:1:1: error: a\\x0ab: there is no such section; there are store, storage, brokers, "
     "validation, outbound, append, delivery, http, limits, snapshots, log, plugins, shutdown\n"},
    {"an expression of two lines", "log: { level: \"${a\\nb}\" }\n",
     "v.yaml:1:15: error: log.level: holds ${a\\x0ab}; known are ${NAME}, ${NAME:-default} and "
     "${file:PATH}\n"},
    {"an expression that is cut within a character",
     "log: { level: \"${=0123456789012345678901234567890123456789012345678901234567é}\" }\n",
     "v.yaml:1:15: error: log.level: holds "
     "${=0123456789012345678901234567890123456789012345678901234567\\xc3}; known are ${NAME}, "
     "${NAME:-default} and ${file:PATH}\n"},
    {"a file's name of two lines", "log: { level: \"${file:a\\nb}\" }\n",
     "v.yaml:1:15: error: log.level: can't read the file \"a\\x0ab\" of ${file:…}: there is no "
     "such "
     "file\n"},
    {"a value of two lines", "log: { level: \"a\\nb\" }\n",
     "v.yaml:1:15: error: log.level: must be one of trace, debug, info, warning, error, but is "
     "\"a\\x0ab\"\n"},
    {"a topic of two lines", "outbound: [ { topic: \"a\\nb}\" } ]\n",
     "v.yaml:1:22: error: outbound[0].topic: the topic \"a\\nb}\" has a '}' without a '{'\n"},
    {"an escape of more than a byte", "log: { level: \"a\\é\" }\n",
     "v.yaml:1:19: error: is not valid YAML: unknown escape character: \\xc3\n"},
};

constexpr BadConfig kReferences[] = {
    {"a broker misspelt", "validation: { broker: mian }\n",
     "v.yaml:1:23: error: validation.broker: there is no broker \"mian\"; did you mean main?\n"},
    {"a broker that is not there", "outbound: [ { broker: kafka } ]\n",
     "v.yaml:1:23: error: outbound[0].broker: there is no broker \"kafka\"; there are: main\n"},
    {"a placeholder in the validation topic", "validation: { topic: \"v.{stream}\" }\n",
     "v.yaml:1:22: error: validation.topic: must be one topic, without placeholders, but is "
     "\"v.{stream}\"\n"},
    {"an empty validation topic", "validation: { topic: \"\" }\n",
     "v.yaml:1:22: error: validation.topic: must not be empty\n"},
    {"events on the validation topic", "outbound: [ { topic: vouch.validation } ]\n",
     "v.yaml:1:22: error: outbound[0].topic: is the validation topic of the same broker; events "
     "need a topic of their own\n"},
    {"a stream's name for a category", "outbound: [ { categories: [order-1] } ]\n",
     "v.yaml:1:27: error: outbound[0].categories: \"order-1\" is no category: a stream's category "
     "is the part of its name before the first \"-\"\n"},
    {"an empty type", "outbound: [ { types: [\"\"] } ]\n",
     "v.yaml:1:22: error: outbound[0].types: must not hold an empty type\n"},
};

void check(const BadConfig& bad) {
  CAPTURE(bad.what);
  const LoadedConfig loaded = load(bad.text + kRest);
  CHECK(problems_of(loaded) == bad.problems);
  CHECK_FALSE(loaded.config.has_value());
}

TEST_CASE("a file that is not plain YAML is refused with the place") {
  for (const BadConfig& bad : kSyntax) check(bad);
}

TEST_CASE("unknown, missing and misformed parts are named with the place") {
  for (const BadConfig& bad : kForms) check(bad);
}

TEST_CASE("values that do not fit are named with what would") {
  for (const BadConfig& bad : kValues) check(bad);
}

TEST_CASE("a problem is said on one line, whatever the file says") {
  for (const BadConfig& bad : kLines) check(bad);
  CHECK(problems_of(load("storage: { plugin: storage-fake, settings: { path: vouch.db } }\n"
                         "brokers: { \"a\\nb\": { plugin: broker-fake } }\n"
                         "validation: { broker: x }\n")) ==
        "v.yaml:2:12: error: brokers: a broker's name must be 1 to 64 letters, digits and - _ . "
        "only, but is \"a\\x0ab\"\n"
        "v.yaml:3:23: error: validation.broker: there is no broker \"x\"; there are: a\\x0ab\n");
}

TEST_CASE("references and topics that make no sense are refused") {
  for (const BadConfig& bad : kReferences) check(bad);
}

TEST_CASE("a placeholder that topics do not know is refused") {
  const LoadedConfig loaded = load("outbound: [ { topic: \"events.{categorie}\" } ]\n" + kRest);
  REQUIRE(loaded.problems.size() == 1);
  CHECK_THAT(
      loaded.problems[0].text(),
      Catch::StartsWith("v.yaml:1:22: error: outbound[0].topic: ") && Catch::Contains("categorie"));
}

TEST_CASE("a quote that is never closed is noticed, though a newline ends the file") {
  const LoadedConfig loaded = load(kRest + "log:\n  level: \"info\n");
  CHECK(problems_of(loaded) == "v.yaml:5:2: error: is not valid YAML: illegal EOF in scalar\n");
}

TEST_CASE("a zero byte is refused, and so nothing behind it is overlooked") {
  const std::string text = kRest + "log: {}\n" + std::string(1, '\0') + "\nhtpp: {}\n";
  CHECK(problems_of(load(text)) ==
        "v.yaml:4:1: error: holds the control character 0x00; only text can be here\n");
}

TEST_CASE("a file, or a file that it names, that may not be read is refused with the reason") {
  const TemporaryDirectory directory;
  const std::string closed = directory.write("closed.yaml", kRest);
  const std::string secret = directory.write("secret", "x");
  const std::string file =
      directory.write("open.yaml", "log: { file: '${file:secret}' }\n" + kRest);
  std::filesystem::permissions(directory.path(), std::filesystem::perms::all);
  std::filesystem::permissions(closed, std::filesystem::perms::none);
  std::filesystem::permissions(secret, std::filesystem::perms::none);
  const bool root = ::geteuid() == 0;  // who may read everything
  REQUIRE((!root || ::seteuid(65'534) == 0));
  FakePlugins plugins;
  const LoadedConfig unread = load_config_file(closed, plugins, FakeEnvironment());
  const LoadedConfig unnamed = load_config_file(file, plugins, FakeEnvironment());
  REQUIRE((!root || ::seteuid(0) == 0));
  CHECK(problems_of(unread) == closed + ": error: can't be read: Permission denied\n");
  CHECK_FALSE(unread.config.has_value());
  CHECK(problems_of(unnamed) ==
        file +
            ":1:14: error: log.file: can't read the file \"secret\" of ${file:…}: Permission "
            "denied\n");
  CHECK_FALSE(unnamed.config.has_value());
}

TEST_CASE("storage and brokers can't be left out") {
  CHECK(problems_of(load("")) ==
        "v.yaml: error: storage.plugin: is required: Name of the plugin, or the path of its .so "
        "file (for example storage-sqlite)\n"
        "v.yaml: error: brokers: is required: at least one broker, by name\n");
  CHECK(problems_of(load("# nothing\nstorage:\nbrokers: {}\n")) ==
        "v.yaml:2:1: error: storage.plugin: is required: Name of the plugin, or the path of its "
        ".so file (for example storage-sqlite)\n"
        "v.yaml:3:1: error: brokers: is required: at least one broker, by name\n");
}

TEST_CASE("a file that is no map is refused") {
  CHECK(problems_of(load("hello\n")) == "v.yaml:1:1: error: must be a map, not one text\n");
  CHECK(problems_of(load("- a\n")) == "v.yaml:1:1: error: must be a map, not a list\n");
}

TEST_CASE("with several brokers each use must say which") {
  const std::string text =
      "storage: { plugin: storage-fake, settings: { path: vouch.db } }\n"
      "brokers:\n  main: { plugin: broker-fake }\n  edge: { plugin: broker-fake }\n";
  CHECK(problems_of(load(text)) ==
        "v.yaml: error: validation.broker: is required, since there are several brokers: main, "
        "edge\n"
        "v.yaml: error: outbound[0].broker: is required, since there are several brokers: main, "
        "edge\n");
  CHECK(problems_of(load(text + "validation:\noutbound:\n  - topic: a\n")) ==
        "v.yaml:5:1: error: validation.broker: is required, since there are several brokers: "
        "main, edge\n"
        "v.yaml:7:5: error: outbound[0].broker: is required, since there are several brokers: "
        "main, edge\n");
}

TEST_CASE("a broker's name is checked") {
  CHECK(problems_of(load("storage: { plugin: storage-fake, settings: { path: vouch.db } }\n"
                         "brokers: { \"a b\": { plugin: broker-fake } }\n")) ==
        "v.yaml:2:12: error: brokers: a broker's name must be 1 to 64 letters, digits and - _ . "
        "only, but is \"a b\"\n");
}

TEST_CASE("a plugin that is not found is said at its name") {
  CHECK(problems_of(load("storage: { plugin: storage-none }\n"
                         "brokers:\n  main:\n    plugin: plugins/x.so\n")) ==
        "v.yaml:1:20: error: storage.plugin: no plugin storage-none was found\n"
        "v.yaml:4:13: error: brokers.main.plugin: no plugin /etc/vouch/plugins/x.so was found\n");
}

TEST_CASE("a plugin's settings are checked by its table, each at its place") {
  CHECK(problems_of(load("storage:\n"
                         "  plugin: storage-fake\n"
                         "  settings:\n"
                         "    pth: vouch.db\n"
                         "    pool: 65\n"
                         "    timeout: 1ms\n"
                         "    mode: ful\n"
                         "    hosts: a\n"
                         "    extra: { a: { b: c } }\n"
                         "brokers:\n"
                         "  main: { plugin: broker-fake, settings: { uri: x }, sttings: {} }\n")) ==
        "v.yaml:3:3: error: storage.settings.path: is required: The file (for example vouch.db)\n"
        "v.yaml:4:5: error: storage.settings.pth: there is no such setting; did you mean path?\n"
        "v.yaml:5:11: error: storage.settings.pool: must be between 1 and 64, but is \"65\"\n"
        "v.yaml:6:14: error: storage.settings.timeout: must be between 10ms and 1m, but is "
        "\"1ms\"\n"
        "v.yaml:7:11: error: storage.settings.mode: must be one of full, normal, but is \"ful\"; "
        "did you mean full?\n"
        "v.yaml:8:12: error: storage.settings.hosts: must be a list, but is \"a\"\n"
        "v.yaml:9:17: error: storage.settings.extra.a: must be one text, not a map\n"
        "v.yaml:11:44: error: brokers.main.settings.uri: there is no such setting\n"
        "v.yaml:11:54: error: brokers.main.sttings: there is no such setting; did you mean "
        "settings?\n");
}

TEST_CASE("a plugin's own rules are asked when its table finds no fault") {
  const std::string brokers = "brokers: { main: { plugin: broker-fake } }\n";
  CHECK(problems_of(load("storage:\n  plugin: storage-fake\n"
                         "  settings: { path: x, mode: normal, pool: 9 }\n" +
                         brokers)) ==
        "v.yaml:3:44: error: storage.settings.pool: must be at most 8 in the mode normal\n");
  CHECK(problems_of(load("storage:\n  plugin: storage-fake\n"
                         "  settings: { path: x, mode: normal, pool: 99 }\n" +
                         brokers)) ==
        "v.yaml:3:44: error: storage.settings.pool: must be between 1 and 64, but is \"99\"\n");
  CHECK(problems_of(load("storage:\n  plugin: storage-fake\n"
                         "  settings: { path: x, pool: 13 }\n" +
                         brokers)) ==
        "v.yaml:3:3: error: storage.settings: the plugin's own check failed: no luck\n");
  // Nor are they asked about values that could not be made.
  CHECK(problems_of(load("storage:\n  plugin: storage-fake\n"
                         "  settings: { path: '${NOPE}', pool: 13 }\n" +
                         brokers)) ==
        "v.yaml:3:21: error: storage.settings.path: the environment variable NOPE is not set; set "
        "it or write ${NOPE:-default}\n");
}

TEST_CASE("everything that is wrong with a file is said at once, by line") {
  CHECK(problems_of(load("store: { name: \"\", partitions: many }\n"
                         "storage: { plugin: storage-fake, settings: { path: '${NOPE}' } }\n"
                         "brokers:\n"
                         "  main: { plugin: broker-none }\n"
                         "validation: { broker: other }\n"
                         "outbound: [ { broker: man, types: x }, 5 ]\n"
                         "append:\n"
                         "  lanes: none\n"
                         "  lanes: 3\n"
                         "htp: {}\n")) ==
        "v.yaml:1:16: error: store.name: must be 1 to 64 letters, digits and - _ . only, but is "
        "\"\"\n"
        "v.yaml:1:32: error: store.partitions: must be a whole number, but is \"many\"\n"
        "v.yaml:2:52: error: storage.settings.path: the environment variable NOPE is not set; set "
        "it or write ${NOPE:-default}\n"
        "v.yaml:4:19: error: brokers.main.plugin: no plugin broker-none was found\n"
        "v.yaml:5:23: error: validation.broker: there is no broker \"other\"; there are: main\n"
        "v.yaml:6:23: error: outbound[0].broker: there is no broker \"man\"; did you mean main?\n"
        "v.yaml:6:35: error: outbound[0].types: must be a list, but is \"x\"\n"
        "v.yaml:6:40: error: outbound[1]: must be a map, not one text\n"
        "v.yaml:8:10: error: append.lanes: must be a whole number, but is \"none\"\n"
        "v.yaml:9:3: error: append.lanes: is given twice, first in line 8\n"
        "v.yaml:10:1: error: htp: there is no such section; did you mean http?\n");
}

TEST_CASE("a file that can't be read is said to be so") {
  FakePlugins plugins;
  const FakeEnvironment environment;
  const TemporaryDirectory directory;
  const std::string missing = (directory.path() / "none.yaml").string();
  CHECK(problems_of(load_config_file(missing, plugins, environment)) ==
        missing + ": error: can't be read: there is no such file\n");
  CHECK(problems_of(load_config_file(directory.path().string(), plugins, environment)) ==
        directory.path().string() + ": error: can't be read: it is not a regular file\n");
}

TEST_CASE("a file that is far too large is not parsed") {
  CHECK(problems_of(load(std::string((1U << 20U) + 1, '#'))) ==
        "v.yaml: error: is larger than 1MiB\n");
}

}  // namespace
}  // namespace vouch::config::test
