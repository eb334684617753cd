#include "central/hunts/dependency_map.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "central/hunts/event_row.h"
#include "query/hunt.h"

namespace redoubt::central {

namespace {

using event::EventType;
using event::Field;
using query::Expression;
using query::Operator;

// Of all hunts for one node together; what then is not read is said to be missing.
constexpr int64_t kMapTimeMs = 15'000;
constexpr int64_t kHuntTimeMsMin = 500;
constexpr uint32_t kMapRowsMax = query::kHuntLimitMax;
constexpr size_t kNotesMax = 6;

constexpr std::array<std::string_view, 5> kMapKinds{"process", "file", "address", "domain", "host"};
constexpr std::array<std::string_view, kMapRelations> kRelationNames{
    "started", "ran", "wrote", "read", "loaded", "connected", "accepted", "looked_up", "resolved", "acted_on", "hosts"};

const std::vector<Field> kMapFields = {Field::event_type,
                                       Field::event_action,
                                       Field::event_time,
                                       Field::event_count,
                                       Field::host_id,
                                       Field::host_name,
                                       Field::process_entity_id,
                                       Field::process_pid,
                                       Field::process_name,
                                       Field::process_executable,
                                       Field::process_command_line,
                                       Field::process_script,
                                       Field::process_start,
                                       Field::user_name,
                                       Field::process_parent_entity_id,
                                       Field::process_parent_pid,
                                       Field::process_parent_name,
                                       Field::process_parent_executable,
                                       Field::process_parent_command_line,
                                       Field::file_path,
                                       Field::network_direction,
                                       Field::network_transport,
                                       Field::source_ip,
                                       Field::destination_ip,
                                       Field::destination_port,
                                       Field::destination_domain,
                                       Field::dns_question_name,
                                       Field::target_process_entity_id,
                                       Field::target_process_pid,
                                       Field::target_process_name,
                                       Field::target_process_executable,
                                       Field::target_process_command_line,
                                       Field::ptrace_request,
                                       Field::signal_name};

constexpr event::EventTypeSet kStarts = set_of(EventType::process);
constexpr event::EventTypeSet kLives = kStarts | set_of(EventType::process_terminate);
constexpr event::EventTypeSet kFiles =
    set_of(EventType::filechange) | set_of(EventType::module) | set_of(EventType::driver);
constexpr event::EventTypeSet kNetwork = set_of(EventType::connection) | set_of(EventType::dns);
constexpr event::EventTypeSet kActs = set_of(EventType::ptrace) | set_of(EventType::processaccess) |
                                      set_of(EventType::remotethread) | set_of(EventType::tamper);

Expression is_exactly(Field field, const std::string& value) {
  return Expression::test(field, Operator::equal, {value}, query::CaseMode::exact);
}

Expression any_is(std::initializer_list<Field> fields, const std::string& value) {
  std::vector<Expression> any;
  for (const Field field : fields) any.push_back(is_exactly(field, value));
  return Expression::any_of(std::move(any));
}

MapNode acting_process(const EventRow& row) {
  return {.kind = MapKind::process,
          .id = row.text(Field::process_entity_id),
          .host_id = row.text(Field::host_id),
          .host_name = row.text(Field::host_name),
          .name = row.text(Field::process_name),
          .pid = row.integer(Field::process_pid).value_or(0),
          .executable = row.text(Field::process_executable),
          .command_line = row.text(Field::process_command_line),
          .user = row.text(Field::user_name),
          .start = row.time(Field::process_start)};
}

MapNode parent_process(const EventRow& row) {
  return {.kind = MapKind::process,
          .id = row.text(Field::process_parent_entity_id),
          .host_id = row.text(Field::host_id),
          .host_name = row.text(Field::host_name),
          .name = row.text(Field::process_parent_name),
          .pid = row.integer(Field::process_parent_pid).value_or(0),
          .executable = row.text(Field::process_parent_executable),
          .command_line = row.text(Field::process_parent_command_line)};
}

MapNode target_process(const EventRow& row) {
  return {.kind = MapKind::process,
          .id = row.text(Field::target_process_entity_id),
          .host_id = row.text(Field::host_id),
          .host_name = row.text(Field::host_name),
          .name = row.text(Field::target_process_name),
          .pid = row.integer(Field::target_process_pid).value_or(0),
          .executable = row.text(Field::target_process_executable),
          .command_line = row.text(Field::target_process_command_line)};
}

MapNode file_node(const EventRow& row, std::string path) {
  return {.kind = MapKind::file,
          .id = std::move(path),
          .host_id = row.text(Field::host_id),
          .host_name = row.text(Field::host_name)};
}

MapNode plain_node(MapKind kind, std::string id) { return {.kind = kind, .id = std::move(id)}; }

MapRelation relation_to_file(const EventRow& row) {
  if (row.text(Field::event_type) != name_of(EventType::filechange)) return MapRelation::loaded;
  const std::string action = row.text(Field::event_action);
  if (action == "connect") return MapRelation::connected;
  return action == "read" || action == "denied" ? MapRelation::read : MapRelation::wrote;
}

std::string port_note(const EventRow& row) {
  const auto port = row.integer(Field::destination_port);
  return port ? std::to_string(*port) + '/' + row.text(Field::network_transport) : std::string();
}

// Collects what rows say about one node and its neighbours.
class MapBuilder {
 public:
  MapBuilder(store::EventStore& events, const MapRequest& request) : events_(events), request_(request) {}

