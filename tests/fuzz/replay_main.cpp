// Runs a fuzz target over files, for builds without a fuzzer: the seeds, and inputs that were
// findings once, are tests of every build. Arguments: files, or directories of them.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz_target.h"

namespace {

std::vector<std::filesystem::path> inputs(int count, char** names) {
  std::vector<std::filesystem::path> found;
  for (int i = 1; i < count; ++i) {
    if (!std::filesystem::is_directory(names[i])) {
      found.emplace_back(names[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(names[i])) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

int main(int count, char** names) {
  const auto files = inputs(count, names);
  for (const auto& file : files) {
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);
    std::ifstream stream(file, std::ios::binary);
    // Of its exact size, so that a sanitizer sees a read behind the end.
    const std::vector<char> bytes((std::istreambuf_iterator<char>(stream)), {});
    if (!stream.good() && !stream.eof()) return 1;
    const void* const start = bytes.data();
    LLVMFuzzerTestOneInput(static_cast<const std::uint8_t*>(start), bytes.size());
  }
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}
