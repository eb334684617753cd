// Runs a fuzz target over its corpus: every file of the directory named on the command line, and the empty input.
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  LLVMFuzzerTestOneInput(nullptr, 0);
  int replayed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    const auto content = redoubt::base::read_file(entry.path(), size_t{64} << 20);
    if (!content) {
      std::fprintf(stderr, "%s\n", content.error().message.c_str());
      return 1;
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(content->data()), content->size());
    ++replayed;
  }
  std::printf("replayed %d inputs\n", replayed);
  return replayed > 0 ? 0 : 1;
}
