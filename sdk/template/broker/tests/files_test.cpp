// Tests of what the conformance suite can't know of this plugin: files that a crash tore, topics
// that two processes make at once, names. Ends with 1 and a line for each expectation that does not
// hold.
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "partition_file.h"
#include "record.h"
#include "topics.h"

namespace {

namespace fs = std::filesystem;
using broker_files::PartitionFile;
using broker_files::Topics;

int failures = 0;

void expect(bool fulfilled, const char* what) {
  if (fulfilled) return;
  std::printf("failed: %s\n", what);
  ++failures;
}

std::string record(const std::string& payload) {
  std::string bytes;
  vouch::Message message;
  message.key = "k";
  message.payload = payload;
  broker_files::append_record(bytes, message);
  return bytes;
}

/// Payloads from an offset on, joined by spaces.
std::string payloads(PartitionFile& file, std::uint64_t& offset) {
  std::string all;
  std::string body;
  for (auto more = file.read(offset, body); more.ok() && *more; more = file.read(offset, body)) {
    const auto message = broker_files::message_of(body);
    expect(message.has_value(), "a record is a message");
    if (message) all += (all.empty() ? "" : " ") + message->payload;
  }
  return all;
}

void half_a_record_is_not_there(const std::string& path) {
  const std::string whole = record("one") + record("two");
  const std::string torn = record("three");
  for (std::size_t kept = 1; kept < torn.size(); ++kept) {
    std::ofstream(path, std::ios::binary) << whole << torn.substr(0, kept);
    auto reader = *PartitionFile::open(path);
    std::uint64_t offset = 0;
    expect(payloads(*reader, offset) == "one two", "half a record is not read");
    expect(*reader->end() == whole.size(), "the end is behind the last whole record");
    auto writer = *PartitionFile::open(path);
    expect(writer->append(record("four")).ok(), "one can write behind half a record");
    expect(payloads(*reader, offset) == "four", "half a record is gone when the next is written");
  }
}

void writers_share_a_file(const std::string& path) {
  auto one = *PartitionFile::open(path);
  auto other = *PartitionFile::open(path);
  expect(one->append(record("a")).ok() && other->append(record("b")).ok() &&
             one->append(record("c") + record("d")).ok(),
         "two writers");
  std::uint64_t offset = 0;
  expect(payloads(*other, offset) == "a b c d", "records are in the order written");
}

void topics_are_made_once(const std::string& directory) {
  Topics one(directory);
  Topics other(directory);
  expect(one.open().ok(), "the directory is made");
  expect(*one.partitions("orders", 3) == 3, "a topic is made as wanted");
  expect(*other.partitions("orders", 5) == 3, "a topic that is there is kept");
  for (const std::string name : {"../up", ".", "a/b", "a%2Fb", "ä"}) {
    expect(one.partitions(name, 1).ok(), "any name is a topic");
    expect(fs::path(one.file_of(name, 0)).parent_path().parent_path() == fs::path(directory),
           "a name never leads out of the directory");
  }
  expect(one.file_of("a/b", 0) != one.file_of("a%2Fb", 0), "names stay apart");
  expect(!one.partitions("", 1).ok(), "a topic has a name");
  expect(!one.partitions(std::string(300, 'x'), 1).ok(), "a name may be too long");
}

}  // namespace

int main() {
  std::string directory = (fs::temp_directory_path() / "broker-files-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  half_a_record_is_not_there(directory + "/torn.log");
  writers_share_a_file(directory + "/shared.log");
  topics_are_made_once(directory + "/topics");
  fs::remove_all(directory);
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
