#include "sensor/process_table.h"

#include <algorithm>
#include <utility>

#include "base/result.h"

namespace redoubt::sensor {

ProcessTable::ProcessTable(size_t processes_max) : processes_max_(std::max<size_t>(processes_max, 1)) {}

Process* ProcessTable::find(const ProcessKey& key) {
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? nullptr : &entry->second;
}

Process* ProcessTable::insert(Process process) {
  if (entries_.size() >= processes_max_ && !make_room()) return nullptr;
  const ProcessKey key = process.key;
  process.children = 0;
  process.counted = Counted::no;
  if (Process* parent = find(process.parent)) {
    ++parent->children;
    process.counted = Counted::yes;
  }
  const auto [entry, inserted] = entries_.emplace(key, std::move(process));
  CHECK(inserted);
  return &entry->second;
}

void ProcessTable::end(Process& process, Life how, int64_t now_ns) {
  const Life before = std::exchange(process.life, std::max(process.life, how));
  if (before != Life::running) return;
  if (process.children > 0) {
    kept_.push_back(process.key);
  } else {
    due_.push_back({process.key, now_ns + kEndedLifeNs});
  }
}

void ProcessTable::expire(int64_t now_ns) {
  while (!due_.empty() && due_.front().due_ns <= now_ns) {
    const ProcessKey key = due_.front().key;
    due_.pop_front();
    erase(key);
  }
  if (kept_.size() > entries_.size())
    std::erase_if(kept_, [this](const ProcessKey& key) { return find(key) == nullptr; });
}

bool ProcessTable::make_room() {
  while (!due_.empty() || !kept_.empty()) {
    const bool from_due = !due_.empty();
    const ProcessKey key = from_due ? due_.front().key : kept_.front();
    if (from_due) {
      due_.pop_front();
    } else {
      kept_.pop_front();
    }
    const size_t before = entries_.size();
    erase(key);
    if (entries_.size() < before) return true;
  }
  return false;
}

void ProcessTable::erase(const ProcessKey& key) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return;
  const ProcessKey parent_key = entry->second.parent;
  const Counted counted = entry->second.counted;
  entries_.erase(entry);
  Process* parent = counted == Counted::yes ? find(parent_key) : nullptr;
  if (parent == nullptr) return;
  // An ended parent was kept for its children; with the last of them it goes at the next expire().
  if (--parent->children == 0 && parent->life != Life::running) due_.push_front({parent_key, 0});
}

}  // namespace redoubt::sensor
