#include "sensor/path_automaton.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace redoubt::sensor {

namespace {

// The patterns as a tree of names. "*" is a child of its own.
struct Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
  std::unique_ptr<Node> any;
  uint32_t here = 0;   // flags of this path
  uint32_t below = 0;  // flags of this path and all below it
};

using NodeSet = std::set<const Node*>;

auto malformed(std::string_view pattern, std::string_view why) {
  return fail(Errc::invalid_argument, "policy: pattern '" + std::string(pattern) + "' " + std::string(why));
}

std::vector<std::string_view> names_of(std::string_view path) {
  std::vector<std::string_view> names;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) names.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return names;
}

Status plant(Node& root, std::string_view pattern, uint32_t flag) {
  if (!pattern.starts_with('/')) return malformed(pattern, "does not begin with a slash");
  std::vector<std::string_view> names = names_of(pattern);
  const bool is_tree = !names.empty() && names.back() == "**";
  if (is_tree) names.pop_back();
  if (names.size() > kPolicyPatternNamesMax) return malformed(pattern, "has too many names");
  Node* node = &root;
  for (const std::string_view name : names) {
    const bool is_wild = name == "*";
    if (name == "." || name == ".." || (!is_wild && name.find('*') != std::string_view::npos)) {
      return malformed(pattern, "may have '*' for a whole name and '**' at its end only, and neither '.' nor '..'");
    }
    if (name.size() > kPolicyPatternNameBytesMax) return malformed(pattern, "has a name that is too long");
    std::unique_ptr<Node>& child = is_wild ? node->any : node->children[std::string(name)];
    if (!child) child = std::make_unique<Node>();
    node = child.get();
  }
  (is_tree ? node->below : node->here) |= flag;
  return {};
}

}  // namespace

// Subsets of nodes become states, each once.
class PathAutomaton::Builder {
 public:
  explicit Builder(PathAutomaton& automaton) : automaton_(automaton) {
    number_.emplace(Key{}, RD_PATH_DEAD);
    automaton_.states_.push_back({.next = RD_PATH_DEAD, .flags = 0});
  }

  void start(const Node& root) { (void)state_of({{&root}, 0}); }

  Status run() {
    while (!open_.empty()) {
      const Key key = std::move(open_.back());
      open_.pop_back();
      const uint32_t from = number_.at(key);
      const uint32_t next = state_of(follow(key, nullptr));
      std::set<std::string, std::less<>> names;
      for (const Node* node : key.nodes) {
        for (const auto& [name, child] : node->children) names.insert(name);
      }
      for (const std::string& name : names) automaton_.edges_.push_back({from, name, state_of(follow(key, &name))});
      automaton_.states_[from].next = next;
      if (!names.empty()) automaton_.states_[from].flags |= RD_PATH_HAS_EDGES;
      if (automaton_.states_.size() > RD_PATH_STATES_MAX || automaton_.edges_.size() > RD_PATH_EDGES_MAX) {
        return fail(Errc::invalid_argument, "policy: its path patterns need more room than there is");
      }
    }
    std::sort(automaton_.edges_.begin(), automaton_.edges_.end(),
              [](const Edge& a, const Edge& b) { return std::tie(a.from, a.name) < std::tie(b.from, b.name); });
    return {};
  }

 private:
  // Where a path may be in the tree, and what it is already for being below some of it.
  struct Key {
    NodeSet nodes;
    uint32_t below = 0;
    friend bool operator<(const Key& a, const Key& b) {
      return std::tie(a.nodes, a.below) < std::tie(b.nodes, b.below);
    }
  };

  static uint32_t below_of(const Key& key) {
    uint32_t flags = key.below;
    for (const Node* node : key.nodes) flags |= node->below;
    return flags;
  }

  // A null name is any that no pattern spells out.
  static Key follow(const Key& key, const std::string* name) {
    Key next{.nodes = {}, .below = below_of(key)};
    for (const Node* node : key.nodes) {
      if (node->any) next.nodes.insert(node->any.get());
      const auto child = name != nullptr ? node->children.find(*name) : node->children.end();
      if (child != node->children.end()) next.nodes.insert(child->second.get());
    }
    return next;
  }

  uint32_t state_of(Key key) {
    const auto [place, is_new] = number_.emplace(key, static_cast<uint32_t>(automaton_.states_.size()));
    if (!is_new) return place->second;
    uint32_t flags = below_of(key);
    for (const Node* node : key.nodes) flags |= node->here;
    automaton_.states_.push_back({.next = RD_PATH_DEAD, .flags = flags});
    open_.push_back(std::move(key));
    return place->second;
  }

  PathAutomaton& automaton_;
  std::map<Key, uint32_t> number_;
  std::vector<Key> open_;
};

Result<PathAutomaton> PathAutomaton::compile(const SensorPolicy& policy) {
  Node files;
  Node cgroups;
  struct List {
    const std::vector<std::string>& patterns;
    Node& root;
    uint32_t flag;
  };
  const List lists[] = {{policy.read_paths, files, RD_PATH_READ},
                        {policy.excluded_paths, files, RD_PATH_EXCLUDED},
                        {policy.excluded_programs, files, RD_PATH_PROGRAM},
                        {policy.excluded_cgroups, cgroups, RD_PATH_CGROUP}};
  PathAutomaton automaton;
  size_t patterns = 0;
  for (const List& list : lists) {
    patterns += list.patterns.size();
    if (patterns > kPolicyPatternsMax) return fail(Errc::invalid_argument, "policy: too many path patterns");
    for (const std::string& pattern : list.patterns) TRY_STATUS(plant(list.root, pattern, list.flag));
    if (!list.patterns.empty()) automaton.kinds_ |= list.flag;
  }
  Builder builder(automaton);
  builder.start(files);    // RD_PATH_FILES
  builder.start(cgroups);  // RD_PATH_CGROUPS
  TRY_STATUS(builder.run());
  return automaton;
}

uint32_t PathAutomaton::flags_of(uint32_t start, std::string_view path) const {
  uint32_t state = start;
  for (const std::string_view name : names_of(path)) {
    const auto edge = std::lower_bound(edges_.begin(), edges_.end(), std::pair(state, name),
                                       [](const Edge& a, const std::pair<uint32_t, std::string_view>& b) {
                                         return std::pair<uint32_t, std::string_view>(a.from, a.name) < b;
                                       });
    const bool fits = edge != edges_.end() && edge->from == state && edge->name == name;
    state = fits ? edge->to : states_[state].next;
  }
  return states_[state].flags & RD_PATH_KINDS;
}

}  // namespace redoubt::sensor
