#include "central/hunts/process_tree.h"

#include <algorithm>
#include <map>
#include <set>

#include "central/hunts/event_row.h"
#include "query/hunt.h"

namespace redoubt::central {

namespace {

using event::Field;
using query::Expression;
using query::Operator;

constexpr int64_t kTreeTimeMs = 15'000;
// Most programs one process is shown with, and events read for one generation.
constexpr size_t kImagesMax = 100;
constexpr uint32_t kRowsMax = query::kHuntLimitMax;
// Ids named in one query.
constexpr size_t kIdsAtOnce = 500;
// Times of starts are counted from the boot, those of events from the clock, which may have been set in between.
constexpr int64_t kClockSlackUs = 3600 * base::kSecondUs;
// A process that was only forked has no exec of its own, but it ends.
constexpr event::EventTypeSet kLifeEvents =
    set_of(event::EventType::process) | set_of(event::EventType::process_terminate);

const std::vector<Field> kTreeFields = {Field::event_type,
                                        Field::event_time,
                                        Field::process_entity_id,
                                        Field::process_pid,
                                        Field::process_executable,
                                        Field::process_command_line,
                                        Field::process_name,
                                        Field::process_hash_sha256,
                                        Field::process_working_directory,
                                        Field::process_start,
                                        Field::process_end,
                                        Field::process_exit_code,
                                        Field::user_name,
                                        Field::user_id,
                                        Field::process_parent_entity_id,
                                        Field::process_parent_pid,
                                        Field::process_parent_executable,
                                        Field::process_parent_command_line,
                                        Field::process_parent_name,
                                        Field::host_id};

class TreeBuilder {
 public:
  TreeBuilder(store::EventStore& events, const TreeRequest& request)
      : events_(events), request_(request), host_id_(request.host_id) {}

  Result<ProcessTree> build();

 private:
  using Rows = std::vector<std::vector<store::Cell>>;

  // Events of the types whose `field` is one of the ids, oldest first; where `since` is given, from then on.
  Result<Rows> find(Field field, const std::vector<std::string>& ids, event::EventTypeSet types, uint32_t limit,
                    std::optional<base::Time> since = std::nullopt);
  Result<bool> load(const std::string& id);
  std::optional<base::Time> begin() const;
  Status load_ancestors();
  Status load_descendants();
  Status load_ends();
  Status mark_leaves(const std::vector<std::string>& generation);
  ProcessNode& node_of(const std::string& id);
  void take_exec(const EventRow& row);
  void take_end(const EventRow& row);
  void take_parent(const EventRow& row);

