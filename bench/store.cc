// The event store beside other ways to keep the same events, a fleet's of 2,000 hosts: ingest, disk, searches. Figures
// are of CPU time. Arguments: names of measurements to make; none: all. REDOUBT_STORE_EVENTS: how many events (2
// million).
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/time.h"
#include "bench/generator.h"
#include "bench/must.h"
#include "bench/report.h"
#include "bench/store_clickhouse.h"
#include "bench/store_peers.h"
#include "query/hunt.h"
#include "store/events/event_store.h"

namespace redoubt::bench {
namespace {

using event::Field;
using query::Expression;
using query::Operator;

constexpr size_t kEventsAtFirst = 2'000'000;
constexpr size_t kSqliteEvents = 200'000;  // its rate falls further with more
constexpr size_t kPartEvents = 100'000;    // made at a time, outside of what is measured
constexpr size_t kAckEvents = 300'000;
constexpr size_t kStreams = 8;  // that append at once
constexpr size_t kRuns = 5;
constexpr double kSecondMs = 1000;

size_t events_wanted() {
  const char* wanted = std::getenv("REDOUBT_STORE_EVENTS");
  return wanted != nullptr ? std::stoull(wanted) : kEventsAtFirst;
}

double thread_cpu_seconds() { return static_cast<double>(base::thread_cpu_ns()) / 1e9; }

// What to look for: from an event in the middle of all.
struct Needles {
  std::string sha256, entity_id, ip, domain, command_part;
  std::string parent_id, host_id;  // of a process with many children
  size_t children = 0;
  std::map<std::string, size_t> started;  // processes by their parent

  void note(const std::string& host, const event::Row& row) {
    if (row.type() == event::EventType::process) {
      const std::string parent(row.text(Field::process_parent_entity_id));
      if (const size_t count = ++started[parent]; count > children) {
        children = count;
        parent_id = parent;
        host_id = host;
      }
    }
    if (row.type() == event::EventType::filechange && sha256.empty()) sha256 = row.text(Field::file_hash_sha256);
    if (ip.empty()) ip = row.text(Field::destination_ip);
    if (domain.empty()) domain = row.text(Field::dns_question_name);
    if (entity_id.empty()) {
      entity_id = row.text(Field::process_entity_id);
      const std::string line(row.text(Field::process_command_line));
      command_part = line.substr(line.size() - 8);
    }
  }
};

// The same events for everyone, in parts; the time that it takes to make them is known.
class Load {
 public:
  explicit Load(size_t events) : events_(events), generator_({.mix = Mix::fleet}) {}

  // Empty at the end.
  std::vector<Generated> next() {
    const double begin = thread_cpu_seconds();
    std::vector<Generated> part;
    for (size_t count = 0; count < kPartEvents && made_ < events_;) {
      part.push_back(generator_.next());
      count += part.back().batch.size();
      made_ += part.back().batch.size();
    }
    cpu_ += thread_cpu_seconds() - begin;
    return part;
  }
  size_t made() const { return made_; }
  double cpu() const { return cpu_; }