  Result<MapAnswer> build() {
    answer_.node = {.kind = request_.kind, .id = request_.id, .host_id = request_.host_id};
    TRY_STATUS(load());
    return finish();
  }

 private:
  using Rows = std::vector<std::vector<store::Cell>>;
  enum class Span : uint8_t { asked, all };

  Status load() {
    switch (request_.kind) {
      case MapKind::process: return load_process();
      case MapKind::file: return load_file();
      case MapKind::address: return load_address();
      case MapKind::domain: return load_domain();
      case MapKind::host: return load_host();
    }
    return {};
  }

  // Events of the types, oldest first.
  Result<Rows> find(Expression condition, event::EventTypeSet types, Span span = Span::asked,
                    uint32_t limit = kMapRowsMax) {
    std::vector<Expression> tests;
    if (!request_.host_id.empty()) tests.push_back(is_exactly(Field::host_id, request_.host_id));
    tests.push_back(std::move(condition));
    if (types != event::kAllEventTypes) tests.push_back(Expression::of_types(types));
    TRY(Expression where, query::normalize(Expression::all_of(std::move(tests))));
    query::Hunt hunt{
        .where = std::move(where), .direction = query::Direction::ascending, .limit = limit, .fields = kMapFields};
    if (span == Span::asked) {
      hunt.since = request_.since;
      hunt.until = request_.until;
    }
    const int64_t left_ms = std::max(kHuntTimeMsMin, deadline_ms_ - base::boottime_ns() / 1'000'000);
    TRY(store::HuntResult found, events_.hunt(hunt, {.time_ms_max = left_ms}));
    if (span == Span::asked && (found.partial || found.rows.size() >= limit)) answer_.partial = true;
    return std::move(found.rows);
  }

  void add(MapRelation relation, MapDirection direction, MapNode node, const EventRow& row,
           const std::string& note = "") {
    if (node.id.empty()) return;
    const Key key{relation, direction, node.host_id, node.id};
    MapNeighbour& neighbour = found_[key];
    const base::Time time = row.time(Field::event_time);
    if (neighbour.count == 0) {
      neighbour = {.node = std::move(node), .relation = relation, .direction = direction, .first = time, .last = time};
    }
    neighbour.count += std::max<int64_t>(1, row.integer(Field::event_count).value_or(1));
    neighbour.first = std::min(neighbour.first, time, [](auto a, auto b) { return a.us < b.us; });
    neighbour.last = std::max(neighbour.last, time, [](auto a, auto b) { return a.us < b.us; });
    auto& notes = neighbour.notes;
    const bool noted = note.empty() || std::find(notes.begin(), notes.end(), note) != notes.end();
    if (!noted && notes.size() < kNotesMax) notes.push_back(note);
  }

