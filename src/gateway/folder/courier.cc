#include "gateway/folder/courier.h"

#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"

namespace redoubt::gateway::folder {

namespace {

constexpr const char* kComponent = "folder";
constexpr int64_t kAgainMsFirst = 200;
constexpr int64_t kAgainMsMax = 15'000;
constexpr size_t kPieceRead = size_t{256} << 10;

// Names are bytes that a stranger chose.
std::string shown(const std::string& name) { return "\"" + base::escape_invalid_utf8(name) + "\""; }

Result<std::string> hash_of(int fd) {
  base::Sha256 hash;
  std::string piece(kPieceRead, '\0');
  for (off_t at = 0;;) {
    const ssize_t count = pread(fd, piece.data(), piece.size(), at);
    if (count < 0) return base::fail_errno("read");
    if (count == 0) return hash.finish_hex();
    hash.update(std::string_view(piece).substr(0, static_cast<size_t>(count)));
    at += count;
  }
}

// What was taken lies in the work folder and nobody has it open for writing, as far as the system can tell.
bool is_settled(int fd, const FileState& before) {
  const auto now = state_of(fd);
  return now && *now == before && writers_of(fd) != Writers::some;
}

}  // namespace

Courier::Courier(const FolderSet& set, Mover& mover, const Journal& journal, ScanDesk& desk, Claims& claims,
                 const StopFlag& stop)
    : set_(set), mover_(mover), journal_(journal), desk_(desk), claims_(claims), stop_(stop) {}

void Courier::carry(const std::string& relative) {
  const SplitPath path = split_path(relative);
  const auto parent = open_folder(set_.input, path.directory);
  if (!parent) return;
  const auto state = state_at(parent->get(), path.name);
  if (!state || claims_.is_left(relative, *state)) return;
  const auto unscanned = route_unscanned(relative, *state);
  if (unscanned && unscanned->action == Action::leave) {
    claims_.leave(relative, *state);
    base::log_info(kComponent, set_.name + ": " + shown(relative) + " is left: " + unscanned->verdict);
    return;
  }
  auto record = mover_.take(relative);
  if (!record) return not_taken(relative, *state, record.error());
  judge_and_place(std::move(*record));
}

void Courier::not_taken(const std::string& relative, const FileState& state, const Error& error) {
  const Errc code = error.code;
  // It is gone, no regular file, or still written to: then the sweep finds it again.
  if (code == Errc::not_found || code == Errc::unsupported || code == Errc::unavailable) return;
  const bool stays = code == Errc::permission_denied || code == Errc::invalid_argument;  // on another file system
  const std::string file = set_.name + ": " + shown(relative);
  if (stays) {
    claims_.leave(relative, state);
    base::log_warning(kComponent, file + " is left: " + error.message);
    return;
  }
  base::log_error(kComponent, file + " cannot be taken now: " + error.message);
  stop_.wait_ms(kAgainMsMax);
}

void Courier::resume(Record record, Mover::Need need) {
  if (need == Mover::Need::place && place(record, {.verdict = "as decided before"})) return;
  if (need != Mover::Need::nothing) judge_and_place(std::move(record));
}

std::optional<Courier::Route> Courier::route_unscanned(const std::string& relative, const FileState& state) {
  if (set_.exclude.match(relative)) return Route{.action = set_.excluded, .verdict = "excluded, not scanned"};
  const uint64_t node_limit = desk_.object_bytes_max();
  const uint64_t limit = set_.size_limit != 0 ? set_.size_limit : node_limit;
  if (limit == 0 || state.size <= limit) return std::nullopt;
  return Route{.action = set_.over_limit,
               .verdict = std::to_string(state.size) + " bytes are over the limit, not scanned"};
}

void Courier::judge_and_place(Record record) {
  BackOff again(kAgainMsFirst, kAgainMsMax);
  record.phase = Phase::taking;
  while (!stop_.is_stopped()) {
    const auto file = mover_.open_taken(record);
    const Result<FileState> state = file ? state_of(file->get()) : tl::unexpected(file.error());
    if (!state) {
      base::log_error(kComponent, set_.name + ": " + shown(record.relative) + ": " + state.error().message);
      if (state.error().code == Errc::not_found) return journal_.erase(record);  // somebody removed it
      if (stop_.wait_ms(again.next_ms())) return;
      continue;
    }
    std::optional<Route> route = route_unscanned(record.relative, *state);
    record.state = *state;
    record.sha256.clear();
    if (!route) {
      const Judgement judgement = judge(file->get(), *state, record.relative);
      if (judgement.kind == Judgement::Kind::stopped) break;
      if (judgement.kind != Judgement::Kind::changed) route = route_of(judgement);
      record.sha256 = judgement.sha256;
    }
    if (record.sha256.empty()) record.sha256 = hash_of(file->get()).value_or("");
    const bool is_readable = !record.sha256.empty();
    if (route && is_readable && is_settled(file->get(), *state) && finish(record, *route)) return;
    if (stop_.is_stopped()) break;
    base::log_warning(kComponent, set_.name + ": " + shown(record.relative) +
                                      " changed while it was judged, or cannot be read; again");
    record.phase = Phase::taking;
    (void)journal_.write(record);
    stop_.wait_ms(again.next_ms());
  }
  if (record.phase == Phase::taking) put_back(record);
}

Judgement Courier::judge(int fd, const FileState& state, const std::string& name) {
  BackOff again(kAgainMsFirst, kAgainMsMax);
  for (int64_t tries = 0;; ++tries) {
    Judgement judgement = desk_.judge(fd, state.size);
    const bool is_final = judgement.kind != Judgement::Kind::error && judgement.kind != Judgement::Kind::timeout;
    if (is_final || tries >= set_.retries) return judgement;
    base::log_warning(kComponent, set_.name + ": " + shown(name) + ": " + std::string(name_of(judgement.kind)) + " " +
                                      judgement.reason + ", trying again");
    if (stop_.wait_ms(again.next_ms())) return {.kind = Judgement::Kind::stopped};
  }
}

Courier::Route Courier::route_of(const Judgement& judgement) const {
  Route route{.verdict = std::string(name_of(judgement.kind))};
  if (!judgement.reason.empty()) route.verdict += " (" + judgement.reason + ")";
  switch (judgement.kind) {
    case Judgement::Kind::not_detected: route.action = Action::pass; break;
    case Judgement::Kind::detect: route.action = set_.on_detect; break;
    case Judgement::Kind::error: route.action = set_.on_error; break;
    case Judgement::Kind::timeout: route.action = set_.on_timeout; break;
    case Judgement::Kind::too_large: route.action = set_.over_limit; break;
    case Judgement::Kind::changed:
    case Judgement::Kind::stopped: break;
  }
  return route;
}

bool Courier::finish(Record& record, const Route& route) {
  if (route.action == Action::leave) {
    leave(record, route);
    return true;
  }
  record.target = route.action == Action::pass ? set_.output : set_.quarantine;
  record.destination = record.relative;
  return place(record, route);
}

bool Courier::place(Record& record, const Route& route) {
  BackOff again(kAgainMsFirst, kAgainMsMax);
  while (true) {
    const auto name = mover_.place(record);
    if (name) {
      log_done(record, route, *name);
      return true;
    }
    const Error& error = name.error();
    if (error.code == Errc::corrupt) return false;
    base::log_error(kComponent,
                    set_.name + ": " + shown(record.relative) + " to " + record.target + ": " + error.message);
    const bool cannot_lie_there = error.code == Errc::unsupported && record.phase != Phase::publishing;
    if (cannot_lie_there) {
      // A name that has no place there, such as one below what is a file: quarantined, at last under a name of ours.
      if (record.target == set_.quarantine) record.destination = record.id + "-file";
      record.target = set_.quarantine;
    }
    if (stop_.wait_ms(again.next_ms())) return true;  // the journal has it
  }
}

void Courier::leave(const Record& record, const Route& route) {
  const auto file = mover_.open_taken(record);
  Result<FileState> state = file ? state_of(file->get()) : tl::unexpected(file.error());
  if (state) state->ctime_ns = 0;
  if (state) claims_.leave(record.relative, *state);  // before it appears again
  const auto name = mover_.put_back(record, Mover::IfTaken::another_name);
  if (!name) {
    base::log_error(kComponent, set_.name + ": " + shown(record.relative) + ": " + name.error().message);
    return;
  }
  if (state) claims_.leave(*name, *state);
  base::log_info(kComponent, set_.name + ": " + shown(*name) + " is left: " + route.verdict);
}

void Courier::put_back(const Record& record) {
  const auto name = mover_.put_back(record, Mover::IfTaken::fail);
  if (name) return;
  base::log_info(kComponent, set_.name + ": " + shown(record.relative) +
                                 " stays in the work folder until the next start: " + name.error().message);
}

void Courier::log_done(const Record& record, const Route& route, const std::string& where) const {
  const bool passed = record.target == set_.output;
  base::log_info(kComponent, set_.name + ": " + shown(record.relative) + " size " + std::to_string(record.state.size) +
                                 " sha256 " + record.sha256 + ": " + route.verdict + " → " +
                                 (passed ? "output " : "quarantine ") + shown(where));
}

}  // namespace redoubt::gateway::folder