 private:
  size_t events_;
  Generator generator_;
  size_t made_ = 0;
  double cpu_ = 0;
};

std::vector<Field> fields_in(const std::vector<Generated>& frames) {
  std::set<Field> seen{Field::host_id, Field::host_boot_id};
  for (const Generated& made : frames) {
    for (size_t i = 0; i < made.batch.size(); ++i) {
      for (const event::FieldInfo& row : event::kFields) {
        if (made.batch.row(i).get(row.field).present()) seen.insert(row.field);
      }
    }
  }
  return {seen.begin(), seen.end()};
}

struct Ingested {
  double rate = 0;   // events a second of CPU time
  double bytes = 0;  // an event on disk
};

Ingested fill_peer(StorePeer& peer, size_t events) {
  Load load(events);
  const double begin = cpu_seconds();
  for (auto part = load.next(); !part.empty(); part = load.next()) peer.take(part);
  peer.finish();
  const auto count = static_cast<double>(load.made());
  return {.rate = count / (cpu_seconds() - begin - load.cpu()), .bytes = static_cast<double>(peer.bytes()) / count};
}

void must_append(store::EventStore& store, const Generated& made) {
  must(store.append(made.host_id, made.frame, made.batch));
  if (const auto judged = store.mark_judged(made.host_id, made.frame.boot_id, made.frame.last_sequence); !judged) {
    give_up(judged.error().message);
  }
}

// As the streams of many agents do: frames of one host stay in order.
void append_all(store::EventStore& store, const std::vector<Generated>& part) {
  std::vector<std::thread> threads;
  for (size_t stream = 0; stream < kStreams; ++stream) {
    threads.emplace_back([&, stream] {
      for (const Generated& made : part) {
        if (std::hash<std::string>()(made.host_id) % kStreams == stream) must_append(store, made);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

Ingested fill_store(store::EventStore& store, size_t events, Needles& needles) {
  Load load(events);
  const double begin = cpu_seconds();
  for (auto part = load.next(); !part.empty(); part = load.next()) {
    append_all(store, part);
    if (load.made() < events / 2 || !needles.started.empty()) continue;
    for (const Generated& made : part) {
      for (size_t i = 0; i < made.batch.size(); ++i) needles.note(made.host_id, made.batch.row(i));
    }
  }
  if (const auto sealed = store.seal(); !sealed) give_up(sealed.error().message);
  const auto count = static_cast<double>(load.made());
  return {.rate = count / (cpu_seconds() - begin - load.cpu()),
          .bytes = static_cast<double>(store.stats().segment_bytes) / count};
}

// What a search costs: CPU milliseconds.
double cost_of(const std::function<void()>& search) {
  const double begin = cpu_seconds();
  search();
  return (cpu_seconds() - begin) * kSecondMs;
}

std::vector<double> costs_of(const std::function<void()>& search) {
  std::vector<double> costs;
  for (size_t run = 0; run < kRuns; ++run) costs.push_back(cost_of(search));
  return costs;
}

const std::vector<Field> kShown = {Field::event_time,           Field::event_type,    Field::host_name,
                                   Field::process_executable,   Field::user_name,     Field::file_path,
                                   Field::process_command_line, Field::destination_ip};

query::Hunt hunt_for(Expression where) {
  query::Hunt hunt;
  hunt.where = must(query::normalize(std::move(where)));
  hunt.fields = kShown;
  return hunt;
}

query::Hunt hunt_for(Field field, Operator op, std::vector<query::Operand> operands) {
  return hunt_for(Expression::test(field, op, std::move(operands)));
}

std::string select_where(const std::string& condition) {
  std::string list;
  for (const Field field : kShown) list += (list.empty() ? "" : ", ") + std::string(event::info(field).column);
  return "SELECT " + list + " FROM events WHERE " + condition + " ORDER BY event_time DESC LIMIT 100";
}

class StoreBench {
 public:
  StoreBench(std::set<std::string> wanted, size_t events) : wanted_(std::move(wanted)), events_(events) {
    columns_ = fields_in(Load(kPartEvents).next());
  }

  void run() {
    if (asked({"store.ingest", "store.disk_bytes", "store.needle", "store.contains", "store.newest100", "store.tree",
               "store.histogram"})) {
      store_ = must(store::open_embedded_store({.directory = directory_ / "store"}));
      native_ = make_duckdb_native(directory_ / "native", columns_);
      const Ingested own = fill_store(*store_, events_, needles_);
      ingest(own);
      if (asked({"store.needle"})) needle();
      if (asked({"store.contains"})) contains();
      if (asked({"store.newest100"})) newest();
      if (asked({"store.tree"})) tree();
      if (asked({"store.histogram"})) histogram();
      store_.reset();
    }
    if (asked({"store.ack_p99"})) acknowledge();
  }

 private:
  bool asked(std::initializer_list<const char*> names) const {
    return wanted_.empty() ||
           std::any_of(names.begin(), names.end(), [&](const char* name) { return wanted_.contains(name); });
  }

  void ingest(const Ingested& own) {
    const Ingested native = fill_peer(*native_, events_);
    std::vector<std::pair<std::string, Ingested>> peers{{native_->name(), native}};
    if (asked({"store.newest100"})) {
      plain_ = make_naive_parquet(directory_ / "plain", columns_);
      peers.emplace_back(plain_->name(), fill_peer(*plain_, events_));
    }
    if (asked({"store.ingest", "store.disk_bytes"})) {
      const auto sqlite = make_sqlite(directory_ / "sqlite", columns_);
      peers.emplace_back(sqlite->name(), fill_peer(*sqlite, std::min(events_, kSqliteEvents)));
    }
    if (asked({"store.ingest", "store.disk_bytes"})) {
      const auto clickhouse = fill_clickhouse(directory_ / "clickhouse", {.mix = Mix::fleet}, events_);
      if (clickhouse) {
        peers.emplace_back("ClickHouse, its server alone",
                           Ingested{.rate = clickhouse->rate, .bytes = clickhouse->bytes});
      }
    }
    for (const auto& [name, peer] : peers) {
      if (asked({"store.ingest"})) {
        report({.name = "store.ingest",
                .unit = "events/cpu-s",
                .runs = {own.rate},
                .note = "frames of 10 to 60 events, 8 streams; spool, tail, sealed",
                .peer = name,
                .peer_value = peer.rate});
      }
      if (asked({"store.disk_bytes"})) {
        report({.name = "store.disk_bytes",
                .unit = "bytes/event",
                .better = Better::lower,
                .runs = {own.bytes},
                .note = std::to_string(events_) + " events",
                .peer = name,
                .peer_value = peer.bytes});
      }
    }
  }

  uint64_t hunt(const query::Hunt& hunt) {
    const auto found = must(store_->hunt(hunt, {}));
    if (found.partial) give_up("partial answer: " + found.partial_why);
    return found.rows.size();
  }

  // One line a search: the store's cost and the peer's; both find the same number of rows.
  void compare(const std::string& name, const std::string& note, const std::function<uint64_t()>& own, StorePeer& peer,
               const std::string& sql) {
    uint64_t rows = 0;
    uint64_t peer_rows = 0;
    const auto costs = costs_of([&] { rows = own(); });
    const auto peer_costs = costs_of([&] { peer_rows = peer.query(sql); });
    if (rows != peer_rows) {
      give_up(name + " (" + note + ") found " + std::to_string(rows) + " rows, " + peer.name() + " " +
              std::to_string(peer_rows));
    }
    report({.name = name,
            .unit = "cpu-ms",
            .better = Better::lower,
            .runs = costs,
            .note = note + ": " + std::to_string(rows) + " rows of " + std::to_string(events_) + " events",
            .peer = peer.name(),
            .peer_value = median(peer_costs)});
  }

  void needle() {
    const auto one = [&](const std::string& note, Field field, const std::string& value) {
      const query::Hunt wanted = hunt_for(field, Operator::equal, {value});
      compare(
          "store.needle", note, [&] { return hunt(wanted); }, *native_,
          select_where(std::string(event::info(field).column) + " = '" + value + "'"));
    };
    one("file hash", Field::file_hash_sha256, needles_.sha256);
    one("process id", Field::process_entity_id, needles_.entity_id);
    one("address", Field::destination_ip, needles_.ip);
    one("domain", Field::dns_question_name, needles_.domain);
  }

  void contains() {
    const auto one = [&](const std::string& note, const std::string& part) {
      const query::Hunt wanted = hunt_for(Field::process_command_line, Operator::contains, {part});
      compare(
          "store.contains", note, [&] { return hunt(wanted); }, *native_,
          select_where("contains(lower(process_command_line), '" + part + "')"));
    };
    one("in no command line", "mimikatz");
    one("in one process", needles_.command_part);
    query::Hunt counted = hunt_for(Field::process_command_line, Operator::contains, {std::string("7f3a")});
    counted.aggregate = query::CountBy{.field = Field::host_name, .top = 100};
    compare(
        "store.contains", "counted by host", [&] { return hunt(counted); }, *native_,
        "SELECT host_name, count(*) FROM events WHERE contains(lower(process_command_line), '7f3a') GROUP BY 1 "
        "ORDER BY 2 DESC LIMIT 100");
  }

  void newest() {
    const query::Hunt all{};
    compare(
        "store.newest100", "all columns", [&] { return hunt(all); }, *plain_,
        "SELECT * FROM events ORDER BY event_time DESC LIMIT 100");
  }

  // The children of a process, and theirs, as a tree is read: kept to a host and a day, and without either.
  uint64_t descend(const std::function<std::vector<std::string>(const std::vector<std::string>&)>& children) {
    std::set<std::string> seen{needles_.parent_id};
    std::vector<std::string> generation{needles_.parent_id};
    while (!generation.empty()) {
      std::vector<std::string> next;
      for (const std::string& id : children(generation)) {
        if (seen.insert(id).second) next.push_back(id);
      }
      generation = std::move(next);
    }
    return seen.size();
  }

  std::vector<std::string> children_of(const std::vector<std::string>& ids, bool pruned) {
    std::vector<Expression> tests;
    if (pruned) tests.push_back(Expression::test(Field::host_id, Operator::equal, {needles_.host_id}));
    tests.push_back(Expression::test(Field::process_parent_entity_id, Operator::equal, {ids.begin(), ids.end()}));
    tests.push_back(Expression::of_types(set_of(event::EventType::process)));
    query::Hunt wanted = hunt_for(Expression::all_of(std::move(tests)));
    wanted.aggregate = query::Distinct{.field = Field::process_entity_id};
    wanted.limit = query::kHuntLimitMax;
    std::vector<std::string> found;
    for (const auto& row : must(store_->hunt(wanted, {})).rows) found.push_back(std::get<std::string>(row[0]));
    return found;
  }

  void tree() {
    uint64_t processes = 0;
    const auto costs = costs_of([&] { processes = descend([&](const auto& ids) { return children_of(ids, true); }); });
    const std::string sql =
        "WITH RECURSIVE tree(id) AS (SELECT '" + needles_.parent_id +
        "' UNION SELECT e.process_entity_id FROM events e JOIN tree ON e.process_parent_entity_id = tree.id "
        "WHERE e.event_type = 'process') SELECT * FROM tree";
    uint64_t unpruned = 0;
    const auto peer_costs = costs_of([&] { unpruned = native_->query(sql); });
    if (processes != unpruned) give_up("tree of " + std::to_string(processes) + ", not " + std::to_string(unpruned));
    report({.name = "store.tree",
            .unit = "cpu-ms",
            .better = Better::lower,
            .runs = costs,
            .note = std::to_string(processes) + " processes; the peer reads all hosts",
            .peer = native_->name(),
            .peer_value = median(peer_costs)});
  }

  void histogram() {
    constexpr int64_t kHourUs = 3'600'000'000;
    compare(
        "store.histogram", "events an hour", [&] { return must(store_->histogram({}, kHourUs, {})).rows.size(); },
        *native_, "SELECT event_time - event_time % 3600000000 AS bucket, count(*) FROM events GROUP BY bucket");
  }

  // How long an agent waits for its answer while somebody hunts all the time.
  void acknowledge() {
    const base::TempDir directory;
    const auto store = must(store::open_embedded_store({.directory = directory.path()}));
    std::atomic<bool> done = false;
    uint64_t hunts = 0;
    std::thread hunter([&] {
      for (; !done; ++hunts) {
        must(store->hunt(hunt_for(Field::process_command_line, Operator::contains, {std::string("7f3a")}), {}));
        must(store->histogram({}, base::kSecondUs * 60, {}));
      }
    });
    std::vector<double> waits;
    Generator generator({.mix = Mix::fleet, .frame_events_min = 500, .frame_events_max = 1500});
    for (size_t made = 0; made < kAckEvents;) {
      const Generated next = generator.next();
      made += next.batch.size();
      const double begin = wall_seconds();
      must(store->append(next.host_id, next.frame, next.batch));
      waits.push_back((wall_seconds() - begin) * kSecondMs);
    }
    done = true;
    hunter.join();
    std::sort(waits.begin(), waits.end());
    report({.name = "store.ack_p99",
            .unit = "ms",
            .better = Better::lower,
            .runs = {waits[waits.size() * 99 / 100]},
            .note = "frames of 1,000 events beside " + std::to_string(hunts) + " hunts; median " +
                    std::to_string(median(waits)) + ", longest " + std::to_string(waits.back())});
  }

  std::set<std::string> wanted_;
  size_t events_;
  std::vector<Field> columns_;
  base::TempDir directory_;
  std::unique_ptr<store::EventStore> store_;
  std::unique_ptr<StorePeer> native_;
  std::unique_ptr<StorePeer> plain_;
  Needles needles_;
};

}  // namespace
}  // namespace redoubt::bench

int main(int argc, char** argv) {
  redoubt::bench::StoreBench(std::set<std::string>(argv + 1, argv + argc), redoubt::bench::events_wanted()).run();
}