  Status describe_process() {
    TRY(Rows rows, find(is_exactly(Field::process_entity_id, request_.id), kStarts, Span::all, 100));
    if (rows.empty()) {
      TRY(rows, find(is_exactly(Field::process_entity_id, request_.id), event::kAllEventTypes, Span::all, 1));
    }
    if (rows.empty()) {
      TRY(rows, find(is_exactly(Field::process_parent_entity_id, request_.id), kLives, Span::all, 1));
      if (rows.empty()) {
        return fail(Errc::not_found, "no stored event of the process '" + request_.id.substr(0, 64) + "'");
      }
      answer_.node = parent_process(EventRow(kMapFields, rows[0]));
      return {};
    }
    const EventRow last(kMapFields, rows.back());
    answer_.node = acting_process(last);
    add(MapRelation::started, MapDirection::in, parent_process(last), EventRow(kMapFields, rows[0]));
    for (const auto& cells : rows) {
      const EventRow row(kMapFields, cells);
      if (row.text(Field::event_type) != name_of(EventType::process)) continue;
      for (const Field path : {Field::process_executable, Field::process_script}) {
        add(MapRelation::ran, MapDirection::out, file_node(row, row.text(path)), row);
      }
    }
    return {};
  }

  Status load_process() {
    TRY_STATUS(describe_process());
    TRY(const Rows children, find(is_exactly(Field::process_parent_entity_id, request_.id), kLives));
    add_processes(children, MapRelation::started);
    for (const event::EventTypeSet types : {kFiles, kNetwork, kActs}) {
      TRY(const Rows acts, find(is_exactly(Field::process_entity_id, request_.id), types));
      for (const auto& cells : acts) add_act(EventRow(kMapFields, cells));
    }
    TRY(const Rows acted_on, find(is_exactly(Field::target_process_entity_id, request_.id), kActs));
    for (const auto& cells : acted_on) {
      const EventRow row(kMapFields, cells);
      add(MapRelation::acted_on, MapDirection::in, acting_process(row), row, act_note(row));
    }
    return {};
  }

  // Each process once, as its last program; one that only ended was forked.
  void add_processes(const Rows& rows, MapRelation relation) {
    std::map<std::string, size_t> at;
    for (size_t i = 0; i < rows.size(); ++i) {
      const EventRow row(kMapFields, rows[i]);
      const bool exec = row.text(Field::event_type) == name_of(EventType::process);
      const auto [place, fresh] = at.try_emplace(row.text(Field::process_entity_id), i);
      if (!fresh && exec) place->second = i;
    }
    for (const auto& [id, i] : at) {
      const EventRow row(kMapFields, rows[i]);
      if (id != request_.id) add(relation, MapDirection::out, acting_process(row), row);
    }
  }

  static std::string act_note(const EventRow& row) {
    for (const Field field : {Field::ptrace_request, Field::signal_name, Field::event_type}) {
      if (std::string text = row.text(field); !text.empty()) return text;
    }
    return "";
  }

  // What the process of the row did, to whom.
  void add_act(const EventRow& row) {
    const std::string type = row.text(Field::event_type);
    if (type == name_of(EventType::connection)) return add_connection(row);
    if (type == name_of(EventType::dns)) {
      add(MapRelation::looked_up, MapDirection::out, plain_node(MapKind::domain, row.text(Field::dns_question_name)),
          row);
    } else if (!row.text(Field::target_process_entity_id).empty()) {
      add(MapRelation::acted_on, MapDirection::out, target_process(row), row, act_note(row));
    } else {
      add(relation_to_file(row), MapDirection::out, file_node(row, row.text(Field::file_path)), row,
          row.text(Field::event_action));
    }
  }

  void add_connection(const EventRow& row) {
    const bool inbound = row.text(Field::network_direction) == "inbound";
    add(inbound ? MapRelation::accepted : MapRelation::connected, MapDirection::out,
        plain_node(MapKind::address, row.text(inbound ? Field::source_ip : Field::destination_ip)), row,
        port_note(row));
  }

  Status load_file() {
    answer_.node = {.kind = MapKind::file, .id = request_.id, .host_id = request_.host_id};
    TRY(const Rows acts, find(is_exactly(Field::file_path, request_.id), kFiles));
    for (const auto& cells : acts) {
      const EventRow row(kMapFields, cells);
      add(relation_to_file(row), MapDirection::in, acting_process(row), row, row.text(Field::event_action));
      answer_.node.host_name = row.text(Field::host_name);
    }
    // One hunt each: the indexes of segments know programs, not scripts.
    for (const Field path : {Field::process_executable, Field::process_script}) {
      TRY(const Rows starts, find(is_exactly(path, request_.id), kStarts));
      for (const auto& cells : starts) {
        const EventRow row(kMapFields, cells);
        add(MapRelation::ran, MapDirection::in, acting_process(row), row);
        answer_.node.host_name = row.text(Field::host_name);
      }
    }
    return {};
  }

