#include "bench/store_clickhouse.h"

#include <fstream>
#include <sstream>

#include "bench/must.h"
#include "store/events/clickhouse/options.h"
#include "store/events/clickhouse/test_clickhouse.h"

namespace redoubt::bench {

namespace {

constexpr size_t kPartEvents = 100'000;

// User and system time of a process, seconds.
double cpu_seconds_of(pid_t process) {
  constexpr int kFieldsBefore = 11;  // between the name's end and user time: proc(5)
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::stringstream content;
  content << file.rdbuf();
  std::string text = content.str();
  std::istringstream rest(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < kFieldsBefore; ++i) rest >> skipped;
  double user = 0, system = 0;
  rest >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

std::optional<ClickHouseIngest> fill_clickhouse(const std::string& directory, const GeneratorOptions& options,
                                                size_t events) {
  const auto server = store::TestClickHouse::start_one();
  if (!server) return std::nullopt;
  const auto store = must(store::open_clickhouse_store(server->fresh_options(directory)));
  Generator generator(options);
  const double begin = cpu_seconds_of(server->process(0));
  size_t made = 0;
  while (made < events) {
    for (size_t part = 0; part < kPartEvents && made < events;) {
      const Generated next = generator.next();
      part += next.batch.size();
      made += next.batch.size();
      must(store->append(next.host_id, next.frame, next.batch));
    }
    must(store->seal());
  }
  const auto count = static_cast<double>(made);
  return ClickHouseIngest{.rate = count / (cpu_seconds_of(server->process(0)) - begin),
                          .bytes = static_cast<double>(store->stats().segment_bytes) / count};
}

}  // namespace redoubt::bench
