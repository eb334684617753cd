// Fills an empty event store with a fleet's events over the last thirty days, for benches of what stands above it:
// fill_store DIRECTORY EVENTS. Prints what to look for, from an event in the middle, as JSON.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/time.h"
#include "bench/generator.h"
#include "bench/must.h"
#include "event/field.h"
#include "store/events/event_store.h"

namespace redoubt::bench {
namespace {

using event::Field;

constexpr int64_t kDays = 30;
constexpr uint32_t kFrameEventsMin = 1000;  // so that few frames are waited for
constexpr uint32_t kFrameEventsMax = 4000;

constexpr std::array kWanted = {Field::host_name,
                                Field::host_id,
                                Field::event_time,
                                Field::process_entity_id,
                                Field::process_command_line,
                                Field::file_hash_sha256,
                                Field::destination_ip,
                                Field::dns_question_name,
                                Field::file_path};

void fill(const std::string& directory, size_t events) {
  const auto store = must(store::open_embedded_store({.directory = directory}));
  const int64_t now = base::Time::now().us;
  Generator generator({.mix = Mix::fleet,
                       .frame_events_min = kFrameEventsMin,
                       .frame_events_max = kFrameEventsMax,
                       .start_us = now - kDays * base::kDayUs,
                       .events_per_day = std::max<int64_t>(1, static_cast<int64_t>(events) / kDays)});
  nlohmann::json wanted;
  size_t made = 0;
  while (made < events) {
    const Generated next = generator.next();
    made += next.batch.size();
    for (size_t i = 0; made > events / 2 && wanted.size() < kWanted.size() && i < next.batch.size(); ++i) {
      const event::Row row = next.batch.row(i);
      for (const Field field : kWanted) {
        const std::string name(event::info(field).name);
        if (wanted.contains(name) || !row.get(field).present()) continue;
        wanted[name] =
            field == Field::event_time ? base::format_time({row.integer(field)}) : std::string(row.text(field));
      }
    }
    must(store->append(next.host_id, next.frame, next.batch));
    must(store->mark_judged(next.host_id, next.frame.boot_id, next.frame.last_sequence));
  }
  must(store->seal());
  std::printf("%s\n", wanted.dump().c_str());
}

}  // namespace
}  // namespace redoubt::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: fill_store DIRECTORY EVENTS\n", stderr);
    return 2;
  }
  redoubt::bench::fill(argv[1], std::strtoull(argv[2], nullptr, 10));
}