  Status load_address() {
    TRY(const Rows rows,
        find(any_is({Field::source_ip, Field::destination_ip}, request_.id), set_of(EventType::connection)));
    for (const auto& cells : rows) {
      const EventRow row(kMapFields, cells);
      const bool inbound = row.text(Field::network_direction) == "inbound";
      const std::string peer = row.text(inbound ? Field::source_ip : Field::destination_ip);
      if (peer != request_.id) continue;
      add(inbound ? MapRelation::accepted : MapRelation::connected, MapDirection::in, acting_process(row), row,
          port_note(row));
      if (!inbound) {
        add(MapRelation::resolved, MapDirection::in, plain_node(MapKind::domain, row.text(Field::destination_domain)),
            row);
      }
    }
    return {};
  }

  Status load_domain() {
    TRY(const Rows rows, find(any_is({Field::dns_question_name, Field::destination_domain}, request_.id), kNetwork));
    for (const auto& cells : rows) {
      const EventRow row(kMapFields, cells);
      if (row.text(Field::event_type) == name_of(EventType::dns)) {
        add(MapRelation::looked_up, MapDirection::in, acting_process(row), row);
      } else {
        add(MapRelation::resolved, MapDirection::out, plain_node(MapKind::address, row.text(Field::destination_ip)),
            row, port_note(row));
      }
    }
    return {};
  }

  // Those of its processes whose parents did not start in the time span too: they lead to all others.
  Status load_host() {
    TRY(const Rows rows, find(is_exactly(Field::host_id, request_.id), kStarts));
    std::set<std::string> started;
    for (const auto& cells : rows) started.insert(EventRow(kMapFields, cells).text(Field::process_entity_id));
    Rows roots;
    for (const auto& cells : rows) {
      const EventRow row(kMapFields, cells);
      answer_.node.name = row.text(Field::host_name);
      if (!started.contains(row.text(Field::process_parent_entity_id))) roots.push_back(cells);
    }
    add_processes(roots, MapRelation::hosts);
    answer_.node.host_id = request_.id;
    return {};
  }

  MapAnswer finish() {
    for (auto& [key, neighbour] : found_) answer_.neighbours.push_back(std::move(neighbour));
    auto& all = answer_.neighbours;
    const auto order = [](const MapNeighbour& one) {
      return std::make_tuple(one.relation, one.direction, one.first.us, std::string_view(one.node.id));
    };
    std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
    std::array<size_t, 2 * kMapRelations> seen{};
    std::erase_if(all, [&](const MapNeighbour& one) {
      const size_t slot = 2 * static_cast<size_t>(one.relation) + static_cast<size_t>(one.direction);
      if (++seen[slot] <= request_.limit) return false;
      ++answer_.more[slot];
      return true;
    });
    return std::move(answer_);
  }

  using Key = std::tuple<MapRelation, MapDirection, std::string, std::string>;

  store::EventStore& events_;
  const MapRequest& request_;
  const int64_t deadline_ms_ = base::boottime_ns() / 1'000'000 + kMapTimeMs;
  MapAnswer answer_;
  std::map<Key, MapNeighbour> found_;
};

}  // namespace

std::string_view name_of(MapKind kind) { return kMapKinds[static_cast<size_t>(kind)]; }
std::string_view name_of(MapRelation relation) { return kRelationNames[static_cast<size_t>(relation)]; }

std::optional<MapKind> map_kind_named(std::string_view name) {
  const auto found = std::find(kMapKinds.begin(), kMapKinds.end(), name);
  if (found == kMapKinds.end()) return std::nullopt;
  return static_cast<MapKind>(found - kMapKinds.begin());
}

Result<MapAnswer> neighbours_of(store::EventStore& events, const MapRequest& request) {
  return MapBuilder(events, request).build();
}

}  // namespace redoubt::central
