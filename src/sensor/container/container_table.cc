#include "sensor/container/container_table.h"

#include "sensor/container/container_id.h"

namespace redoubt::sensor {

std::shared_ptr<Container> ContainerTable::begin(std::string_view id, std::string_view cgroup_path, int64_t now_ns) {
  const auto known = by_id_.find(std::string(id));
  if (known != by_id_.end() && known->second.ended_ns == 0) return nullptr;
  auto container = add(id, cgroup_path, now_ns);
  return by_id_.contains(container->id) ? container : nullptr;
}

std::shared_ptr<Container> ContainerTable::end(std::string_view cgroup_path, int64_t now_ns) {
  std::string id = own_container_id_of(cgroup_path);
  if (const auto named = by_path_.find(std::string(cgroup_path)); id.empty() && named != by_path_.end()) {
    id = named->second->id;
  }
  const auto known = by_id_.find(id);
  if (known == by_id_.end() || known->second.ended_ns != 0) return nullptr;
  finish(known->second, now_ns);
  return known->second.container;
}

std::vector<std::shared_ptr<Container>> ContainerTable::end_others(const std::unordered_set<const Container*>& running,
                                                                   int64_t now_ns) {
  std::vector<std::shared_ptr<Container>> gone;
  for (auto& [id, entry] : by_id_) {
    const bool is_young = now_ns - entry.container->born_ns < kBirthNs;
    if (entry.ended_ns != 0 || is_young || running.contains(entry.container.get())) continue;
    finish(entry, now_ns);
    gone.push_back(entry.container);
  }
  std::erase_if(by_cgroup_, [&](const auto& each) {
    const auto known = by_id_.find(each.second->id);
    return known == by_id_.end() || known->second.container != each.second || known->second.ended_ns != 0;
  });
  return gone;
}

std::shared_ptr<Container> ContainerTable::of_path(std::string_view cgroup_path, int64_t now_ns) {
  const std::string id = container_id_of(cgroup_path);
  if (id.empty()) return named_above(cgroup_path);
  const auto known = by_id_.find(id);
  return known != by_id_.end() ? known->second.container : add(id, cgroup_path, now_ns);
}

std::shared_ptr<Container> ContainerTable::named_above(std::string_view cgroup_path) const {
  if (by_path_.empty()) return nullptr;
  for (; cgroup_path.size() > 1; cgroup_path = cgroup_path.substr(0, cgroup_path.rfind('/'))) {
    if (const auto named = by_path_.find(std::string(cgroup_path)); named != by_path_.end()) return named->second;
    if (cgroup_path.rfind('/') == std::string_view::npos) break;
  }
  return nullptr;
}

std::shared_ptr<Container> ContainerTable::of_cgroup(uint64_t cgroup_id) const {
  const auto known = by_cgroup_.find(cgroup_id);
  return known == by_cgroup_.end() ? nullptr : known->second;
}

void ContainerTable::note_cgroup(uint64_t cgroup_id, const std::shared_ptr<Container>& container) {
  if (by_cgroup_.size() < kCgroupsMax) by_cgroup_[cgroup_id] = container;
}

void ContainerTable::expire(int64_t now_ns) {
  while (!ended_.empty() && ended_.front().due_ns <= now_ns) {
    erase(ended_.front());
    ended_.pop_front();
  }
}

std::shared_ptr<Container> ContainerTable::add(std::string_view id, std::string_view cgroup_path, int64_t now_ns) {
  auto container = std::make_shared<Container>();
  container->id = id;
  container->cgroup_path = cgroup_path;
  container->born_ns = now_ns;
  while (by_id_.size() >= kContainersMax && !ended_.empty()) {
    erase({ended_.front().id, INT64_MAX});
    ended_.pop_front();
  }
  // Full of running ones: its processes carry it, and it has no more than its id.
  if (by_id_.size() >= kContainersMax) return container;
  by_id_[container->id] = {.container = container};
  if (container_id_of(cgroup_path).empty()) by_path_[container->cgroup_path] = container;
  return container;
}

void ContainerTable::finish(Entry& entry, int64_t now_ns) {
  entry.ended_ns = now_ns;
  ended_.push_back({entry.container->id, now_ns + kEndedLifeNs});
}

void ContainerTable::erase(const Ended& ended) {
  const auto known = by_id_.find(ended.id);
  if (known == by_id_.end() || known->second.ended_ns == 0) return;
  if (known->second.ended_ns + kEndedLifeNs > ended.due_ns) return;  // ended again since
  if (const auto named = by_path_.find(known->second.container->cgroup_path);
      named != by_path_.end() && named->second == known->second.container) {
    by_path_.erase(named);
  }
  by_id_.erase(known);
}

}  // namespace redoubt::sensor
