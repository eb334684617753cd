// Events like those of a fleet, for benches and tests: Zipf-distributed hosts and programs, live process trees, command
// lines that few processes share, paths of which half are seen once. The same seed gives the same events. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "event/batch.h"
#include "event/frame.h"

namespace redoubt::bench {

// What kinds of events there are. agent: process starts and ends, file changes, connections, as a Linux agent sends
// them. fleet: modules, name look-ups, the registry and logins too.
enum class Mix { agent, fleet };

struct GeneratorOptions {
  Mix mix = Mix::agent;
  uint64_t seed = 1;
  uint32_t hosts = 2000;
  std::vector<std::string> host_ids;  // of so many hosts; of the others made up
  uint32_t programs = 3000;
  uint32_t processes_per_host = 40;  // alive at a time
  uint32_t frame_events_min = 10;
  uint32_t frame_events_max = 60;
  int64_t start_us = 1'780'000'000'000'000;  // time of the first event
  int64_t events_per_day = 5'000'000;
};

struct Generated {
  std::string host_id;
  event::Frame frame;
  event::Batch batch;
};

class Generator {
 public:
  explicit Generator(const GeneratorOptions& options);
  ~Generator();

  // The next frame of some host: sequence numbers rise by one within (host, boot), time goes on over all hosts.
  Generated next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace redoubt::bench
