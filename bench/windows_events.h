// Windows events for benches: recordings of real machines where they are, and a generator of the same shape and mix.
// One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/batch.h"

namespace redoubt::bench {

// The JSON lines in all ZIP files below the directory. Empty where there is no such directory.
Result<std::string> recorded_lines(const std::string& directory);
// The events of JSON lines.
std::vector<event::Batch> read_lines(std::string_view lines);
// The same, one batch after the other, each gone before the next is made: as they come from a file or the wire.
void for_each_batch(std::string_view lines, const std::function<void(const event::Batch&)>& each);

struct WindowsOptions {
  uint64_t seed = 1;
  size_t events = 200'000;
};

// Process accesses, registry values, modules, script text, processes, files, connections and security audits, in about
// the shares in which the recordings have them. The same seed gives the same events.
std::vector<event::Batch> generated_windows_events(const WindowsOptions& options);

}  // namespace redoubt::bench