  store::EventStore& events_;
  const TreeRequest& request_;
  std::string host_id_;
  std::map<std::string, ProcessNode> nodes_;
  std::vector<std::string> ancestors_;    // nearest first
  std::vector<std::string> descendants_;  // parents before children, the focus first
  bool truncated_ = false;
};

Result<TreeBuilder::Rows> TreeBuilder::find(Field field, const std::vector<std::string>& ids, event::EventTypeSet types,
                                            uint32_t limit, std::optional<base::Time> since) {
  Rows rows;
  for (size_t at = 0; at < ids.size(); at += kIdsAtOnce) {
    std::vector<query::Operand> operands;
    for (size_t i = at; i < std::min(ids.size(), at + kIdsAtOnce); ++i) operands.emplace_back(ids[i]);
    std::vector<Expression> tests;
    if (!host_id_.empty()) tests.push_back(Expression::test(Field::host_id, Operator::equal, {host_id_}));
    tests.push_back(Expression::test(field, Operator::equal, std::move(operands)));
    if (types != event::kAllEventTypes) tests.push_back(Expression::of_types(types));
    TRY(Expression where, query::normalize(Expression::all_of(std::move(tests))));
    const query::Hunt hunt{.where = std::move(where),
                           .since = since,
                           .direction = query::Direction::ascending,
                           .limit = limit,
                           .fields = kTreeFields};
    TRY(store::HuntResult found, events_.hunt(hunt, {.time_ms_max = kTreeTimeMs}));
    truncated_ = truncated_ || found.partial || found.rows.size() >= kRowsMax;
    std::move(found.rows.begin(), found.rows.end(), std::back_inserter(rows));
  }
  return rows;
}

ProcessNode& TreeBuilder::node_of(const std::string& id) {
  ProcessNode& node = nodes_[id];
  node.entity_id = id;
  return node;
}

// What any event says about its acting process; a later program of the same process is one image more.
void TreeBuilder::take_exec(const EventRow& row) {
  ProcessNode& node = node_of(row.text(Field::process_entity_id));
  if (host_id_.empty()) host_id_ = row.text(Field::host_id);
  if (const std::string parent = row.text(Field::process_parent_entity_id); !parent.empty()) {
    node.parent_entity_id = parent;
  }
  node.pid = row.integer(Field::process_pid).value_or(node.pid);
  if (const std::string name = row.text(Field::process_name); !name.empty()) node.name = name;
  if (const std::string user = row.text(Field::user_name); !user.empty()) node.user = user;
  if (const auto id = row.integer(Field::user_id)) node.user_id = id;
  if (const base::Time start = row.time(Field::process_start); start.us != 0) node.start = start;
  // What children said about the process gives way to what it says itself.
  if (node.images.size() == 1 && node.images[0].time.us == 0) node.images.clear();
  if (node.images.size() >= kImagesMax) return;
  const bool exec = row.text(Field::event_type) == name_of(event::EventType::process);
  node.images.push_back({.time = row.time(exec ? Field::event_time : Field::process_start),
                         .executable = row.text(Field::process_executable),
                         .command_line = row.text(Field::process_command_line),
                         .sha256 = row.text(Field::process_hash_sha256),
                         .working_directory = row.text(Field::process_working_directory)});
}

void TreeBuilder::take_end(const EventRow& row) {
  ProcessNode& node = node_of(row.text(Field::process_entity_id));
  node.end = row.time(Field::process_end);
  if (node.end.us == 0) node.end = row.time(Field::event_time);
  node.exit_code = row.integer(Field::process_exit_code);
}

// A parent of which no event of its own is stored: what its child's event says.
void TreeBuilder::take_parent(const EventRow& row) {
  const std::string id = row.text(Field::process_parent_entity_id);
  if (id.empty() || nodes_.contains(id)) return;
  ProcessNode& node = node_of(id);
  node.pid = row.integer(Field::process_parent_pid).value_or(0);
  node.name = row.text(Field::process_parent_name);
  node.images.push_back({.executable = row.text(Field::process_parent_executable),
                         .command_line = row.text(Field::process_parent_command_line)});
}

// Reads one process: its execs, or where there is none (it was only forked, or they are gone) any event by it.
Result<bool> TreeBuilder::load(const std::string& id) {
  TRY(Rows rows, find(Field::process_entity_id, {id}, set_of(event::EventType::process), kImagesMax));
  if (rows.empty()) {
    TRY(rows, find(Field::process_entity_id, {id}, event::kAllEventTypes, 1));
  }
  for (const auto& cells : rows) take_exec(EventRow(kTreeFields, cells));
  if (rows.empty()) return false;
  take_parent(EventRow(kTreeFields, rows.back()));
  return true;
}

Status TreeBuilder::load_ancestors() {
  std::set<std::string> seen = {request_.entity_id};
  std::string id = nodes_.at(request_.entity_id).parent_entity_id;
  while (!id.empty() && seen.insert(id).second) {
    if (ancestors_.size() >= kTreeAncestorsMax) {
      truncated_ = true;
      return {};
    }
    ancestors_.push_back(id);
    TRY(const bool known, load(id));
    if (!known) return {};
    id = nodes_.at(id).parent_entity_id;
  }
  return {};
}

// Nothing that the process or its children did is older.
std::optional<base::Time> TreeBuilder::begin() const {
  const auto focus = nodes_.find(request_.entity_id);
  if (focus == nodes_.end() || focus->second.start.us == 0) return std::nullopt;
  return base::Time{focus->second.start.us - kClockSlackUs};
}

Status TreeBuilder::load_descendants() {
  std::set<std::string> seen(ancestors_.begin(), ancestors_.end());
  seen.insert(request_.entity_id);
  descendants_ = {request_.entity_id};
  std::vector<std::string> generation = {request_.entity_id};
  for (uint32_t depth = 0; depth < request_.depth && !generation.empty(); ++depth) {
    TRY(const Rows rows, find(Field::process_parent_entity_id, generation, kLifeEvents, kRowsMax, begin()));
    std::vector<std::string> next;
    std::set<std::string> of_this_generation;
    for (const auto& cells : rows) {
      const EventRow row(kTreeFields, cells);
      const std::string id = row.text(Field::process_entity_id);
      if (id.empty()) continue;
      if (!of_this_generation.contains(id)) {
        if (seen.contains(id)) continue;
        if (nodes_.size() >= kTreeNodesMax) {
          truncated_ = true;
          node_of(row.text(Field::process_parent_entity_id)).children_more = true;
          continue;
        }
        seen.insert(id);
        of_this_generation.insert(id);
        next.push_back(id);
      }
      const bool exec = row.text(Field::event_type) == name_of(event::EventType::process);
      if (exec || !nodes_.contains(id)) take_exec(row);
    }
    std::move(next.begin(), next.end(), std::back_inserter(descendants_));
    generation = std::vector<std::string>(descendants_.end() - static_cast<ptrdiff_t>(next.size()), descendants_.end());
  }
  return mark_leaves(generation);
}

// Which processes of the last generation shown have children that are not.
Status TreeBuilder::mark_leaves(const std::vector<std::string>& generation) {
  TRY(const Rows rows,
      find(Field::process_parent_entity_id, generation, set_of(event::EventType::process), kRowsMax, begin()));
  for (const auto& cells : rows) {
    const EventRow row(kTreeFields, cells);
    if (nodes_.contains(row.text(Field::process_entity_id))) continue;
    node_of(row.text(Field::process_parent_entity_id)).children_more = true;
    truncated_ = true;
  }
  return {};
}

Status TreeBuilder::load_ends() {
  std::vector<std::string> ids = ancestors_;
  ids.insert(ids.end(), descendants_.begin(), descendants_.end());
  TRY(const Rows rows, find(Field::process_entity_id, ids, set_of(event::EventType::process_terminate), kRowsMax));
  for (const auto& cells : rows) take_end(EventRow(kTreeFields, cells));
  return {};
}

Result<ProcessTree> TreeBuilder::build() {
  TRY(const bool known, load(request_.entity_id));
  if (!known) return fail(Errc::not_found, "no stored event of the process '" + request_.entity_id.substr(0, 64) + "'");
  TRY_STATUS(load_ancestors());
  TRY_STATUS(load_descendants());
  TRY_STATUS(load_ends());
  ProcessTree tree{.focus = request_.entity_id, .truncated = truncated_};
  for (auto id = ancestors_.rbegin(); id != ancestors_.rend(); ++id) tree.nodes.push_back(std::move(nodes_.at(*id)));
  for (const std::string& id : descendants_) tree.nodes.push_back(std::move(nodes_.at(id)));
  return tree;
}

}  // namespace

Result<ProcessTree> build_process_tree(store::EventStore& events, const TreeRequest& request) {
  return TreeBuilder(events, request).build();
}

}  // namespace redoubt::central
