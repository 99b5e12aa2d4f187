// ${NAME}, ${NAME:-default}, ${file:PATH} and $$ in values.
#include <catch2/catch.hpp>

#include "config_fixture.h"

namespace vouch::config::test {
namespace {

/// The store's name after it was loaded, or the problems.
std::string name_of(const std::string& written, const FakeEnvironment& environment = {}) {
  const LoadedConfig loaded =
      load("validation: { topic: '" + written + "' }\n" + kRest, environment);
  return loaded.config ? loaded.config->validation.topic : problems_of(loaded);
}

TEST_CASE("a variable stands for its value, anywhere in a value") {
  const FakeEnvironment environment = variables({{"A", "x"}, {"B_2", "y"}, {"EMPTY", ""}});
  CHECK(name_of("${A}", environment) == "x");
  CHECK(name_of("v.${A}.${B_2}.w", environment) == "v.x.y.w");
  CHECK(name_of("v${EMPTY}", environment) == "v");
}

TEST_CASE("a default stands in for a variable that is unset or empty") {
  const FakeEnvironment environment = variables({{"A", "x"}, {"EMPTY", ""}});
  CHECK(name_of("${A:-d}", environment) == "x");
  CHECK(name_of("${NOPE:-d}", environment) == "d");
  CHECK(name_of("${EMPTY:-d}", environment) == "d");
  CHECK(name_of("v${NOPE:-}", environment) == "v");
  CHECK(name_of("${NOPE:-a:-b}", environment) == "a:-b");
}

TEST_CASE("dollar signs that start nothing stay, and two stand for one") {
  CHECK(name_of("$$A") == "$A");
  CHECK(name_of("a$b$") == "a$b$");
  CHECK(name_of("$$$$") == "$$");
}

TEST_CASE("what comes in is not looked through again") {
  const FakeEnvironment environment = variables({{"A", "${B}"}, {"B", "secret"}, {"C", "$$"}});
  const LoadedConfig loaded =
      load("store: { name: s }\nlog: { file: '/${A}${C}' }\n" + kRest, environment);
  REQUIRE(loaded.config);
  CHECK(loaded.config->log.file == "/${B}$$");
}

TEST_CASE("what comes in can't change the structure of the document") {
  const FakeEnvironment environment = variables({{"A", "x }\nlog: { level: trace"}});
  const LoadedConfig loaded = load("validation: { topic: \"${A}\" }\n" + kRest, environment);
  CHECK(problems_of(loaded) ==
        "v.yaml:1:22: error: validation.topic: must be one topic, without placeholders, but is "
        "\"x }\\x0alog: { level: trace\"\n");
}

TEST_CASE("keys are left alone") {
  const FakeEnvironment environment = variables({{"A", "log"}});
  CHECK_THAT(problems_of(load("\"${A}\": { level: info }\n" + kRest, environment)),
             Catch::StartsWith("v.yaml:1:1: error: ${A}: there is no such section"));
}

TEST_CASE("a variable that is not set is an error at the value, and only that") {
  CHECK(problems_of(load("append: { lanes: \"${LANES}\" }\n" + kRest)) ==
        "v.yaml:1:18: error: append.lanes: the environment variable LANES is not set; set it or "
        "write ${LANES:-default}\n");
  CHECK(problems_of(load("outbound: [ { types: [a, '${T}'] } ]\n" + kRest)) ==
        "v.yaml:1:26: error: outbound[0].types[1]: the environment variable T is not set; set it "
        "or write ${T:-default}\n");
}

TEST_CASE("expressions that are not understood are errors") {
  CHECK(name_of("${A") ==
        "v.yaml:1:22: error: validation.topic: holds ${ without a closing }; write $${ for the "
        "characters\n");
  CHECK(name_of("${2A}") ==
        "v.yaml:1:22: error: validation.topic: holds ${2A}; known are ${NAME}, ${NAME:-default} "
        "and ${file:PATH}\n");
  CHECK(name_of("${}") ==
        "v.yaml:1:22: error: validation.topic: holds ${}; known are ${NAME}, ${NAME:-default} and "
        "${file:PATH}\n");
}

TEST_CASE("an interpolated value is checked like a written one") {
  const FakeEnvironment environment = variables({{"LANES", "100"}});
  CHECK(problems_of(load("append: { lanes: \"${LANES}\" }\n" + kRest, environment)) ==
        "v.yaml:1:18: error: append.lanes: must be between 1 and 64, but is \"100\"\n");
}

TEST_CASE("a file stands for its content without one final newline") {
  const TemporaryDirectory directory;
  FakePlugins plugins;
  const auto name = [&](const std::string& content) {
    directory.write("topic", content);
    const LoadedConfig loaded =
        load_config_text("validation: { topic: 'v.${file:topic}' }\n" + kRest, "v.yaml",
                         directory.path().string(), plugins, FakeEnvironment());
    return loaded.config ? loaded.config->validation.topic : problems_of(loaded);
  };
  CHECK(name("x") == "v.x");
  CHECK(name("x\n") == "v.x");
  CHECK(name("x\r\n") == "v.x");
  CHECK(name("x\n\n") == "v.x\n");
  CHECK(name("") == "v.");
}

TEST_CASE("a file that can't be read is an error at the value") {
  CHECK(name_of("${file:/nonexistent/x}") ==
        "v.yaml:1:22: error: validation.topic: can't read the file \"/nonexistent/x\" of "
        "${file:…}: there is no such file\n");
  CHECK(name_of("${file:/dev/zero}") ==
        "v.yaml:1:22: error: validation.topic: can't read the file \"/dev/zero\" of ${file:…}: it "
        "is not a regular file\n");
}

TEST_CASE("the content of a file is in no message") {
  const TemporaryDirectory directory;
  const std::string file = directory.write("secret", "hunter2\n");
  const LoadedConfig loaded = load("append: { lanes: \"${file:" + file + "}\" }\n" + kRest);
  CHECK(problems_of(loaded) ==
        "v.yaml:1:18: error: append.lanes: must be a whole number (the value comes from a file "
        "and is not shown)\n");
}

TEST_CASE("no message shows the content of a file, whichever check it fails") {
  const TemporaryDirectory directory;
  directory.write("secret", "s e c r e t}");
  const std::string text =
      "store: { name: '${file:secret}' }\n"
      "http: { listen: '${file:secret}' }\n"
      "validation: { broker: '${file:secret}', topic: '${file:secret}' }\n"
      "outbound: [ { broker: '${file:secret}', topic: 'a.${file:secret}',\n"
      "              categories: [order, '${file:secret}'] } ]\n";
  const std::string plugins_text =
      "storage: { plugin: '${file:secret}' }\n"
      "brokers: { main: { plugin: broker-fake } }\n";
  FakePlugins plugins;
  const LoadedConfig loaded = load_config_text(
      text + plugins_text, "v.yaml", directory.path().string(), plugins, FakeEnvironment());
  const std::string hidden = " (the value comes from a file and is not shown)\n";
  CHECK(
      problems_of(loaded) ==
      "v.yaml:1:16: error: store.name: must be 1 to 64 letters, digits and - _ . only" + hidden +
          "v.yaml:2:17: error: http.listen: must be ADDRESS:PORT such as 127.0.0.1:7070, "
          "[::1]:7070 or :7070" +
          hidden +
          "v.yaml:3:23: error: validation.broker: there is no such broker; there are: main" +
          hidden + "v.yaml:3:48: error: validation.topic: must be one topic, without placeholders" +
          hidden +
          "v.yaml:4:23: error: outbound[0].broker: there is no such broker; there are: main" +
          hidden + "v.yaml:4:48: error: outbound[0].topic: is not a topic" + hidden +
          "v.yaml:5:27: error: outbound[0].categories: holds what is no category: a stream's "
          "category is the part of its name before the first \"-\"" +
          hidden + "v.yaml:6:20: error: storage.plugin: names no plugin that can be used" + hidden);
}

}  // namespace
}  // namespace vouch::config::test
